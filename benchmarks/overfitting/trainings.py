"""Trainings on a fixed set of samples, validated at even intervals, as people write them.

`python -m benchmarks.overfitting.trainings KEY` is one of them (`KEY unvalidated` is it without its validation), and
`rnn-doctor check -m benchmarks.overfitting.trainings KEY` examines it. The learning rate falls to a tenth, so that the
last losses are not those of a step that is too large.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.faults.blind import networks as blind
from benchmarks.faults.networks import build
from benchmarks.faults.sealed import networks as sealed
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import BLIND, SEALED, UNSEEN, Task
from benchmarks.faults.tasks import TASKS as BENCH
from benchmarks.faults.unseen import networks as unseen_networks

from .networks import CELLS, Reader

EVALUATIONS = 40
EVERY = 10
"""Updates between two evaluations."""
OUTCOME = 1500
"""Samples by which the outcome is told; the script itself validates on fewer."""
_OWN = ("endings", "protocol", "surnames", "corridor", "sentences")
_READ = (
    "electricity", "messages", "entities", "glyphs", "shapes", "thermostat", "commands", "ward", "orders",
)  # fmt: skip
_BARE = {name: replace(BENCH[name], part="", network="layer") for name in (*_OWN, *_READ)}
TASKS = BENCH | _BARE | {"orders": replace(_BARE["orders"], inputs=3)}
"""Those of the fault bench; some whose cells are written by hand there, or whose network gives more than scores, have
torch's layers here, or those of networks.py: the losses of single examples are to be seen."""
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "AdamW": torch.optim.AdamW,
    "NAdam": torch.optim.NAdam,
    "RMSprop": torch.optim.RMSprop,
    "SGD": partial(torch.optim.SGD, momentum=0.9),
    "Adam": torch.optim.Adam,
    "RAdam": torch.optim.RAdam,
    "Adamax": torch.optim.Adamax,
    "Adagrad": torch.optim.Adagrad,
    "Adadelta": torch.optim.Adadelta,
    "Nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "AMSGrad": partial(torch.optim.AdamW, amsgrad=True),
    "Adafactor": torch.optim.Adafactor,
}


@dataclass(frozen=True)
class Training:
    """One training."""

    task: str
    cell: str
    samples: int
    hidden: int = 48
    dropout: float = 0.0
    weight_decay: float = 0.0
    noise: float = 0.0
    """Share of the targets, of training and validation alike, that are exchanged for others."""
    rate: float = 3e-3
    batch: int = 16
    held_out: int = 256
    """Samples that the script validates on."""
    seed: int = 0
    optimizer: str = "AdamW"
    layers: int = 1
    directions: int = 1
    smoothing: float = 0.0
    """Of the labels that it is trained on."""
    disturbed: float = 0.0
    """Deviation of what is added to the inputs that it is trained on, or share of their tokens that are exchanged."""
    schedule: str = "cosine"
    """cosine | steps | linear: the rate falls to a tenth along a cosine, at three fifths of the updates, evenly |
    one_cycle | constant"""
    locked: float = 0.0
    """Dropout with one mask for all steps of a sequence."""
    penalty: float = 0.0
    """The squares of all weights, times this, are added to the loss by hand."""
    norm: bool = False
    """Whether a layer normalization stands before the head."""

    @property
    def key(self) -> str:
        """Its fields, in order: makes it anew. From the optimizer on those alone that are not as in the first sets."""
        given, names = asdict(self), [field.name for field in fields(self)]
        later = {field.name: field.default for field in fields(self)[names.index("optimizer") :]}
        kept = {name: value for name, value in given.items() if name not in later or value != later[name]}
        return " ".join(f"{name}={value}" for name, value in kept.items())


def from_key(key: str) -> Training:
    """The training of that key."""
    read: dict[Any, Callable[[str], Any]] = {
        str: str,
        int: int,
        float: float,
        bool: lambda text: text == "True",
    }
    kinds = {field.name: read[field.type] for field in fields(Training)}
    given = dict(part.split("=") for part in key.split(" "))
    return Training(**{name: kinds[name](value) for name, value in given.items()})


