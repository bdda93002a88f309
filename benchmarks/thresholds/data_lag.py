"""How well the data-lag test finds the lags that matter, and how often it finds some where there are none.

Command: python benchmarks/thresholds/data_lag.py [tests|networks] (each part about ten minutes on one core). The first
part gives the sensor 50 batches of each task and seed, as a training does. `found`: runs in which a lag was
significant; `right`: runs that found all the lags that carry information and no other; `near` and `far`: medians of
the nearest and the longest of them; `most`: median of the share of the target that one lag tells. The second part
trains default networks on delayed recall for 800 updates and judges them after 50 of them, without --lag.
"""

import sys
from collections.abc import Callable
from statistics import median

import torch
from tasks import CELLS, TASKS
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.lag_gain import lag_gains
from rnn_doctor.capture.probe.sensors.data_lag import DataLags
from rnn_doctor.capture.probe.writer import Writer
from rnn_doctor.derive.data_lag import DOMINANT, informative, most_told
from rnn_doctor.schema.recurrence import DataLag

BATCHES = 50
Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


class Kept(Writer):
    """Records in memory."""

    def __init__(self) -> None:
        super().__init__("")
        self.all: list[DataLag] = []

    def write(self, record: str, **fields: object) -> None:
        """One record."""
        self.all.append(DataLag.model_validate({"record": record, **fields}))


def tested(draw: Draw, batch: int, seed: int, classes: int | None) -> DataLag:
    """What the sensor says of 50 batches. Shapes: draw(n) -> x (n, T) tokens or (n, T, F), y."""
    generator = torch.Generator().manual_seed(seed)
    kept = Kept()
    sensor = DataLags(kept)
    module, embed = nn.LSTM(1, 1, batch_first=True), nn.Embedding(1000, 1)
    for step in range(1, BATCHES + 1):
        x, y = draw(batch, generator)
        sensor.on_call(0, module, embed(x) if x.dim() == 2 else x)
        output = y if classes is None else torch.zeros(len(y), classes, *y.shape[1:])
        sensor.on_loss("mse_loss" if classes is None else "cross_entropy", output, y, {})
        sensor.updated(step)
    sensor.finish()
    return kept.all[-1]


# ---------------------------------------------------------------- tasks with something to find


