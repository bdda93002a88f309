"""The training loss as the script means it, and what its loss functions are given."""

from __future__ import annotations

import math
from typing import Any

import torch

from .. import graph, ranges
from ..places import here
from ..writer import Writer
from .differences import Compared, Differences
from .row_targets import rows_of_one

CLASSIFYING = ("cross_entropy", "nll_loss")
REGRESSING = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
WATCHED = (*CLASSIFYING, *REGRESSING, *BINARY, "kl_div", "ctc_loss", "gaussian_nll_loss", "poisson_nll_loss")
EXPRESSION = "expression"
"""A loss that the script writes out by hand."""
_CLASSES_AT = {**dict.fromkeys(CLASSIFYING, 1), "kl_div": -1, "ctc_loss": -1}
"""The axis of the classes."""

_ON_SIMPLEX = 1e-3
_ACCUMULATES_BY = 3
"""Updates within which a script that divides its losses for accumulation does so."""
_MOST_ROWS = 32
"""Rows of a large output that are looked at."""
_MOST_VALUES = 16_384
"""Values of them: a vocabulary makes each row long."""
_FEWEST_ROWS = 4
_SLACK = 0.05
"""Of the size of what bounds an output: rounding and label noise."""
_PAIRED = 3
"""Axes from which on a batch of pairs can be meant; (B, 1) against (1, B) holds each sample against all others."""


