"""What the test of RD425 finds in inputs that tell of their targets, and in inputs that do not.

Command: python -m benchmarks.thresholds.silent_inputs (a few minutes on one core). Nothing is trained. Of each kind of
data, drawn anew for each seed: in how many sets something was found (a score above 1.25), nothing (none above 1), or
neither, which is also said of sets that are too small for the test.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial

import torch

from rnn_doctor.capture.probe.sensors.dependence import Abstained, dependence
from rnn_doctor.derive.silent_inputs import tells_nothing
from rnn_doctor.schema.recurrence import DataLag

SEEDS = 40
SIZES = (200, 400, 1000)
Data = tuple[torch.Tensor, torch.Tensor]
Draw = Callable[[int], Data]


def frequency(n: int) -> Data:
    """Waves of three frequencies, begun anywhere."""
    kind, phase = torch.randint(0, 3, (n, 1)), 6.28 * torch.rand(n, 1)
    wave = torch.sin(torch.arange(40) * (0.2 + 0.15 * kind) + phase)
    return wave.unsqueeze(2) + 0.3 * torch.randn(n, 40, 1), kind.squeeze(1)


def spread(n: int) -> Data:
    """Noise of two strengths."""
    kind = torch.randint(0, 2, (n,))
    return torch.randn(n, 20, 1) * (1 + 0.5 * kind.view(-1, 1, 1)), kind


def rising(n: int) -> Data:
    """Walks that drift up or down from any height."""
    kind = torch.randint(0, 2, (n,))
    steps = torch.randn(n, 30, 1) + 0.4 * (2 * kind.view(-1, 1, 1) - 1)
    return (steps.cumsum(1) + 20 * torch.randn(n, 1, 1)).flip(1), kind


def adding(n: int) -> Data:
    """Two marked numbers of thirty are added."""
    values, marks = torch.rand(n, 30), torch.zeros(n, 30)
    marks.scatter_(1, torch.rand(n, 30).argsort(1)[:, :2], 1.0)
    return torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True)


def words(n: int) -> Data:
    """Tokens of which a tenth are good or bad, anywhere; the sign of their sum."""
    x = torch.randint(0, 40, (n, 25))
    score = (x < 2).sum(1) - ((x >= 2) & (x < 4)).sum(1)
    return x, (score > 0).long()


def order(n: int) -> Data:
    """Whether one of two tokens comes before the other."""
    x = torch.randint(2, 8, (n, 20))
    places = torch.rand(n, 20).argsort(1)[:, :2].sort(1).values
    kind = torch.randint(0, 2, (n, 1))
    return x.scatter(1, places, torch.cat([kind, 1 - kind], 1)).flip(1), kind.squeeze(1)


def palindrome(n: int) -> Data:
    """The second half of half of the sequences is the first one turned."""
    x, kind = torch.randint(0, 3, (n, 12)), torch.randint(0, 2, (n,))
    turned = torch.cat([x[:, :6], x[:, :6].flip(1)], 1)
    return torch.where(kind.unsqueeze(1) == 1, turned, x), kind


def brackets(n: int) -> Data:
    """Whether no bracket is closed before it was opened."""
    x = torch.randint(0, 2, (n, 8))
    return x.flip(1), ((2 * x - 1).cumsum(1) >= 0).all(1).long()


def recalled(n: int) -> Data:
    """The token forty steps back."""
    x = torch.randint(0, 8, (n, 41))
    return x, x[:, 40]


def neighbours(n: int) -> Data:
    """Whether the last two of twenty bits differ."""
    x = torch.randint(0, 2, (n, 20))
    return x, x[:, 0] ^ x[:, 1]


def far_apart(n: int) -> Data:
    """Whether the first and the last of twenty bits differ."""
    x = torch.randint(0, 2, (n, 20))
    return x, x[:, 0] ^ x[:, 19]


def parity(n: int) -> Data:
    """Of twenty bits."""
    x = torch.randint(0, 2, (n, 20))
    return x, x.sum(1) % 2


def weak(n: int, share: float) -> Data:
    """A number of which that share of the variance is the mean of three features of one step."""
    x = torch.randn(n, 20, 3)
    told = x[:, 4].mean(1, keepdim=True) * 3**0.5
    return x, share**0.5 * told + (1 - share) ** 0.5 * torch.randn(n, 1)


def tokens_apart(n: int) -> Data:
    """Nothing tells."""
    return torch.randint(0, 15, (n, 25)), torch.randint(0, 4, (n,))


def numbers_apart(n: int) -> Data:
    """Nothing tells."""
    return torch.randn(n, 20, 3), torch.randn(n, 1)


KINDS: dict[str, Draw] = {
    **{
        f.__name__: f
        for f in (
            frequency, spread, rising, adding, words, order, palindrome, brackets, recalled, neighbours,
            far_apart, parity,
        )
    },
    "weak, 0.05": partial(weak, share=0.05),
    "weak, 0.1": partial(weak, share=0.1),
    "nothing, tokens": tokens_apart,
    "nothing, numbers": numbers_apart,
}  # fmt: skip


def looked_at(draw: Draw, n: int, seed: int) -> str:
    """What the test says of one set."""
    torch.manual_seed(seed)
    try:
        with torch.no_grad():
            told = dependence(*draw(n))
    except Abstained:
        return "neither"
    record = DataLag(
        record="data_lag", step=1, module=0, target="sequence", rows=told.rows, scores=tuple(told.scores),
        whole=told.whole,
    )  # fmt: skip
    nothing = tells_nothing(record)
    return "neither" if nothing is None else "nothing" if nothing else "something"


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    print(f"sets of {SEEDS} in which something was found / nothing / neither")
    print(f"{'':18}" + "".join(f"{n:>14}" for n in SIZES))
    for name, draw in KINDS.items():
        cells = []
        for n in SIZES:
            found = Counter(looked_at(draw, n, seed) for seed in range(SEEDS))
            cells.append(f"{found['something']} / {found['nothing']} / {found['neither']}")
        print(f"{name:18}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
