"""Along which axis of a batch the inputs at other places tell of a target: a test of the data alone, without a model.

Of each target all is left out that the input at its own place tells, and all that its row and its column have in
common. What is left is compared with the inputs so many places before and after it, along the module's time and along
its batch. How large that gets where the order of an axis means nothing, the same numbers show with that axis in random
orders. Samples of a batch stand in no order; the steps of a sequence do.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

TIME, BATCH = 0, 1
MOST_PLACES = 40
"""Of an axis; the first ones are compared."""
MOST_LAGS = 16
ORDERS = 39
"""Random ones of each axis, beside its own."""
_FEW_ORDERS = 4
"""Those with which an axis begins: what does not reach beyond them does not reach beyond all."""
_CERTAIN = 8.0
"""Times what the few reach, beyond which all would show `FOUND` as well: they reach at most 2.9 times as far
(benchmarks/thresholds/axis_orders.txt)."""
INPUTS, TARGETS = 12, 6
"""Features of the input and of the target that are compared."""
FOUND = 2.0
"""Times what random orders reach: beyond it along time, one batch has told enough."""
_ENOUGH = 3
"""Batches after which it is over where the batch axis is silent: of what tells, none is silent by then."""
SILENT = 1.25
FEWEST_PLACES = 6
"""Of both axes: fewer have so few orders that their own is among the random ones."""
_FARTHEST = 3.3
"""Standard deviations beyond which a value is drawn in: two outliers at neighbouring places are no dependence."""
_LEAST_LEFT = 0.01
"""Share of the target's variance; where its own input leaves less open, nothing is left to tell."""
_SMALLEST = 1e-3
"""Of the largest eigenvalue: features below it are taken for a sum of others."""
_SEED = 20_405
_NUMBERS: dict[str, Any] = {"device": "cpu", "dtype": torch.float32}
"""What is made here, whatever the script's default device and type are."""


class Told(NamedTuple):
    """What the test found along one axis."""

    score: float
    """The largest statistic at any distance, relative to the largest in any random order of the axis."""
    lag: int
    """The distance: from the input to a target after it, negative where the target stands before."""
    share: float
    """Share of the target's variance left open by the input of its own place that the input there explains."""