def recall(lag: int, beyond: int = 0) -> Draw:
    """One of eight symbols, `lag` steps before the last, among eight others; `beyond` steps more before it."""

    def draw(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = torch.randint(8, 16, (n, beyond + lag + 1), generator=g), torch.randint(8, (n,), generator=g)
        x[:, beyond] = y
        return x, y

    return draw


def brackets(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """An opening bracket, sixty characters of a text, a question mark; which bracket was it?"""
    text = TEXT.batch(2 * n, g)[0].reshape(n, -1)[:, :60]
    y = torch.randint(4, (n,), generator=g)
    return torch.cat((y.unsqueeze(1) + 200, text, torch.full((n, 1), 300)), 1), y


def copy(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Ten of eight symbols, ten blanks, and the symbols again as targets of the last ten steps."""
    symbols, blank = torch.randint(8, (n, 10), generator=g), torch.full((n, 10), 8)
    return torch.cat((symbols, blank), 1), torch.cat((blank, symbols), 1)


def recent(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """The sign of the sum of the last three of fifty numbers: a short memory will do."""
    x = torch.randn(n, 50, 1, generator=g)
    return x, (x[:, -3:, 0].sum(1) > 0).long()


def everywhere(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Three sensors whose mean tells the class at each of fifty steps."""
    y = torch.randint(3, (n,), generator=g)
    return torch.randn(n, 50, 3, generator=g) + F.one_hot(y, 3).unsqueeze(1).float(), y


# ---------------------------------------------------------------- tasks with nothing to find


def unrelated(features: int, classes: int | None, time: int) -> Draw:
    """Targets that nothing in the input tells; tokens of eight kinds where there are no features."""

    def draw(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, time, features, generator=g)
        y = torch.randn(n, 1, generator=g) if classes is None else torch.randint(classes, (n,), generator=g)
        return (x if features else torch.randint(8, (n, time), generator=g)), y

    return draw


def heavy(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cauchy inputs and targets."""
    x, y = torch.randn(2, n, 20, 2, generator=g), torch.randn(2, n, 1, generator=g)
    return x[0] / x[1], y[0] / y[1]


def rare(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Skewed tokens and a class in fifty."""
    x = (torch.rand(n, 30, generator=g).log() / -0.5).clamp(max=15).long()
    return x, (torch.rand(n, generator=g) < 0.02).long()


class Repeated:
    """The same 300 sequences with labels at random, over and over, shuffled."""

    def __init__(self) -> None:
        self.x, self.y = torch.randint(8, (300, 20)), torch.randint(2, (300,))

    def __call__(self, n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch of them."""
        chosen = torch.randint(300, (n,), generator=g)
        return self.x[chosen], self.y[chosen]


class Windows:
    """Neighbouring windows of one slow series, in order, and a slow target that has nothing to do with it."""

    def __init__(self) -> None:
        self.x, self.y = self.slow(), self.slow()
        self.at = 0

    @staticmethod
    def slow() -> Tensor:
        """A series that forgets over some twenty steps."""
        noise, series = torch.randn(4000), torch.zeros(4000)
        for k in range(1, 4000):
            series[k] = 0.95 * series[k - 1] + noise[k]
        return series

    def __call__(self, n: int, _: torch.Generator) -> tuple[Tensor, Tensor]:
        """The next batch."""
        rows = self.at + torch.arange(n)
        self.at += n
        return self.x[rows.unsqueeze(1) + torch.arange(20)].unsqueeze(2), self.y[rows].unsqueeze(1)


ADDING, RECALL, SINE, TEXT = TASKS


def line(name: str, records: list[DataLag], right: list[int] | None = None) -> None:
    """One line of the table."""
    made = [r for r in records if r.absent is None]
    lags = [informative(r) for r in made]
    found = [each for each in lags if each]
    text = f"{name:34s} tests {len(made):4d}/{len(records):4d}  found {len(found):4d}"
    if right is not None:
        text += f"  right {sum(each == right for each in found):4d}"
    if found:
        near, far = median(e[0] for e in found), median(e[-1] for e in found)
        most = median(most_told(r, e) for r, e in zip(made, lags, strict=True) if e)
        text += f"  near {near:4.0f}  far {far:4.0f}  most {most:.2f}"
    if len(made) < len(records):
        text += f"  [{next(r.absent for r in records if r.absent)}]"
    print(text, flush=True)


def power(seeds: int = 40, null_seeds: int = 300) -> None:
    """Power, then false alarms."""
    for batch in (16, 32, 64):
        for lag in (5, 10, 20, 40, 60):
            line(
                f"recall lag {lag}, batch {batch}",
                [tested(recall(lag), batch, s, 8) for s in range(seeds)],
                [lag],
            )
        line(
            f"recall lag 10 of 60, batch {batch}",
            [tested(recall(10, 50), batch, s, 8) for s in range(seeds)],
            [10],
        )
        line(f"brackets, batch {batch}", [tested(brackets, batch, s, 4) for s in range(seeds)], [61])
        line(f"adding T 30, batch {batch}", [tested(ADDING.batch, batch, s, None) for s in range(seeds)])
        line(f"recent 3 of 50, batch {batch}", [tested(recent, batch, s, 2) for s in range(seeds)], [0, 1, 2])
        line(
            f"class at every step, batch {batch}",
            [tested(everywhere, batch, s, 3) for s in range(seeds)],
            [*range(50)],
        )
        line(f"copy, every step, batch {batch}", [tested(copy, batch, s, 9) for s in range(seeds)], [10])
        line(f"sine, every step, batch {batch}", [tested(SINE.batch, batch, s, None) for s in range(seeds)])
        line(
            f"text, every step, batch {batch}", [tested(TEXT.batch, batch, s, TEXT.outputs) for s in range(3)]
        )
    print("nothing to find:")
    nulls: list[tuple[str, Callable[[], Draw], int | None]] = [
        ("tokens, 2 classes, T 60", lambda: unrelated(0, 2, 60), 2),
        ("tokens, 4 classes, T 16", lambda: unrelated(0, 4, 16), 4),
        ("tokens, a number, T 30", lambda: unrelated(0, None, 30), None),
        ("1 feature, a number, T 50", lambda: unrelated(1, None, 50), None),
        ("1 feature, a number, T 3", lambda: unrelated(1, None, 3), None),
        ("5 features, 3 classes, T 20", lambda: unrelated(5, 3, 20), 3),
        ("Cauchy numbers", lambda: heavy, None),
        ("a rare class", lambda: rare, 2),
        ("300 sequences again and again", Repeated, 2),
        ("neighbouring windows, slow target", Windows, None),
    ]
    for name, make, classes in nulls:
        records = []
        for seed in range(null_seeds):
            torch.manual_seed(seed)
            records.append(tested(make(), (16, 32, 64)[seed % 3], seed, classes))
        line(name, records)


# ---------------------------------------------------------------- what becomes of networks


def train(cell: str, lag: int, beyond: int, seed: int) -> tuple[float, bool]:
    """The largest gain over the lags that the test finds, after 50 updates, and whether 800 teach the task."""
    torch.manual_seed(seed)
    generator, draw = torch.Generator().manual_seed(seed), recall(lag, beyond)
    record = tested(draw, 32, seed, 8)
    lags = informative(record)
    assert most_told(record, lags) > DOMINANT
    embed, rnn, head = nn.Embedding(16, 16), CELLS[cell](16, 32, batch_first=True), nn.Linear(32, 8)
    parameters = [*embed.parameters(), *rnn.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, 3e-3)
    gain, recent_loss = float("nan"), [9.0]
    for step in range(1, 801):
        x, y = draw(32, generator)
        given = embed(x)
        output = rnn(given)
        loss = F.cross_entropy(head(output[0][:, -1]), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step == BATCHES:
            kernel = kernel_of(rnn)
            assert kernel is not None
            rows = rows_of(rnn, kernel, given.detach(), None, output, 2)
            profile = next(iter(lag_gains(kernel, rows, False)))
            at = dict(zip(profile["lags"], profile["decades"], strict=True))
            gain = max(at[each] for each in lags if each in at)
        recent_loss = [*recent_loss[-19:], float(loss.detach())]
        if max(recent_loss) < 0.2:
            return gain, True
    return gain, False


def networks(seeds: int = 2) -> None:
    """Delayed recall at several lags, the symbol at the start or within: does the verdict tell who learns?"""
    rows = []
    for cell in CELLS:
        for lag, beyond in ((2, 48), (5, 45), (5, 0), (10, 0), (15, 0), (20, 0), (30, 0), (40, 0)):
            runs = [train(cell, lag, beyond, seed) for seed in range(seeds)]
            rows += runs
            told = "  ".join(f"{gain:6.1f} {'learned' if well else 'not    '}" for gain, well in runs)
            print(f"{cell:5s} lag {lag:2d} of {lag + beyond:2d}  {told}", flush=True)
    for low, high in ((-3, 99), (-5, -3), (-7, -5), (-999, -7)):
        inside = [well for gain, well in rows if low <= gain < high]
        print(f"gain {low} to {high}: {sum(inside)} of {len(inside)} learned")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:] or ("tests", "networks"):
        {"tests": power, "networks": networks}[part]()
