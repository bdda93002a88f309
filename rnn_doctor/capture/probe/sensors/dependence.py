"""Whether an input so many steps back tells of the target: a test of the data alone, without a model.

At each lag, tokens and classes are compared by their mutual information (plug-in, with the bias correction of Miller
and Madow), anything else by the adjusted R^2 of the target on the inputs and their second powers. How large these get
where nothing is to be found, the same rows show with their targets shifted against them: shifts keep what is alike
between rows that follow each other, so that neighbouring windows of one series do not pass for a finding.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .summaries import summaries

FEWEST_ROWS = 200
MOST_CLASSES = 100
MOST_FEATURES = 32
SHIFTS = 99
"""Of independent data at most one in a hundred exceeds the largest of 99 at any lag; what is called found must do so
by a margin."""
_ALL_PRODUCTS, _ALL_SQUARES = 6, 16
"""Features up to which their products, and their squares, are taken too."""
_CELL = 5
"""Rows that each cell of a table of tokens by classes has on average, at the least."""
_LUMPED = 0.05
"""Share of the rows whose tokens are so rare that they are taken for one: of more the table says too little."""
_FARTHEST, _WIDTH = 5.0, 3.29
"""Standard deviations beyond which a value is drawn in: two outliers in one row are no dependence. 90 % of a normal
distribution lie within 3.29 of them."""
_ROWS_A_SUMMARY = 5
"""Sequences that there must be for each number that describes them."""
_SEED = 20_260
_LOG_FLOOR = 1e-12


class Abstained(Exception):
    """The test has no power here; says why, as a clause that reads after "not tested: "."""


class Dependence(NamedTuple):
    """What the test found, by lag."""

    kind: str
    """`information` or `determination`"""
    rows: int
    scores: list[float]
    """Relative to the largest at any lag among the shifted targets."""
    shares: list[float]
    """Of the target's entropy or variance."""
    alone: int | None = None
    """The one lag at which the sequences differ, where there is but one."""
    whole: float | None = None
    """Score of what describes the sequences as wholes; None where a single step tells, or they are too few for it."""


def dependence(x: Tensor, y: Tensor) -> Dependence:
    """The test at every lag.

    Shapes: x (n, L) tokens or (n, L, F) numbers, lag l at index l; y (n) classes or (n, C) numbers.

    Raises: Abstained: too few rows, a constant target, or too many tokens or classes for the rows.
    """
    if not all(bool(torch.isfinite(t).all()) for t in (x, y) if t.is_floating_point()):
        raise Abstained("its inputs or targets are not finite")
    alone = _varying_alone(x)
    if alone is None:
        kept = _distinct(x)
        x, y = x[kept], y[kept]
    if len(x) < FEWEST_ROWS:
        raise Abstained(f"{len(x)} different sequences were seen, and it takes {FEWEST_ROWS}")
    tokens, classes = x.dim() == 2, y.dim() == 1
    if classes:
        y = y.unique(return_inverse=True)[1]
    if len(y.unique(dim=0)) < 2:
        raise Abstained("its targets were all the same")
    rows = (torch.arange(len(x)).unsqueeze(1) + _shifts(len(x))) % len(x)
    if tokens and classes:
        count, shifted = int(y.max()) + 1, y[rows]
        found = [_information(*_codes(x[:, lag], count), count, shifted) for lag in range(x.shape[1])]
        whole = _entropy(y)
    else:
        target = _standardized(torch.nn.functional.one_hot(y) if classes else y)
        shifted = target[rows].flatten(1)
        found = [_determination(_design(x[:, lag]), shifted, rows.shape[1]) for lag in range(x.shape[1])]
        whole = 1.0
    statistics = torch.stack(found)
    largest = max(float(statistics[:, 1:].max()), 1.0 / len(x))
    own = statistics[:, 0]
    kind = "information" if tokens and classes else "determination"
    shares = (own / whole).clamp(0.0, 1.0)
    silent = float(own.max()) <= largest
    wholes = _of_wholes(x, y, rows) if silent else None
    return Dependence(kind, len(x), (own / largest).tolist(), shares.tolist(), alone, wholes)


def _varying_alone(x: Tensor) -> int | None:
    """The lag whose tokens alone differ between sequences, if there is one such.

    There are as many different sequences then as tokens of that lag: that they come again is the task's nature, and
    tells nothing of how many the data hold. Shapes: (n, L) tokens.
    """
    if x.dim() != 2:
        return None
    varying = (x != x[:1]).any(0).nonzero().flatten()
    return int(varying) if len(varying) == 1 and x.shape[1] > 2 else None


def _of_wholes(x: Tensor, y: Tensor, rows: Tensor) -> float | None:
    """The largest score of any kind of summary. Shapes: x (n, L[, F]), y (n[, C]), rows (n, 1 + SHIFTS)."""
    target = _standardized(torch.nn.functional.one_hot(y) if y.dim() == 1 else y)
    shifted, scores = target[rows].flatten(1), []
    for design in map(_standardized, summaries(x)):
        if 0 < design.shape[1] * _ROWS_A_SUMMARY <= len(x):
            found = _determination(design, shifted, rows.shape[1])
            scores.append(float(found[0]) / max(float(found[1:].max()), 1.0 / len(x)))
    return max(scores, default=None)