class Losses:
    """Collects the losses of one step's backward passes, and describes the loss calls of sampled steps."""

    def __init__(self, writer: Writer, differences: Differences) -> None:
        self._writer = writer
        self._differences = differences
        self._sites: dict[tuple[str, Any], int] = {}
        self._described: set[int] = set()
        self._accumulation = 1
        self._taken = 0
        self._passes: list[tuple[Any, Any, float]] = []
        self.backwards = 0
        """Backward passes since the last update."""
        self._scaled: dict[int, Any] = {}

    def scaled(self, result: torch.Tensor, original: torch.Tensor) -> None:
        """GradScaler multiplied `original`; the backward pass will be given `result`."""
        self._scaled = {id(result): (result, original)}

    def on_backward(self, loss: torch.Tensor, site: Any) -> torch.Tensor:
        """Takes the loss of one backward pass; returns it with loss scaling undone."""
        result, original = self._scaled.pop(id(loss), (None, None))
        if result is loss and original is not None:
            loss = original
        value: Any = None
        if loss.numel() == 1:
            value = loss.item() if loss.device.type == "cpu" else loss.detach()
        divided = self._accumulation > 1 or self._taken < _ACCUMULATES_BY or bool(self._passes)
        self._passes.append((site, value, graph.divisor(loss) if divided else 1.0))
        self.backwards += 1
        return loss

    @property
    def latest(self) -> float | None:
        """The loss of the latest pass, where reading it waits for no device."""
        value = self._passes[-1][1] if self._passes else None
        return value if isinstance(value, float) else None

    def take(self, first_only: bool) -> float | None:
        """The step's loss: the mean over passes of one source line, the sum over lines; forgets the passes.

        first_only: a closure re-evaluates the loss at other parameters, so that only its first value counts.
        """
        self._taken += 1
        passes = self._passes[:1] if first_only else self._passes
        self._passes, self.backwards = [], 0
        if len(passes) == 1 and self._accumulation == 1:
            value = passes[0][1]
            return None if value is None else float(value)
        by_site: dict[Any, list[float]] = {}
        for site, value, _ in passes:
            if value is not None:
                by_site.setdefault(site, []).append(float(value))
        if not by_site:
            return None
        self._accumulation = max(self._accumulation, *(len(v) for v in by_site.values()))
        if self._accumulation > 1:
            for site, values in by_site.items():
                divisors = [d for s, v, d in passes if s == site and v is not None]
                by_site[site] = [
                    v * d if math.isclose(d, self._accumulation, rel_tol=1e-6) else v
                    for v, d in zip(values, divisors)
                ]
        return sum(sum(values) / len(values) for values in by_site.values())

    def forget_calls(self) -> None:
        """A new step begins: each call site may be described again."""
        self._described.clear()

    def describe(
        self,
        step: int,
        function: str,
        output: torch.Tensor,
        target: Any,
        result: torch.Tensor,
        options: dict[str, Any],
    ) -> None:
        """The record of one loss call at a sampled step, once a call site."""
        location = here()
        site = self._site(function, location)
        if site in self._described:
            return
        self._described.add(site)
        fields: dict[str, Any] = {
            "step": step, "site": site, "function": function, "location": location,
            "input_shape": list(output.shape), "head": graph.head(output),
        }  # fmt: skip
        if fields["head"] is not None:
            fields["beneath"] = graph.beneath_head(output)
        values = _thinned(output)
        if values.numel():
            fields["minimum"], fields["maximum"] = float(values.min()), float(values.max())
        fields["value"] = _value(result)
        bounds = ranges.range_of(output)
        if bounds is not None:
            fields["reach"] = _reach(bounds, target if function in REGRESSING else None)
        if isinstance(target, torch.Tensor):
            fields.update(_target(function, output, target, options))
            fields["rows_of_one"] = rows_of_one(output, target)
        if function in _CLASSES_AT and output.dim() > 1:
            fields.update(_simplex(values, _CLASSES_AT[function]))
        if function == "poisson_nll_loss":
            fields["log_input"] = bool(options.get("log_input", True))
        if function == "cross_entropy" and options.get("label_smoothing"):
            fields["label_smoothing"] = float(options["label_smoothing"])
        self._writer.write("loss", **fields)

    def describe_expression(self, step: int, loss: torch.Tensor) -> None:
        """The records of the differences that a hand-written loss is made of.

        Where none was heard of, as within TorchScript, the graph still shows some without their targets. An update in
        which nothing was listened to tells nothing: the same loss would get another place.
        """
        differences = self._differences
        repeated = graph.repeated_softmax(loss)
        site = None if repeated is None else self._new_site(here())
        if repeated is not None and site is not None:
            self._writer.write(
                "loss", step=step, site=site, function=EXPRESSION, location=here(),
                input_shape=list(repeated.shape), head="log_softmax", beneath=repeated.beneath, value=_value(loss),
            )  # fmt: skip
            return
        compared = differences.beneath(loss)
        for each in compared:
            self._describe_difference(step, loss, each)
        seen = not compared and (differences.watches or differences.compiles)
        found = (graph.difference(loss) or graph.spread(loss)) if seen else None
        if found is None:
            return
        site = self._new_site(here())
        if site is not None:
            grown = _count(found.result_shape) > _count(found.prediction_shape) and not found.paired
            self._writer.write(
                "loss", step=step, site=site, function=EXPRESSION, location=here(),
                input_shape=list(found.prediction_shape), head=found.head, broadcast=grown, value=_value(loss),
            )  # fmt: skip

    def _describe_difference(self, step: int, loss: torch.Tensor, compared: Compared) -> None:
        site = self._new_site(compared.location)
        if site is None:
            return
        output, target = compared.output, compared.target.float()
        fields = _target(compared.like or REGRESSING[0], output, target, {})
        if compared.like is None:
            fields["baseline"] = None
        values, bounds = _thinned(output), ranges.range_of(output)
        found = graph.difference(loss) or graph.spread(loss)
        grown = found is not None and _count(found.result_shape) > _count(found.prediction_shape)
        fields["broadcast"] |= grown and found is not None and not found.paired
        self._writer.write(
            "loss", step=step, site=site, function=EXPRESSION, location=compared.location,
            input_shape=list(output.shape), head=graph.head(output), value=_value(loss),
            minimum=float(values.min()), maximum=float(values.max()),
            reach=None if bounds is None else _reach(bounds, target),
            rows_of_one=rows_of_one(output, compared.target), **fields,
        )  # fmt: skip

    def _new_site(self, location: dict[str, Any] | None) -> int | None:
        """The number of the line of a hand-written loss; None where it was described in this update."""
        site = self._site(EXPRESSION, location)
        if site in self._described:
            return None
        self._described.add(site)
        return site

    def _site(self, function: str, location: dict[str, Any] | None) -> int:
        key = (function, (location["file"], location["line"]) if location else None)
        return self._sites.setdefault(key, len(self._sites))


def _value(loss: torch.Tensor) -> float | None:
    return float(loss.detach()) if loss.numel() == 1 else None


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for n in shape:
        count *= n
    return count


