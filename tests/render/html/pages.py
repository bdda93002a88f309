"""The reports that the page is tested on: those of the other formats, one with every picture, one out to harm."""

import math
from functools import cache
from typing import Any

from rnn_doctor.render.html.page import render, together
from rnn_doctor.schema.curves import Curve, GateCurve, StepCurves, UpdateCurve
from rnn_doctor.schema.report import Profiles, Report, TimeProfile
from tests.render import reports

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


@cache
def page(name: str) -> str:
    """The page of a report of tests/render/reports.py or of this module, by its name."""
    if name == "several":
        return together([drawn(), reports.healthy(), harmful()])
    if name == "drawn":
        return render(drawn())
    return render(harmful() if name == "harmful" else getattr(reports, name)())