def plan() -> list[Training]:
    """All trainings; which of them overfit is found out."""
    found = []
    cells = ("LSTM", "GRU", "RNN")
    tasks = ("characters", "lines", "forecast", "words", "tagging", "activity", "sensors", "policy")
    for number, (name, samples) in enumerate(product(tasks, (32, 96, 400, 3000))):
        task = TASKS[name]
        cell = task.cells[number % len(task.cells)] if name != "policy" else cells[number % 3]
        habit = number // 4 % 4
        found.append(
            Training(
                name, cell, samples,
                hidden=(32, 64, 96)[number % 3],
                dropout=0.3 if habit == 1 else 0.0,
                weight_decay=1e-2 if habit == 2 else 0.0,
                noise=0.3 if habit == 3 and samples > 32 else 0.0,
                rate=(3e-3, 5e-3)[number % 2],
                held_out=(256, 64, 128)[number % 3],
                seed=number,
            )
        )  # fmt: skip
    for number, name in enumerate(tasks):
        task = TASKS[name]
        common: dict[str, Any] = {"cell": task.cells[(number + 1) % len(task.cells)], "seed": 100 + number}
        found.append(Training(name, samples=3000, dropout=0.2, hidden=64, **common))
        found.append(Training(name, samples=64, dropout=0.3, weight_decay=1e-2, **common))
        if name not in ("forecast", "sensors"):
            found.append(Training(name, samples=24, hidden=64, **common))
            found.append(Training(name, samples=48, noise=0.3, rate=5e-3, **common))
    return found


def fresh() -> list[Training]:
    """Trainings of other tasks, sizes and seeds; the first look at them showed what the rules were mended for next."""
    others = ("adding", "recall", "copy", "motifs", "brackets", "melody", "logs", "digits", "sums")
    again = ("characters", "lines", "forecast", "words", "tagging", "activity", "sensors", "policy")
    sizes = [*[(name, (40, 80, 2000)) for name in others], *[(name, (56, 1600)) for name in again]]
    return [
        Training(
            name,
            TASKS[name].cells[(number + k) % len(TASKS[name].cells)],
            samples,
            hidden=(40, 56, 80)[(number + k) % 3],
            dropout=(0.0, 0.25)[(number + k) % 2],
            weight_decay=(0.0, 0.0, 5e-3)[number % 3],
            noise=0.2 if samples == 80 and number % 2 else 0.0,
            rate=(4e-3, 2e-3, 6e-3)[(number + k) % 3],
            held_out=(96, 200, 300)[number % 3],
            seed=1000 + 10 * number + k,
        )
        for number, (name, given) in enumerate(sizes)
        for k, samples in enumerate(given)
    ]


def unseen() -> list[Training]:
    """Trainings of tasks that no other set has, with other optimizers, batches and sizes of the data.

    Made before the rules were mended with those above, and none was looked at before that was done.
    """
    tasks = (
        "gibberish", "identifiers", "events", "oscillators", "syllables", "protocol", "cue", "agreement", "endings",
    )  # fmt: skip
    optimizers = (("RMSprop", 2e-3), ("NAdam", 4e-3), ("SGD", 0.1), ("AdamW", 8e-3))
    found = []
    for number, name in enumerate(tasks):
        for k, samples in enumerate((20, 44, 72, 130, 1200)):
            turn = number + k
            optimizer, rate = optimizers[turn % 4]
            found.append(
                Training(
                    name,
                    TASKS[name].cells[turn % len(TASKS[name].cells)],
                    samples,
                    hidden=(36, 64, 100)[turn % 3],
                    dropout=(0.0, 0.0, 0.35)[(number + 2 * k) % 3],
                    weight_decay=2e-3 if turn % 5 == 4 else 0.0,
                    noise=0.15 if (number + 3 * k) % 4 == 0 and samples < 1200 else 0.0,
                    rate=rate,
                    batch=(12, 20)[turn % 2],
                    held_out=(400, 120, 64, 240)[(2 * number + k) % 4],
                    seed=2000 + 10 * number + k,
                    optimizer=optimizer,
                )
            )
    return found