def _thinned(output: torch.Tensor) -> torch.Tensor:
    """A few rows, evenly spaced. Shapes: (N, ...) -> (4 <= n <= 32, ...), single precision."""
    values = output.detach()
    if values.dim() > 1:
        long = values[0].numel() if len(values) else 1
        most = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_VALUES // max(1, long)))
        values = values[:: max(1, -(-values.shape[0] // most))]
    return values.float()


def _simplex(values: torch.Tensor, classes: int) -> dict[str, float]:
    """Shares of rows that are probabilities, and that are logarithms of probabilities.

    classes: the axis of the classes. Shapes: values (N, C), (N, C, d1, ...), or (T, N, C)
    """
    rows = values.transpose(classes, -1).reshape(-1, values.shape[classes])
    if rows.shape[1] < 2:
        return {}
    sums = rows.sum(1)
    probable = (rows >= 0).all(1) & ((sums - 1).abs() < _ON_SIMPLEX)
    logarithmic = (rows <= _ON_SIMPLEX).all(1) & (rows.logsumexp(1).abs() < _ON_SIMPLEX)
    return {
        "simplex_share": float(probable.float().mean()),
        "log_simplex_share": float(logarithmic.float().mean()),
    }


def _target(
    function: str, output: torch.Tensor, target: torch.Tensor, options: dict[str, Any]
) -> dict[str, Any]:
    fields: dict[str, Any] = {"target_shape": list(target.shape)}
    values = target.detach()
    if values.is_floating_point() and values.numel():
        values = values.float()
        fields["target_minimum"], fields["target_maximum"] = float(values.min()), float(values.max())
        fields["target_std"] = float(values.std(unbiased=False))
        if function in REGRESSING and output.numel():
            given = output.detach().float()
            fields["mean"], fields["std"] = float(given.mean()), float(given.std(unbiased=False))
            fields["target_mean"] = float(values.mean())
        if values.dim() > 1 and values.shape[-1] > 1:
            hot = ((values == 0) | (values == 1)).all() & (values.sum(-1) == 1).all()
            fields["target_one_hot"] = bool(hot)
    elif function in CLASSIFYING and values.numel():
        kept = values[(values != options.get("ignore_index", -100)) & (values >= 0)]
        shares = torch.bincount(kept.flatten()).float() / max(1, kept.numel())
        shares = shares[shares > 0]
        fields["baseline"] = float(-(shares * shares.log()).sum())
    if function in REGRESSING:
        fields["broadcast"] = _broadcast(output, target)
        fields["baseline"] = _best_constant(function, values.float(), options) if values.numel() else None
    return fields


def _reach(bounds: ranges.Range, target: Any) -> dict[str, Any]:
    """What the network can answer, and how much of a regression's target lies outside of it."""
    fields: dict[str, Any] = {"operation": bounds.operation, "low": bounds.low, "high": bounds.high}
    if isinstance(target, torch.Tensor) and target.is_floating_point() and target.numel():
        values = target.detach()
        size = max((abs(end) for end in (bounds.low, bounds.high) if math.isfinite(end)), default=0.0)
        slack = _SLACK * (size or float(values.abs().max()))
        beyond = (values < bounds.low - slack) | (values > bounds.high + slack)
        fields["beyond"] = float(beyond.float().mean())
    return fields


def _best_constant(function: str, values: torch.Tensor, options: dict[str, Any]) -> float:
    """The loss of one number for all targets: their mean, or their median where that is better."""
    if function == "mse_loss":
        return float(values.var(unbiased=False))
    return min(_difference(function, (values - c).abs(), options) for c in (values.mean(), values.median()))


def _difference(function: str, distance: torch.Tensor, options: dict[str, Any]) -> float:
    """Mean of a regression loss over these absolute differences; not by torch's own function, which is watched."""
    if function == "l1_loss":
        return float(distance.mean())
    bend = float(options.get("beta" if function == "smooth_l1_loss" else "delta", 1.0))
    if bend == 0:
        return float(distance.mean())
    huber = torch.where(distance < bend, 0.5 * distance.square(), bend * (distance - 0.5 * bend)).mean()
    return float(huber) / (bend if function == "smooth_l1_loss" else 1.0)


def _broadcast(output: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether the loss compares every element with several: the result is larger than either side.

    Not where both have three axes or more, as many as each other: an axis of one that was put there by hand, as in
    (B, N, 1) against (B, 1, M), asks for all pairs, as the quantiles of a distribution against those of another.
    """
    if output.shape == target.shape or output.dim() == target.dim() >= _PAIRED:
        return False
    together = _count(tuple(torch.broadcast_shapes(output.shape, target.shape)))
    return together > max(output.numel(), target.numel())
