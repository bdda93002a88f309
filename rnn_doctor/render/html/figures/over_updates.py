"""The training over its updates: losses, gradient norms, learning rate."""

from collections.abc import Sequence
from dataclasses import replace

from rnn_doctor.render.html.charts import lines
from rnn_doctor.render.html.figures.figure import NO_REASON, Figure, Key, Table, table
from rnn_doctor.render.html.words import figure
from rnn_doctor.schema.curves import Curve
from rnn_doctor.schema.report import Report

_GAP = Key("gap", "", "not a finite number")
_UPDATES = "update"


def losses(report: Report) -> Figure:
    """Training and validation loss, with the best validation marked."""
    curves = report.profiles.by_step
    shared = Figure(
        id="figure-loss",
        title="Loss",
        caption="Overfitting begins where the validation loss turns upward while the training loss goes on falling.",
    )
    if not (curves.loss.values or curves.validation.values):
        return _without(shared, curves.loss)
    series = _series(
        ("training loss", curves.loss, 1, False), ("validation loss", curves.validation, 2, True)
    )
    rules, key = [], _key(series)
    best = _best(curves.validation)
    told = [f"Training loss {_ends(curves.loss)}."] if curves.loss.values else []
    if best is not None:
        step, value = best
        overfits = any(f.condition == "overfitting" and f.rule == "RD501" for f in report.findings)
        words = f"overfits after update {step}" if overfits else f"best validation, update {step}"
        rules.append(lines.Rule(step, words))
        told.append(f"Validation loss {_ends(curves.validation)}, best {figure(value)} after update {step}.")
    elif not curves.validation.values:
        told.append(f"No validation curve: {curves.validation.absent or NO_REASON}.")
    if curves.uninformed_loss is not None:
        rules.append(lines.Rule(curves.uninformed_loss, "an answer that knows nothing", "y"))
        key += (Key("line", "rule", f"an answer that knows nothing, {figure(curves.uninformed_loss)}"),)
        told.append(f"An answer that knows nothing has {figure(curves.uninformed_loss)}.")
    return replace(
        shared,
        summary=" ".join(told),
        drawings=(("", lines.draw(lines.Chart(series, _UPDATES, "loss", rules=rules))),),
        key=key,
        tables=_tables(series),
    )


def norms(report: Report) -> Figure:
    """The gradient norm before and after clipping, with the limit and the spikes."""
    curves = report.profiles.by_step
    shared = Figure(
        id="figure-norms",
        title="Gradient norm",
        caption="Length of the whole gradient at each update. Flags mark norms above 10 times their running median.",
    )
    if not curves.grad_norm.values:
        return _without(shared, curves.grad_norm)
    series = _series(
        ("before clipping", curves.grad_norm, 1, False), ("as used", curves.clipped_norm, 2, False)
    )
    uncut = curves.clipped_norm.values == curves.grad_norm.values
    if len(series) == 1 or uncut:
        series = [lines.Series("gradient norm", series[0].xs, series[0].ys, 1)]
    limits = dict.fromkeys(curves.clip_limit.values)
    rules = [
        lines.Rule(limit, f"clip limit {figure(limit)}", "y")
        for limit in list(limits)[:1]
        if len(limits) == 1
    ]
    told = [f"Gradient norm {_ends(curves.grad_norm)}."]
    told.append(
        f"{len(curves.spikes)} spikes are flagged, at updates {', '.join(map(str, curves.spikes[:8]))}"
        f"{' and more' if len(curves.spikes) > 8 else ''}."
        if curves.spikes
        else "No spikes."
    )
    told.append(
        f"{'No update was cut' if uncut else 'Clipped'}; limit {figure(next(iter(limits)))}."
        if limits
        else f"{_sentence(curves.clip_limit.absent)}."
    )
    flags = [lines.Flag(step) for step in curves.spikes]
    drawn = lines.draw(lines.Chart(series, _UPDATES, "2-norm", rules=rules, flags=flags))
    return replace(
        shared,
        summary=" ".join(told),
        drawings=(("", drawn),),
        key=(
            *_key(series),
            *(Key("line", "rule", rule.text) for rule in rules),
            *([Key("flag", "", "spike")] if flags else []),
        ),
        tables=_tables(series),
    )


def learning_rate(report: Report) -> Figure | None:
    """The learning rate, where it changes; None where it does not: a sentence elsewhere says enough."""
    curve = report.profiles.by_step.learning_rate
    if len(set(curve.values)) < 2:
        return None
    series = _series(("learning rate", curve, 1, False))
    return Figure(
        id="figure-rate",
        title="Learning rate",
        caption="Of the first parameter group, as each update used it.",
        summary=f"Learning rate {_ends(curve)}.",
        drawings=(("", lines.draw(lines.Chart(series, _UPDATES, "learning rate"))),),
        key=_key(series),
        tables=_tables(series),
    )


def _without(shared: Figure, curve: Curve) -> Figure:
    return replace(shared, absent=curve.absent or NO_REASON)


def _series(*curves: tuple[str, Curve, int, bool]) -> list[lines.Series]:
    """Those that hold something."""
    return [lines.Series(name, c.steps, c.values, tone, dots) for name, c, tone, dots in curves if c.values]


def _key(series: Sequence[lines.Series]) -> tuple[Key, ...]:
    named = [Key("line", f"tone{each.tone}", each.name) for each in series]
    return (*named, _GAP) if lines.gaps(series) else tuple(named)


def _tables(series: Sequence[lines.Series]) -> tuple[Table, ...]:
    return tuple(
        table(("update", s.name), [(str(int(x)), figure(y)) for x, y in zip(s.xs, s.ys, strict=True)])
        for s in series
    )


def _best(curve: Curve) -> tuple[int, float] | None:
    """The smallest validation loss; None where there are too few to speak of a best, or the last is it."""
    points = [(v, s) for s, v in zip(curve.steps, curve.values, strict=True) if v - v == 0]
    if len(points) < 3:
        return None
    value, step = min(points)
    return (step, value) if step != points[-1][1] else None


def _ends(curve: Curve) -> str:
    """`goes from 4.2 to 2.9 over 50 updates, between 2.8 and 4.3`, with what is not finite told."""
    finite = [v for v in curve.values if v - v == 0]
    if not finite:
        return f"is never finite in {curve.seen} updates"
    odd = len(curve.values) - len(finite)
    gaps = "; some are not finite" if odd else ""
    return (
        f"goes from {figure(curve.values[0])} to {figure(curve.values[-1])} over {curve.seen} values, "
        f"between {figure(min(finite))} and {figure(max(finite))}{gaps}"
    )


def _sentence(clause: str | None) -> str:
    return (clause or NO_REASON)[:1].upper() + (clause or NO_REASON)[1:]
