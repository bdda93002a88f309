"""The reports that the page is tested on: those of the other formats, one with every picture, one bare, one hostile."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from rnn_doctor.render.html.page import render, together
from rnn_doctor.schema.curves import Curve, GateCourse, GateCurve, StepCurves, UpdateCurve
from rnn_doctor.schema.expectation import Expected
from rnn_doctor.schema.imported import Column, ForeignLog
from rnn_doctor.schema.report import (
    Conditions,
    ConditionVerdict,
    Exit,
    Observation,
    Profiles,
    Report,
    TimeProfile,
)
from tests.render import reports
from tests.render.html import crowds

MARKUP = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></style></title></code></svg>{{ 7*7 }}"
    "{% raw %}<!--&lt;&#x3c;script&gt;"
)
"""Markup of pages and templates, quotes that end an attribute."""

_STEPS = tuple(range(1, 51))


def _curve(*values: float, steps: tuple[int, ...] = _STEPS, **fields: Any) -> Curve:
    return Curve(steps=steps[: len(values)], values=values, seen=len(values), **fields)


def drawn(**step_fields: Any) -> Report:
    """The ill report with every picture: a spike, clipping, overfitting, a layer that stands still, NaN at the end."""
    losses = [4 - 0.05 * k for k in range(48)] + [math.nan, math.inf]
    norms = [1.0 + 0.1 * (k % 3) for k in range(50)]
    norms[20] = 400.0
    fields: dict[str, Any] = {
        "loss": _curve(*losses),
        "validation": _curve(3.9, 3.2, 3.0, 3.3, 3.8, steps=(10, 20, 30, 40, 50)),
        "uninformed_loss": 4.1,
        "grad_norm": _curve(*norms),
        "clipped_norm": _curve(*(min(n, 2.0) for n in norms)),
        "clip_limit": _curve(*([2.0] * 50)),
        "spikes": (21,),
        "learning_rate": _curve(*(0.1 * 0.9**k for k in range(50))),
    }
    ill = reports.ill()
    profiles = Profiles(
        by_lag=ill.profiles.by_lag,
        by_time=tuple(_time(layer) for layer in (0, 1)),
        by_step=StepCurves(**fields | step_fields),
        updates=(
            UpdateCurve(subject="encoder", layer=0, steps=(1, 3, 50), ratios=(0.01, 0.02, 0.005)),
            UpdateCurve(subject="embedding", steps=(1, 3, 50), ratios=(0.0, 0.0, 0.0)),
        ),
        gates=tuple(
            GateCurve(
                module="encoder", layer=layer, gate=gate, steps=(1, 50), low=(0.0, 0.6), high=(0.1, 0.3)
            )
            for layer in (0, 1)
            for gate in ("i", "f", "g", "o")
        ),
        gate_courses=tuple(
            _course(layer, gate, step) for layer in (0, 1) for gate in ("i", "f", "o") for step in (1, 21, 50)
        ),
    )
    return ill.model_copy(update={"profiles": profiles})


def _time(layer: int) -> TimeProfile:
    times = tuple(range(20))
    return TimeProfile(
        module="encoder",
        layer=layer,
        step=50,
        times=times,
        hidden_gradient=tuple(-0.4 * (19 - t) for t in times),
        hidden_norm=(0.3,) * 20,
        cell_norm=tuple(0.5 + t for t in times),
    )


def _course(layer: int, gate: Any, step: int) -> GateCourse:
    times = tuple(range(20))
    mean = tuple(0.5 + 0.008 * step * math.tanh((t - 6) / 4) for t in times)
    return GateCourse(
        module="encoder",
        layer=layer,
        gate=gate,
        step=step,
        times=times,
        mean=mean,
        p10=tuple(max(0.0, m - 0.2) for m in mean),
        p90=tuple(min(1.0, m + 0.15) for m in mean),
    )


def harmful(text: str = MARKUP) -> Report:
    """Every text that a script or a log can choose is the given one, in a report with every picture."""

    def changed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: changed(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [changed(v, key) for v in value]
        return text if isinstance(value, str) and key in _FREE else value

    return Report.model_validate(changed(drawn().model_dump(mode="json")))


_FREE = {
    *("script", "arguments", "python", "torch", "platform", "optimizers", "stopped", "module", "name"),
    *("subject", "message", "file", "function", "code", "signal", "unit", "threshold", "because"),
    *("what", "reason", "how", "title", "cautions", "sources", "needed_lag_basis"),
}


def bare() -> Report:
    """A script that ended before it trained: no layer, no optimizer, no curve, no verdict."""
    healthy = reports.healthy()
    nothing = ConditionVerdict(verdict="not_assessed", reason="no training step was seen")
    return healthy.model_copy(
        update={
            "subject": healthy.subject.model_copy(
                update={"recurrent": (), "optimizers": (), "parameters": 0}
            ),
            "observation": Observation(steps=0, evaluations=0, stopped="the script failed with exit code 1"),
            "conditions": Conditions(**dict.fromkeys(Conditions.model_fields, nothing)),
            "not_assessed": (),
            "signals": (),
        }
    )


def failed() -> Report:
    """A training that died after 22 updates, in which nothing was found till then."""
    stopped = "the script failed: it raised RuntimeError: sizes 35 and 12 do not match at train.py:93"
    return reports.healthy().model_copy(
        update={"observation": Observation(steps=22, evaluations=1, stopped=stopped, failed=True)}
    )


def foreign() -> Report:
    """A log of metrics in which a column was taken for want of a better one."""
    columns = (
        Column(role="train_loss", name="loss<b>", values=60),
        Column(role="val_loss", name="test_loss", values=6, guessed=False),
    )
    log = ForeignLog(
        format="CSV",
        axis="update",
        columns=columns,
        unused=("accuracy",),
        doubts=("'test_loss' was taken for want of a validation loss",),
    )
    healthy = reports.healthy()
    subject = healthy.subject.model_copy(update={"imported": log, "recurrent": (), "optimizers": ()})
    return healthy.model_copy(update={"subject": subject})


def gated() -> list[Report]:
    """The scripts of a manifest: one as expected, one that fails, one with an error that is expected, one that died."""

    def held(report: Report, code: int, name: str, **fields: Any) -> Report:
        met = code == 0
        return report.model_copy(
            update={"expected": Expected(name=name, met=met, **fields), "exit": Exit(code=code)}
        )

    ill = reports.ill()
    return [
        held(reports.healthy(), 0, "lm"),
        held(ill, 1, "tagger", known=("RD410",), found=("RD410",)),
        held(ill, 0, "twin", expect=tuple({f.rule for f in ill.findings})),
        held(bare(), 3, "dies", note="it raised ImportError"),
    ]


_MADE: dict[str, Callable[[], Report]] = {
    "bare": bare,
    "drawn": drawn,
    "harmful": harmful,
    "failed": failed,
    "foreign": foreign,
    "crowded": crowds.crowded,
    "tried": crowds.tried,
}


NAMES = (
    *("healthy", "ill", "hostile", "full", "drawn", "harmful", "several", "crowded", "tried", "bare"),
    *("failed", "foreign", "gated"),
)
"""All pages that every test of the page looks at."""


@cache
def page(name: str) -> str:
    """The page of a report of this module or of tests/render/reports.py, by its name."""
    if name == "several":
        return together([drawn(), reports.healthy(), harmful()])
    if name == "gated":
        return together(gated())
    made = _MADE.get(name) or getattr(reports, name)
    return render(made())