class AxisDependence:
    """The sums of all batches that were added."""

    def __init__(self) -> None:
        self._dice = torch.Generator("cpu").manual_seed(_SEED)  # its own: the script's stay as they are
        self._axes = (_Axis(self._dice), _Axis(self._dice))
        self._inputs = torch.zeros(INPUTS, INPUTS, **_NUMBERS)
        self._places = 0
        self._own = torch.zeros(INPUTS, TARGETS + INPUTS, **_NUMBERS)
        """Of places that have a target: their input by target and input."""
        self._targets = torch.zeros(TARGETS, **_NUMBERS)
        self._profiles: list[Tensor] = []
        self._told: dict[int, Told] = {}
        self._solved: tuple[Tensor, Tensor, float] | None = None
        """Of the batches so far: inverse covariance of the inputs, what the input of a target's own place tells of it
        (INPUTS, TARGETS), and the variance that it leaves."""
        self.batches = 0
        self.compared = 0
        """Places with a target."""

    def add(self, x: Tensor, y: Tensor, known: Tensor) -> None:
        """Takes a batch. Shapes: x (T, B, INPUTS), y (T, B, TARGETS), known (T, B), whether there is a target."""
        weight = known.float().unsqueeze(-1)
        self._profiles.append(_profile(x, y, weight))
        x, y = _centred(x, torch.ones_like(weight)), _centred(y, weight)
        right = torch.cat([y, x * weight], 2)
        self._inputs += torch.einsum("tbi,tbj->ij", x, x)
        self._own += torch.einsum("tbi,tbj->ij", x, right)
        self._targets += y.square().sum((0, 1))
        self._places += x.shape[0] * x.shape[1]
        self._axes[BATCH].add(x, right, weight)
        self._axes[TIME].add(*(t.transpose(0, 1) for t in (x, right, weight)))
        self._told.clear()
        self._solved = None
        self.batches += 1
        self.compared += int(known.sum())

    def told(self, axis: int) -> Told:
        """What the inputs along an axis tell of targets; nothing where they have no variance.

        A score of at most 1 is found with few random orders, and would be no more with all of them; along time one of
        8 or more too, and would be above 2 with all.
        """
        if axis not in self._told:
            self._told[axis] = self._tell(axis)
        return self._told[axis]

    def _solve(self) -> tuple[Tensor, Tensor, float]:
        if self._solved is None:
            inverse = inverse_of(self._inputs / max(1, self._places))
            slope = inverse_of(self._own[:, TARGETS:]) @ self._own[:, :TARGETS]
            explained = (slope * self._own[:, :TARGETS]).sum()
            self._solved = inverse, slope, float(self._targets.sum() - explained)
        return self._solved

    def _tell(self, axis: int) -> Told:
        inverse, slope, left = self._solve()
        if left <= _LEAST_LEFT * float(self._targets.sum()):
            return Told(0.0, 0, 0.0)
        sums = self._axes[axis]
        scale = left / max(1, self.compared)
        found = sums.compared(inverse, slope, scale)
        certain = axis == TIME and found.score >= _CERTAIN
        if found.score > 1 and not certain and sums.complete():
            found = sums.compared(inverse, slope, scale)
        return found

    def told_enough(self) -> bool:
        """Whether further batches would change nothing: time tells, or after several of them the batch does not."""
        if self.told(TIME).score >= FOUND:
            return True
        return self.batches >= _ENOUGH and self.told(BATCH).score < SILENT

    def positions(self) -> float:
        """How far the places of the time axis differ in the same way in all batches, relative to random orders.

        The steps of sequences often do: the first one, the last, those that hold a question. Samples never do.
        """
        same = [p for p in self._profiles if len(p) == len(self._profiles[0])]
        profiles = torch.stack(same)  # (batches, T, S)
        profiles = profiles - profiles.mean(1, keepdim=True)
        scale = profiles.square().mean((0, 1)).sqrt()
        profiles = profiles[..., scale > 0] / scale[scale > 0]
        own = float(profiles.sum(0).square().sum())
        largest = 0.0
        for _ in range(ORDERS):
            orders = torch.rand(profiles.shape[:2], generator=self._dice, **_NUMBERS).argsort(1)
            shuffled = profiles.gather(1, orders.unsqueeze(-1).expand_as(profiles))
            largest = max(largest, float(shuffled.sum(0).square().sum()))
        return own / largest if largest > 0 else 0.0


class _Axis:
    """The sums along one axis, for its own order and for random ones: few at first, all where they are needed."""

    def __init__(self, dice: torch.Generator) -> None:
        self._dice = dice
        lags = list(range(1, MOST_LAGS + 1))
        self._lags = lags + [-lag for lag in lags]
        self._products, self._pairs = self._zeros(_FEW_ORDERS + 1)
        self._batches: list[Tensor] | None = []
        """Of the batches of few orders: products of any two places, and the targets at the second of them.
        (n * n, INPUTS * (TARGETS + INPUTS) + 1)"""

    def _zeros(self, orders: int) -> tuple[Tensor, Tensor]:
        shape = (orders, len(self._lags))
        products = torch.zeros(*shape, INPUTS, TARGETS + INPUTS, **_NUMBERS)
        return products, torch.zeros(shape, **_NUMBERS)

    def add(self, x: Tensor, right: Tensor, weight: Tensor) -> None:
        """Takes a batch. Shapes: (lines, n, features); n places along the axis."""
        lines, n = x.shape[:2]
        between = (x.reshape(lines, -1).t() @ right.reshape(lines, -1)).view(n, INPUTS, n, -1)
        between = between.permute(0, 2, 1, 3).reshape(n * n, -1)
        counts = weight.sum((0, 2)).repeat(n).unsqueeze(1)
        table = torch.cat([between, counts], 1)
        orders = self._random(len(self._pairs), n)
        orders[0] = torch.arange(n, device="cpu")
        self._sum(table, orders, self._products, self._pairs)
        if self._batches is not None:
            self._batches.append(table)

    def _random(self, count: int, n: int) -> Tensor:
        return torch.rand(count, n, generator=self._dice, **_NUMBERS).argsort(1)

    def _sum(self, table: Tensor, orders: Tensor, products: Tensor, pairs: Tensor) -> None:
        count, n = orders.shape
        lags = [lag for lag in self._lags if abs(lag) < n]
        source = torch.tensor([k for lag in lags for k in range(max(0, -lag), min(n, n - lag))], device="cpu")
        goal = torch.tensor([k for lag in lags for k in range(max(0, lag), min(n, n + lag))], device="cpu")
        sizes = torch.tensor([n - abs(lag) for lag in lags], device="cpu").repeat(count)
        # The sums of these rows, without a copy of them.
        rows = (orders[:, source] * n + orders[:, goal]).flatten()
        sums = embedding_bag(rows, table, sizes.cumsum(0) - sizes, mode="sum").view(count, len(lags), -1)
        used = slice(None) if lags == self._lags else [self._lags.index(lag) for lag in lags]
        products[:, used] += sums[..., :-1].unflatten(2, (INPUTS, -1))
        pairs[:, used] += sums[..., -1]

    def complete(self) -> bool:
        """Adds the random orders that are missing; whether there were any."""
        if self._batches is None:
            return False
        products, pairs = self._zeros(ORDERS - _FEW_ORDERS)
        for table in self._batches:
            n = math.isqrt(len(table))
            self._sum(table, self._random(len(pairs), n), products, pairs)
        self._products = torch.cat([self._products, products])
        self._pairs = torch.cat([self._pairs, pairs])
        self._batches = None
        return True

    def compared(self, inverse: Tensor, slope: Tensor, left: float) -> Told:
        """The axis's own order against the random ones; left: variance of a target that its own input leaves open."""
        rest = self._products[..., :TARGETS] - self._products[..., TARGETS:] @ slope
        pairs = self._pairs.clamp(min=1)
        mean = rest / pairs[..., None, None]
        shares = (mean * (inverse @ mean)).sum((-2, -1)) / left
        statistics = shares * pairs
        best = int(statistics[0].argmax())
        largest = float(statistics[1:].max())
        if largest <= 0:
            return Told(0.0, 0, 0.0)
        noise = float((statistics[1:] / pairs[1:]).mean())
        share = min(1.0, max(0.0, float(shares[0, best]) - noise))
        return Told(float(statistics[0, best]) / largest, self._lags[best], share)


