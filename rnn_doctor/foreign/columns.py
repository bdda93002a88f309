"""Which column of a log is what, by the names that are usual for it."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.imported import Role

_LOSS_ROLES: dict[Role, str] = {"train_loss": "training loss", "val_loss": "validation loss"}
ROLES: tuple[Role, ...] = get_args(Role)
AXES = ("step", "epoch")
_SHORT: dict[str, Role] = {"lr": "learning_rate", "loss": "train_loss", "validation_loss": "val_loss"}

_WHOLE = {
    "trainloss": "train loss", "trainingloss": "train loss", "valloss": "val loss", "validloss": "val loss",
    "evalloss": "val loss", "devloss": "val loss", "testloss": "test loss", "gradnorm": "grad norm",
    "gnorm": "grad norm", "tloss": "train loss", "trloss": "train loss", "vloss": "val loss", "learningrate": "lr",
    "crossentropy": "cross entropy", "globalstep": "global step",
}  # fmt: skip
"""Words that are written as one."""
_TRAIN = frozenset(("train", "training", "trn", "tr", "fit"))
_HELD = frozenset(("val", "valid", "validation", "eval", "evaluation", "dev", "heldout", "holdout"))
_TEST = frozenset(("test", "testing"))
_LOSS = frozenset(("loss", "losses"))
_OTHER_LOSS = frozenset(
    (
        "nll",
        "xent",
        "ce",
        "bce",
        "mse",
        "rmse",
        "mae",
        "huber",
        "cost",
        "objective",
        "criterion",
        "entropy",
        "cross",
    )
)
Measure = Literal["loss", "perplexity", "bits"]
"""A loss may be told as its exponential, or in bits."""
_MEASURES: dict[str, Measure] = {
    "ppl": "perplexity", "perplexity": "perplexity", "pplx": "perplexity", "perp": "perplexity",
    "bpc": "bits", "bpb": "bits", "bpd": "bits",
}  # fmt: skip
_ACCURACY = frozenset(("acc", "accuracy", "f1", "bleu", "top1", "correct"))
"""What tells whether a network learns, and is no loss."""
_PLAIN = frozenset((
    "step", "steps", "epoch", "epochs", "batch", "iter", "iteration", "avg", "average", "mean", "total", "running",
    "per", "by", "metric", "metrics", "scalar", "scalars", "log", "logs", "history", "model", "main", "set", "data",
))  # fmt: skip
"""Words that say nothing of what is measured."""
_WITHIN = frozenset(("step", "steps", "batch", "iter", "iteration"))
_NO_LOSS = frozenset((
    "scale", "scaling", "weight", "weights", "ratio", "accuracy", "acc", "best", "min", "minimum", "lowest", "max",
    "std", "var", "ema", "count", "time", "grad", "norm", "lr", "delta", "patience", "improvement", "improved",
    "improve", "improving",
))  # fmt: skip
_NO_RATE = frozenset(
    ("momentum", "scale", "factor", "decay", "finder", "mult", "multiplier", "layer", "weight")
)
_NORM_WORDS = (
    _PLAIN | _TRAIN | frozenset(("grad", "grads", "gradient", "gradients", "norm", "global", "l2", "2", "0"))
)

_STEP_NAMES = (
    "global step",
    "step",
    "steps",
    "update",
    "updates",
    "num updates",
    "iteration",
    "iterations",
    "iter",
    "it",
)
_EPOCH_NAMES = ("epoch", "epochs")


class Guess(NamedTuple):
    """What a column may be, and how sure that is: of two guesses the smaller one is better."""

    role: Role
    doubt: tuple[int, ...]
    """(test data, or what may be a part of the training loss; another loss than the loss itself; words that are not
    understood; counts within an epoch)."""
    measure: Measure = "loss"
    """Of a loss: what tells it."""


def words(name: str) -> list[str]:
    """The words of a column's name in lower case: `trainLoss/epoch` has train, loss, epoch."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [
        word for part in re.findall(r"[a-z0-9]+", apart.lower()) for word in _WHOLE.get(part, part).split()
    ]


def is_part(text: str) -> bool:
    """Whether a text names a part of the data: `train`, `Validation`."""
    return text.lower() in _TRAIN | _HELD | _TEST


def is_held_out(text: str) -> bool:
    """Whether a text names a part of the data that is not trained on."""
    return text.lower() in _HELD | _TEST


def guess(name: str) -> Guess | None:
    """What a column is by its name; None where it is nothing that is used."""
    found = words(name)
    have = set(found)
    if _is_rate(have):
        return Guess("learning_rate", (0, 0, len(have - _PLAIN - _TRAIN - {"lr", "learning", "rate"}), 0))
    if {"norm"} <= have and have & {"grad", "grads", "gradient", "gradients"}:
        return Guess("grad_norm", (0, 0, 0, 0)) if have <= _NORM_WORDS else None
    losses, others = have & (_LOSS | _OTHER_LOSS), have & _MEASURES.keys()
    if not (losses or others) or have & _NO_LOSS:
        return None
    known = _PLAIN | _TRAIN | _HELD | _TEST | _LOSS | _OTHER_LOSS | _MEASURES.keys()
    doubt = (2 if others else int(not have & _LOSS), len(have - known))
    measure = _MEASURES[min(others)] if others else "loss"
    if have & (_HELD | _TEST) and not have & _TRAIN:
        return Guess("val_loss", (int(not have & _HELD), *doubt, int(bool(have & _WITHIN))), measure)
    part = int(bool(doubt[1]) and not have & _TRAIN)
    return Guess("train_loss", (part, *doubt, 0), measure) if have & (_TRAIN | _LOSS) or others else None


