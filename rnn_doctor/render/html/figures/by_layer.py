"""Layer by layer: how large the updates are, how far the gates are saturated."""

import math
from dataclasses import replace
from itertools import groupby

from rnn_doctor.render.html.charts import rows, scales
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, table
from rnn_doctor.render.html.words import figure, layer, name
from rnn_doctor.schema.curves import GateCurve
from rnn_doctor.schema.report import Report

_GROUPS = 12
_LAYERS = 6
_NAMES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "cell candidate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
    "n": "candidate",
    "h": "state",
}
_BOUNDED = frozenset("gnh")
"""tanh: both of its ends are saturation; a gate's are closed and open."""


def updates(report: Report) -> Figure:
    """Update over weight norm by layer: first and last sampled update, and the range between."""
    curves = report.profiles.updates
    shared = Figure(
        id="figure-updates",
        title="Update sizes by layer",
        caption="How far one update moves the weights, relative to their own size, over the sampled updates.",
    )
    if not curves:
        reason = report.profiles.absent.get("updates", NO_REASON)
        return replace(shared, absent=reason)
    labels = [layer(c.subject, c.layer, c.reverse) for c in curves]
    shown = list(zip(labels, curves, strict=True))[:_GROUPS]
    every = [ratio for _, c in shown for ratio in c.ratios]
    drawn = [
        rows.Range(
            name(text) + ("" if any(c.ratios) else ": no update at all"),
            min((r for r in c.ratios if math.isfinite(r) and r > 0), default=math.nan),
            max((r for r in c.ratios if math.isfinite(r)), default=math.nan),
            ((c.ratios[0], 2), (c.ratios[-1], 1)),
        )
        for text, c in shown
    ]
    more = f" {len(curves) - len(shown)} more are in the JSON report." if len(curves) > len(shown) else ""
    told = [
        f"{name(text)}: {figure(c.ratios[0])} at first, {figure(c.ratios[-1])} at last." for text, c in shown
    ]
    every_row = [
        (text, str(step), figure(ratio))
        for text, c in zip(labels, curves, strict=True)
        for step, ratio in zip(c.steps, c.ratios, strict=True)
    ]
    return replace(
        shared,
        summary=" ".join(told) + more,
        drawings=(
            (
                "",
                rows.ranges(
                    drawn, scales.logarithmic(every, most=7), "size of the update / size of the weights"
                ),
            ),
        ),
        key=(Key("dot", "tone2", "first sampled update"), Key("dot", "tone1", "last")),
        tables=(table(("weights", "update", "ratio"), every_row),),
    )


def gates(report: Report) -> Figure:
    """Shares of each gate closed, at work and open, at the first and the last look."""
    curves = [c for c in report.profiles.gates if c.steps]
    shared = Figure(
        id="figure-gates",
        title="Gates",
        caption="How much of each gate is closed, at work, or open, over units and time steps. Saturated gates "
        "pass hardly any gradient; an open forget or update gate is memory.",
    )
    if not curves:
        reason = report.profiles.absent.get("gates", NO_REASON)
        return replace(shared, absent=reason)
    layers = [list(g) for _, g in groupby(curves, key=lambda c: (c.module, c.layer, c.reverse))]
    told = [_words(c) for group in layers[:_LAYERS] for c in group]
    more = f" {len(layers) - _LAYERS} more layers are in the JSON report." if len(layers) > _LAYERS else ""
    every_row = [
        (layer(c.module, c.layer, c.reverse), _NAMES[c.gate], str(step), _percent(low), _percent(high))
        for c in curves
        for step, low, high in zip(c.steps, c.low, c.high, strict=True)
    ]
    first, last = min(c.steps[0] for c in curves), max(c.steps[-1] for c in curves)
    above = (
        f"Upper bar: update {first}, lower bar: update {last}." if first != last else f"At update {first}."
    )
    return replace(
        shared,
        caption=f"{shared.caption} {above}",
        summary=" ".join(told) + more,
        drawings=tuple(
            (
                layer(name(group[0].module), group[0].layer, group[0].reverse),
                rows.bars([_bars(c) for c in group], "share in %"),
            )
            for group in layers[:_LAYERS]
        ),
        key=(
            Key("cell", "part1", "closed (or −1)"),
            Key("cell", "part2", "at work"),
            Key("cell", "part3", "open (or +1)"),
        ),
        tables=(table(("layer", "gate", "update", "low", "high"), every_row),),
    )


def _bars(curve: GateCurve) -> rows.Bars:
    looks = sorted({0, len(curve.steps) - 1})
    return rows.Bars(
        _NAMES[curve.gate],
        [
            (
                f"update {curve.steps[k]}",
                ((1, curve.low[k]), (2, 1 - curve.low[k] - curve.high[k]), (3, curve.high[k])),
            )
            for k in looks
        ],
    )


def _words(curve: GateCurve) -> str:
    low, high = ("at −1", "at +1") if curve.gate in _BOUNDED else ("closed", "open")
    where = layer(name(curve.module), curve.layer, curve.reverse)
    return (
        f"{where}, {_NAMES[curve.gate]}: {_percent(curve.low[-1])} {low}, {_percent(curve.high[-1])} {high}."
    )


def _percent(share: float) -> str:
    return f"{figure(round(100 * share))} %" if share - share == 0 else figure(share)
