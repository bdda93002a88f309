"""How large the updates are, layer by layer."""

import math
from dataclasses import replace

from rnn_doctor.render.html.charts import rows, scales
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, table
from rnn_doctor.render.html.words import figure, layer, name, wrapped
from rnn_doctor.schema.report import Report

_GROUPS = 12


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
            name(text) if any(c.ratios) else wrapped(f"{text}: no update at all"),
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