def inverse_of(matrix: Tensor) -> Tensor:
    """The pseudo-inverse of a covariance."""
    return torch.linalg.pinv(matrix, rtol=_SMALLEST, hermitian=True)


def _centred(values: Tensor, weight: Tensor) -> Tensor:
    """Without what rows and columns have in common, 0 where there is no weight. Shapes: (T, B, n), (T, B, 1)."""
    for axis in (0, 1, 0, 1):
        mean = (values * weight).sum(axis, keepdim=True) / weight.sum(axis, keepdim=True).clamp(min=1)
        values = values - mean
    return values * weight


def _profile(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Means and variances over the batch axis at each place of the time axis. Shapes: (T, B, n) -> (T, S)."""
    share = weight.sum(1)
    mean = x.mean(1)
    target = (y * weight).sum(1) / share.clamp(min=1)
    return torch.cat([mean, (x - mean.unsqueeze(1)).square().mean(1), target, share], 1)


class Features:
    """The numbers that stand for a token or a vector: the same in all batches, chosen by the first.

    Tokens: whether it is one of the most frequent. Vectors: its values, or as many mixtures of them.
    """

    def __init__(self, first: Tensor, count: int, known: Tensor | None = None) -> None:
        """Shapes: first (T, B) tokens or (T, B, F) numbers; known (T, B)."""
        self._count = count
        self.tokens = first.dim() == 2
        flat = first.flatten(0, 1) if known is None else first[known]
        if self.tokens:
            codes, counts = flat.unique(return_counts=True)
            self._codes = codes[counts.argsort(descending=True, stable=True)[:count]]
            return
        width = flat.shape[1]
        dice = torch.Generator("cpu").manual_seed(_SEED)
        mix = torch.randn(width, count, generator=dice, **_NUMBERS)
        self._mix = mix if width > count else torch.eye(width, **_NUMBERS)
        mixed = flat.float() @ self._mix
        self._mean, self._scale = mixed.mean(0), mixed.std(0, unbiased=False)
        self._scale[self._scale == 0] = 1.0

    def of(self, values: Tensor) -> Tensor:
        """Shapes: (T, B) or (T, B, F) -> (T, B, count)."""
        if self.tokens:
            found = (values.unsqueeze(-1) == self._codes).float()
        else:
            found = ((values.float() @ self._mix - self._mean) / self._scale).clamp(-_FARTHEST, _FARTHEST)
        return torch.nn.functional.pad(found, (0, self._count - found.shape[-1]))