def is_accuracy(name: str) -> bool:
    """Whether a column tells how often the network is right."""
    have = set(words(name))
    return bool(have & _ACCURACY) and not have & _NO_LOSS - _ACCURACY


def tells_learning(name: str) -> bool:
    """Whether a column is a loss, or an accuracy."""
    guessed = guess(name)
    return is_accuracy(name) if guessed is None else guessed.role in ("train_loss", "val_loss")


def is_measured(name: str) -> bool:
    """Whether it is known what a column holds."""
    return guess(name) is not None or is_accuracy(name)


def _is_rate(have: set[str]) -> bool:
    return ("lr" in have or {"learning", "rate"} <= have) and not have & _NO_RATE


def axis(name: str) -> tuple[str, int] | None:
    """Whether a column counts steps or epochs, and how usual its name is for that: 0 is the most usual."""
    text = " ".join(word for word in words(name) if word not in ("trainer", "train", "training"))
    for kind, names in (("step", _STEP_NAMES), ("epoch", _EPOCH_NAMES)):
        if text in names:
            return kind, names.index(text) + (name.startswith("_") * len(names))
    return None


class Choice(NamedTuple):
    """The columns taken, by role, and what was doubtful about it."""

    taken: dict[Role, str]
    doubts: tuple[str, ...]


def choose(counts: Mapping[str, int], said: Mapping[str, str]) -> Choice:
    """Of all columns, with the number of values of each, the one for each role.

    Of equally good names the column with the most values is taken: a summary at the end is no curve. Several columns
    that each may be a part of the training loss are none.
    """
    taken: dict[Role, str] = {}
    doubts: list[str] = []
    for role in ROLES:
        if role in said:
            taken[role] = said[role]
            continue
        ranked = sorted(
            (found.doubt, -count, name)
            for name, count in counts.items()
            if (found := guess(name)) and found.role == role
        )
        if not ranked:
            continue
        best = [name for doubt, _, name in ranked if doubt == ranked[0][0]]
        if role == "train_loss" and ranked[0][0][2] and len(best) > 1:
            doubts.append(f"each of {_listed(best)} may be a part of the training loss; none was taken")
            continue
        taken[role] = best[0]
        doubts += _doubt(role, ranked[0][0], best)
    doubts += [said_as for role, name in taken.items() if (said_as := _told_as(role, name))]
    return Choice(taken, tuple(doubts))


def _doubt(role: Role, doubt: tuple[int, ...], best: list[str]) -> Iterable[str]:
    if role == "val_loss" and doubt[0]:
        yield f"{best[0]!r} was taken for want of a validation loss; a training that is stopped by it has no test set"
    elif role == "val_loss" and len({tuple(words(name)) for name in best}) > 1:
        yield f"{_listed(best)} are alike; {best[0]!r} was taken for the validation loss"


def _told_as(role: Role, name: str) -> str:
    """What is made of a loss that is told in another measure; nothing where it is told as it is."""
    guessed = guess(name) if role in _LOSS_ROLES else None
    if guessed is None or guessed.measure == "loss":
        return ""
    how = "the logarithm of" if guessed.measure == "perplexity" else "in nats, 0.693 times"
    return f"the {_LOSS_ROLES[role]} is {how} {name!r}"


def in_nats(name: str, value: float) -> float | None:
    """A loss, by the name of what tells it; None where there is none, as of a perplexity of 0."""
    guessed = guess(name)
    if guessed is None or guessed.measure == "loss":
        return value
    if guessed.measure == "bits":
        return value * math.log(2)
    return None if value <= 0 else math.log(value)


def _listed(names: list[str]) -> str:
    shown = [repr(name) for name in names[:4]] + ([f"{len(names) - 4} more"] if len(names) > 4 else [])
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def parse(pairs: Iterable[str]) -> dict[str, str]:
    """What the user says of columns, from texts like `train_loss=loss/train`.

    Raises: SettingsError: a text has another form, names no role, or names one twice.
    """
    said: dict[str, str] = {}
    roles = [*ROLES, *AXES]
    for pair in pairs:
        left, mark, name = pair.partition("=")
        role = _SHORT.get(left.strip(), left.strip())
        if not mark or not name.strip():
            raise SettingsError(
                f"--map: {pair!r} is not of the form ROLE=COLUMN", f"ROLE is one of {', '.join(roles)}"
            )
        if role not in roles:
            hint = did_you_mean(role, roles)
            raise SettingsError(f"--map: no role {left.strip()!r}{hint}", f"the roles are {', '.join(roles)}")
        if role in said:
            raise SettingsError(f"--map: {role} is given twice", "keep one of them")
        said[role] = name.strip()
    return said