def _distinct(x: Tensor) -> Tensor:
    """The first of each set of equal sequences: what is seen again tells nothing new. Shapes: (n, ...) -> (m)."""
    flat = x.flatten(1).double()
    generator = torch.Generator().manual_seed(_SEED)
    marks = flat @ torch.rand(flat.shape[1], generator=generator, dtype=torch.double)
    order = marks.argsort(stable=True)
    first = torch.ones(len(x), dtype=torch.bool)
    first[order[1:]] = marks[order[1:]] != marks[order[:-1]]
    return first.nonzero().flatten()


def _shifts(n: int) -> Tensor:
    """0, and distances that are far from it. Shape: (1 + SHIFTS)."""
    generator = torch.Generator().manual_seed(_SEED)
    near = n // 10
    chosen = torch.randperm(n - 2 * near, generator=generator)[:SHIFTS] + near
    return torch.cat((torch.zeros(1, dtype=torch.long), chosen))


def _codes(column: Tensor, classes: int) -> tuple[Tensor, int]:
    """Tokens numbered from 0, the rarest as one where there are too many; and how many. Shapes: (n) -> (n)."""
    _, codes, counts = column.unique(return_inverse=True, return_counts=True)
    most = len(column) // (_CELL * classes)
    if most < 2:
        raise Abstained(f"{classes} classes are too many for {len(column)} sequences")
    if len(counts) <= most:
        return codes, len(counts)
    order = counts.argsort(descending=True)
    if float(counts[order[most - 1 :]].sum()) > _LUMPED * len(column):
        raise Abstained(f"{len(counts)} different tokens are too many for {len(column)} sequences")
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    return rank.clamp(max=most - 1)[codes], most


def _information(codes: Tensor, count: int, classes: int, targets: Tensor) -> Tensor:
    """Mutual information in nats. Shapes: codes (n), targets (n, 1 + SHIFTS) -> (1 + SHIFTS)."""
    n, shifts = targets.shape
    place = torch.arange(shifts) * (count * classes) + (codes * classes).unsqueeze(1) + targets
    table = torch.bincount(place.flatten(), minlength=shifts * count * classes).view(shifts, count, classes)
    p = table.float() / n
    by_token, by_class = p.sum(2, keepdim=True), p.sum(1, keepdim=True)
    ratio = (p / (by_token * by_class).clamp(min=_LOG_FLOOR)).clamp(min=_LOG_FLOOR)
    bias = ((table > 0).sum((1, 2)) - count - classes + 1) / (2 * n)
    return (p * ratio.log()).sum((1, 2)) - bias


def _entropy(y: Tensor) -> float:
    counts = torch.bincount(y).float()
    p = counts / counts.sum()
    return float(-(p * p.log()).sum() + (len(p) - 1) / (2 * len(y)))


def _standardized(values: Tensor) -> Tensor:
    """Mean 0, length sqrt(n), outliers drawn in; columns without variance are left out. Shapes: (n, k) -> (n, m)."""
    values = _scaled(values.float())
    if not values.shape[1]:
        return values
    low, middle, high = values.quantile(torch.tensor((0.05, 0.5, 0.95)), dim=0)
    reach = _FARTHEST * (high - low) / _WIDTH
    reach = torch.where(reach > 0, reach, torch.inf)  # mostly one value: the others are rare, not outliers
    return _scaled(values.clamp(middle - reach, middle + reach))


def _scaled(values: Tensor) -> Tensor:
    values = values - values.mean(0)
    scale = values.square().mean(0).sqrt()
    kept = scale > 1e-6 * max(1e-6, float(scale.max())) if scale.numel() else scale > 0
    return values[:, kept] / scale[kept]


def _design(x: Tensor) -> Tensor:
    """The regressors of one lag. Shapes: tokens (n) or numbers (n, F) -> (n, k)."""
    if x.dim() == 1:
        codes, count = _codes(x, 1)
        if count > MOST_FEATURES:
            raise Abstained(f"{count} different tokens are too many")
        return _standardized(torch.nn.functional.one_hot(codes)[:, :-1])
    x = _standardized(x)
    features = x.shape[1]
    if features > _ALL_SQUARES:
        return x
    if features > _ALL_PRODUCTS:
        return torch.cat((x, _standardized(x.square())), 1)
    first, second = torch.triu_indices(features, features)
    return torch.cat((x, _standardized(x[:, first] * x[:, second])), 1)


def _determination(design: Tensor, targets: Tensor, shifts: int) -> Tensor:
    """Adjusted R^2. Shapes: design (n, k), targets (n, (1 + SHIFTS) * C) -> (1 + SHIFTS)."""
    n = len(design)
    if not design.shape[1]:
        return torch.zeros(shifts, dtype=torch.float32)
    basis, upper = torch.linalg.qr(design)
    sizes = upper.diagonal().abs()
    basis = basis[:, sizes > 1e-4 * sizes.max()]  # what follows from other columns, as the square of 0 and 1
    explained = (basis.t() @ targets).square().view(basis.shape[1], shifts, -1).sum(0).mean(1) / n
    return 1 - (1 - explained) * (n - 1) / (n - basis.shape[1] - 1)
