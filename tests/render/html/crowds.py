"""Reports with much in them: many findings, long paths, writing that is not Latin, many modules, many trials."""

import math

from rnn_doctor.schema.report import (
    Confidence,
    Evidence,
    Finding,
    LagProfile,
    Profiles,
    RecurrentLayer,
    Report,
    TimeProfile,
    Trial,
)
from rnn_doctor.schema.values import Location
from tests.render import reports

LONG_PATH = (
    "experiments/2026-11/языковые-модели/" + "nested_package_of_the_group/" * 4 + "train_字符_model.py"
)
_SUBJECTS = (
    "エンコーダ.双方向層",
    "المشفر",
    "encoder.blocks.0.recurrent_layer.inner.cell_of_the_stack",
    "κύτταρο",
)
_EFFECTS = (
    (-0.9, (-1.1, -0.7)),
    (-0.41, (-0.5, -0.3)),
    (-0.2, (-0.45, 0.05)),
    (0.0, (-0.1, 0.1)),
    (0.35, (0.2, 0.5)),
    (0.1, (-math.inf, math.inf)),
    (math.nan, (math.nan, math.nan)),
)
"""Effects with intervals: clear ones, one that crosses 0, harm, an interval without ends, and none at all."""
_TITLES = (
    "Lower the learning rate",
    "Initialize the recurrent weights orthogonally, and scale the embedding",
)


def crowded() -> Report:
    """Thirty findings of a script far down, in modules whose names are not Latin."""
    findings = tuple(_finding(k) for k in range(30))
    layers = tuple(
        RecurrentLayer(name=name, kind="LSTM", hidden_size=512, num_layers=3) for name in _SUBJECTS
    )
    ill = reports.ill()
    return ill.model_copy(
        update={
            "subject": ill.subject.model_copy(
                update={
                    "script": LONG_PATH,
                    "arguments": ("--data", "/datasets/" + "long_name_of_a_corpus_" * 4, "--имя", "значение"),
                    "recurrent": layers,
                }
            ),
            "findings": findings,
            "profiles": Profiles(
                by_lag=tuple(_lags(name, layer) for name in _SUBJECTS for layer in (None, 0, 1, 2)),
                by_time=tuple(_times(name, layer) for name in _SUBJECTS for layer in (0, 1, 2)),
            ),
        }
    )


def _finding(number: int) -> Finding:
    severity = ("error", "warning", "note")[number % 3]
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return Finding.model_validate(
        {
            "rule": f"RD{310 + number // 2}",
            "name": "a-rule-with-quite-a-long-name-to-be-told",
            "severity": severity,
            "confidence": Confidence(word="moderate", because="seen in many runs, and in some healthy ones"),
            "subject": subject,
            "location": Location(
                file=LONG_PATH,
                line=1_000 + number,
                function="Trainer.training_step_with_a_long_name.<locals>.closure",
                code=f"результат, состояние = self.{subject}(входы, состояние)  # 注释 {'x' * 60}",
            ),
            "message": f"{subject} does what no recurrent layer should do, for the {number}th time in this report.",
            "evidence": (
                Evidence(signal="some_signal_with_a_long_name_max", value=12.5, unit="decades", threshold="> 3",
                         interval=(11.0, 14.0), because="healthy runs stay below 3"),
            ),
        }
    )  # fmt: skip


def _lags(name: str, layer: int | None) -> LagProfile:
    lags = tuple(range(200))
    rate = 0.02 * (1 + (layer or 0))
    return LagProfile(
        module=name, layer=layer, step=50, lags=lags, decades=tuple(-rate * lag for lag in lags), needed_lag=180.0,
        needed_lag_basis="a test of the batches",
    )  # fmt: skip


def _times(name: str, layer: int) -> TimeProfile:
    times = tuple(range(0, 480, 10))
    return TimeProfile(
        module=name,
        layer=layer,
        step=50,
        times=times,
        hidden_gradient=tuple(-0.01 * (1 + layer) * (470 - t) for t in times),
        hidden_norm=tuple(0.1 + 0.001 * t for t in times),
        cell_norm=tuple(0.2 + 0.01 * t for t in times),
    )


def tried() -> Report:
    """Remedies that were tried on the run, of every kind of effect, and one that was not."""
    ill = reports.ill()
    model = ill.remedies[1]
    remedies = tuple(
        model.model_copy(
            update={
                "rank": rank,
                "id": f"remedy-{rank}",
                "title": _TITLES[rank % 2],
                "trial": Trial(arms=("control", "with"), effect=effect, interval=interval, p_value=0.01, steps=40),
            }
        )
        for rank, (effect, interval) in enumerate(_EFFECTS, 1)
    )  # fmt: skip
    untried = ill.remedies[0].model_copy(update={"rank": len(remedies) + 1})
    return ill.model_copy(update={"remedies": (*remedies, untried)})