def later() -> list[Training]:
    """Trainings with tasks, depths, directions, optimizers, schedules and regularizers that no other set has.

    Made when RD501 had become what it is, and labelled before that was asked.
    """
    tasks = ("surnames", "reviews", "inflections", "traffic", "signatures", "corridor", "sentences")
    optimizers = (("Adam", 4e-3), ("RAdam", 8e-3), ("Adamax", 1e-2), ("Adagrad", 3e-2))
    found = []
    for number, name in enumerate(tasks):
        task = TASKS[name]
        for k, samples in enumerate((24, 60, 150, 500, 1500, 4000)):
            turn = number + k
            optimizer, rate = optimizers[turn % 4]
            classes = task.classes and not task.binary
            found.append(
                Training(
                    name,
                    task.cells[turn % 3],
                    samples,
                    hidden=(32, 72, 48)[turn % 3],
                    dropout=(0.0, 0.5, 0.0)[(number + 2 * k) % 3],
                    weight_decay=0.02 if turn % 5 == 3 else 0.0,
                    noise=0.1 if (2 * number + k) % 5 == 0 else 0.0,
                    rate=rate,
                    batch=(16, 24)[turn % 2],
                    held_out=(200, 512, 128, 300)[(number + 3 * k) % 4],
                    seed=3000 + 10 * number + k,
                    optimizer=optimizer,
                    layers=1 + (number + k) % 2,
                    directions=1 if name == "sentences" else 1 + (number // 2 + k) % 2,
                    smoothing=0.1 if classes and turn % 4 == 1 else 0.0,
                    disturbed=0.1 if turn % 4 == 2 else 0.0,
                    schedule=("cosine", "steps")[(number + k // 2) % 2],
                )
            )
    return found


def run(
    training: Training,
    evaluated: Callable[[int, nn.Module], None] = lambda _, __: None,
    leaked: float = 0.0,
    validates: bool = True,
    ends: Callable[[nn.Module, list[Tensor]], bool] = lambda _, __: False,
) -> None:
    """Trains; `evaluated` is called after each evaluation, with its update and the network.

    ends: is called before each update with the network and the batch, and ends the training where it is True.
    leaked: share of the validation samples in whose place samples of the training data stand.
    validates: whether there is an evaluation at all.
    """
    torch.manual_seed(training.seed)
    torch.set_num_threads(1)
    task = TASKS[training.task]
    data = torch.Generator().manual_seed(training.seed + 1)
    setting = Setting(
        training.task,
        training.cell,
        hidden=training.hidden,
        dropout=training.dropout,
        layers=training.layers,
        bidirectional=training.directions == 2,
        layer_norm=training.norm,
    )
    builds = {BLIND: blind.build, SEALED: sealed.build, UNSEEN: unseen_networks.build}
    if training.cell in CELLS:
        model = Reader(task, setting, training.locked)
    else:
        model = builds.get(task.part, build)(task, setting)
    optimizer = OPTIMIZERS[training.optimizer](
        model.parameters(), training.rate, weight_decay=training.weight_decay
    )
    samples = _dataset(task, training, training.samples, data, training_data=True)
    loader = DataLoader(
        samples,
        training.batch,
        shuffle=True,
        generator=data,
        drop_last=True,
    )
    held_out = _dataset(task, training, training.held_out, data, training_data=False)
    validation = DataLoader(_leaking(held_out, samples, leaked), 64)
    schedule = _schedule(training, optimizer)
    update = 0
    while update < EVALUATIONS * EVERY:
        for batch in loader:
            if ends(model, batch):
                return
            model.train()
            optimizer.zero_grad()
            objective = _training_loss(task, training, model, batch)
            if training.penalty:
                objective = objective + training.penalty * sum(p.square().sum() for p in model.parameters())
            objective.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            update += 1
            if validates and update % EVERY == 0:
                validate(task, model, validation)
                evaluated(update, model)
            if update == EVALUATIONS * EVERY:
                break


def _schedule(training: Training, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    updates = EVALUATIONS * EVERY
    if training.schedule == "steps":
        return torch.optim.lr_scheduler.StepLR(optimizer, 3 * updates // 5, 0.1)
    if training.schedule == "linear":
        return torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, updates)
    if training.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, training.rate, updates, cycle_momentum=False)
    if training.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates, 0.1 * training.rate)


def _training_loss(task: Task, training: Training, model: nn.Module, batch: list[Tensor]) -> Tensor:
    """The loss of one batch, with the regularizers that act on it."""
    x, y, *rest = batch
    if training.disturbed and x.is_floating_point():
        x = x + training.disturbed * torch.randn_like(x)
    elif training.disturbed:
        other = x[torch.randperm(len(x))]  # padding is left as it is
        x = torch.where((torch.rand(x.shape) < training.disturbed) & (x > 0) & (other > 0), other, x)
    if training.smoothing:
        scores = model(x, rest[0] if rest else None).reshape(-1, task.outputs)
        return F.cross_entropy(scores, y.reshape(-1), ignore_index=-1, label_smoothing=training.smoothing)
    return loss(task, model, [x, y, *rest])


def loss(task: Task, model: nn.Module, batch: list[Tensor]) -> Tensor:
    """The loss of one batch."""
    if task.binary:
        scores = model(batch[0], batch[2] if len(batch) > 2 else None)
        return F.binary_cross_entropy_with_logits(scores[:, 0], batch[1].float())
    return task.loss(model(batch[0], batch[2] if len(batch) > 2 else None), batch[1])


def validate(task: Task, model: nn.Module, loader: "DataLoader[tuple[Tensor, ...]]") -> float:
    """Mean loss over the batches."""
    model.eval()
    with torch.no_grad():
        losses = [loss(task, model, list(batch)).item() for batch in loader]
    return sum(losses) / len(losses)


def outcome_data(task: Task, training: Training) -> "DataLoader[tuple[Tensor, ...]]":
    """Many samples that no training sees, always the same."""
    generator = torch.Generator().manual_seed(4711)
    return DataLoader(_dataset(task, training, OUTCOME, generator, training_data=False), 500)


def _leaking(held_out: TensorDataset, samples: TensorDataset, share: float) -> TensorDataset:
    """The validation data, with training samples in the place of the first of them."""
    count = round(share * len(held_out))
    places = torch.arange(count) % len(samples)
    pairs = zip(held_out.tensors, samples.tensors, strict=True)
    return TensorDataset(*(torch.cat([theirs[places], own[count:]]) for own, theirs in pairs))


def _drawn(task: Task, count: int, generator: torch.Generator, *, training: bool) -> list[Tensor]:
    state = torch.get_rng_state()
    torch.manual_seed(generator.initial_seed())
    drawn = [part for part in task.draw(count, generator, training=training) if part is not None]
    torch.set_rng_state(state)
    return drawn


def _dataset(
    task: Task, training: Training, count: int, generator: torch.Generator, *, training_data: bool
) -> TensorDataset:
    x, y, *rest = _drawn(task, count, generator, training=training_data)
    if task.classes:
        y = y.where(y >= 0, -1)  # padding, which each task marks in its own way
    if training.noise:
        wrong = torch.rand(len(y), generator=generator) < training.noise
        y = torch.where(
            wrong.view(-1, *[1] * (y.dim() - 1)), y[torch.randperm(len(y), generator=generator)], y
        )
    return TensorDataset(x, y, *rest)


if __name__ == "__main__":
    key, *rest = sys.argv[1:]
    alone = rest == ["unvalidated"]
    run(from_key(key), leaked=float(rest[0]) if rest and not alone else 0.0, validates=not alone)
