"""The reports that every format is tested on: one ill, one healthy, one that is out to harm."""

import math
from typing import Any

from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.report import (
    Baseline,
    ChangedThreshold,
    Conditions,
    ConditionVerdict,
    Confidence,
    Contraindication,
    Criterion,
    Evidence,
    Exit,
    Finding,
    LagProfile,
    NotAssessed,
    Observation,
    Prescription,
    Profiles,
    RecurrentLayer,
    Remark,
    Report,
    RulePage,
    Subject,
    Suppressed,
    Tool,
    Trial,
)
from rnn_doctor.schema.signals import Measurement, Signal
from rnn_doctor.schema.values import Location

_SUBJECT = Subject(
    script="train.py",
    arguments=("--epochs", "3"),
    python="3.11.9",
    torch="2.13.0",
    platform="Linux-x86_64",
    recurrent=(
        RecurrentLayer(
            name="encoder",
            kind="LSTM",
            hidden_size=128,
            num_layers=2,
            location=Location(file="train.py", line=18, code="self.encoder = nn.LSTM(8, 128, 2)"),
        ),
        RecurrentLayer(name="decoder", kind="GRU", hidden_size=64),
    ),
    optimizers=("SGD",),
    parameters=242_177,
)
_OBSERVATION = Observation(
    steps=50,
    evaluations=0,
    stopped="the requested number of steps was reached",
    seconds=4.2,
    probe_seconds=0.05,
    probe_share=0.012,
)
_NO_VALIDATION = "no evaluation was seen"
_NO_LAG = "the lag that the task needs is not known; pass --lag to have it judged"
_NOT_ASSESSED = (
    NotAssessed(
        what="RD101 vanishing-gradient-through-time", condition="vanishing_gradients", reason=_NO_LAG
    ),
    NotAssessed(what="RD501 overfitting", condition="overfitting", reason=_NO_VALIDATION),
)
_UNASSESSED = ConditionVerdict(verdict="not_assessed", reason=f"{_NO_LAG} (RD101)")
_SIGNALS = (
    Signal(name="input_std", unit="", by="module", measurements={"encoder": Measurement(value=104.2, n=12)}),
    Signal(name="loss_rise_max", unit="ratio", measurements={"run": Measurement(value=math.inf, n=50)}),
    Signal(name="validation_rise", unit="ratio", measurements={"run": Measurement(absent=_NO_VALIDATION)}),
)


def healthy() -> Report:
    """Nothing found; two conditions were examined, two could not be."""
    return Report(
        tool=Tool(version="0.0.0"),
        subject=_SUBJECT,
        observation=_OBSERVATION,
        conditions=Conditions(
            vanishing_gradients=_UNASSESSED,
            exploding_gradients=ConditionVerdict(
                verdict="absent", confidence="high", reason="no sign of gradient spikes (RD103)"
            ),
            overfitting=ConditionVerdict(verdict="not_assessed", reason=f"{_NO_VALIDATION} (RD501)"),
            slow_convergence=ConditionVerdict(
                verdict="absent", confidence="high", reason="no sign of step size too large (RD301)"
            ),
        ),
        findings=(),
        remedies=(),
        not_assessed=_NOT_ASSESSED,
        signals=_SIGNALS,
    )


def ill() -> Report:
    """A cause with a consequence on its heels, a warning on many layers, a note, and four remedies."""
    return healthy().model_copy(
        update={
            "conditions": Conditions(
                vanishing_gradients=_UNASSESSED,
                exploding_gradients=ConditionVerdict(
                    verdict="present",
                    confidence="high",
                    reason="The gradient norm jumps far above its running median",
                    findings=("RD103",),
                ),
                overfitting=ConditionVerdict(verdict="not_assessed", reason=f"{_NO_VALIDATION} (RD501)"),
                slow_convergence=ConditionVerdict(
                    verdict="present",
                    confidence="high",
                    reason="The recurrent layer's input is far out of scale",
                    findings=("RD403",),
                ),
            ),
            "findings": (_cause(), _consequence(), *_many(), _note()),
            "remedies": _remedies(),
            "profiles": Profiles(
                by_lag=(
                    _profile("encoder", -0.21, needed_lag=25, needed_lag_basis="--lag"),
                    _profile("encoder", -0.3, layer=0),
                    _profile("encoder", -0.02, layer=1),
                    _profile("decoder", 0.1, 12),
                )
            ),
        }
    )


def _profile(module: str, decades_a_step: float, longest: int = 34, **fields: Any) -> LagProfile:
    lags = tuple(range(longest + 1))
    decades = tuple(decades_a_step * lag for lag in lags)
    return LagProfile(module=module, step=50, lags=lags, decades=decades, **fields)


def _cause() -> Finding:
    return Finding(
        rule="RD403",
        name="unscaled-inputs",
        severity="error",
        confidence=Confidence(word="high", because="15 of 15 injected faults found, 0 of 180 healthy runs"),
        condition="slow_convergence",
        subject="encoder",
        location=Location(
            file="train.py", line=31, function="Model.forward", code="output, _ = self.encoder(x)"
        ),
        message="The input of encoder has a standard deviation of 104, which saturates 92 % of its gates.",
        evidence=(
            Evidence(
                signal="input_std",
                value=104.2,
                unit="",
                threshold="> 10",
                because="inputs of healthy training scripts stay below 3; at 10 gates begin to saturate",
            ),
            Evidence(
                signal="input_drive", value=0.92, interval=(0.88, 0.95), unit="share", threshold="> 0.5"
            ),
            Evidence(signal="input_absmax", value=12345.6, unit=""),
        ),
        explains=("RD103",),
    )


def _consequence() -> Finding:
    return Finding(
        rule="RD103",
        name="gradient-spikes",
        severity="error",
        confidence=Confidence(word="high", because="14 of 15 injected faults found, 0 of 180 healthy runs"),
        condition="exploding_gradients",
        subject="run",
        location=Location(file="train.py", line=57, code="loss.backward()"),
        message="The gradient norm jumped to 230 times its running median.",
        evidence=(
            Evidence(
                signal="grad_norm_spike_max",
                value=230.4,
                unit="ratio",
                threshold="> 100",
                because="healthy runs stay below 12",
            ),
        ),
        explained_by=("RD403",),
    )


def _many() -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule="RD308",
            name="parameters-never-change",
            severity="warning",
            confidence=Confidence(word="certain", because="bit-identical values need no statistics"),
            condition="slow_convergence",
            subject=f"blocks.{number}",
            message=f"The weights of blocks.{number} are bit-identical after 50 updates.",
            evidence=(Evidence(signal="unchanged_tensors", value=4, unit="tensors", threshold="> 0"),),
        )
        for number in range(5)
    )


def _note() -> Finding:
    return Finding(
        rule="RD410",
        name="dropout-without-effect",
        severity="note",
        confidence=Confidence(word="certain", because="a property of the layer"),
        condition="overfitting",
        subject="decoder",
        location=Location(file="train.py", line=19, code="self.decoder = nn.GRU(8, 64, dropout=0.5)"),
        message="decoder has one layer, so its dropout does nothing.",
        evidence=(
            Evidence(
                signal="dropout_single_layer",
                value=True,
                unit="claim",
                threshold="is true",
                because="PyTorch applies it between layers alone",
            ),
        ),
    )


def _remedies() -> tuple[Prescription, ...]:
    return (
        Prescription(
            rank=1,
            id="standardize-inputs",
            title="Standardize the inputs",
            addresses=("RD403",),
            because="brings the inputs to the scale that the gates respond to",
            basis="certain",
            effort="data",
            how="mean, std = train_x.mean((0, 1)), train_x.std((0, 1))\n\noutput, _ = rnn((x - mean) / std)",
            cautions=("Take mean and deviation from the training data alone and keep them with the model.",),
            sources=("LeCun, Bottou, Orr, Mueller 1998, Efficient BackProp, sec. 4.3",),
        ),
        Prescription(
            rank=2,
            id="lower-learning-rate",
            title="Lower the learning rate",
            addresses=("RD103",),
            because="smaller steps leave the steep region more slowly",
            basis="trial",
            trial=Trial(
                arms=("the learning rate times 0.1",),
                effect=-0.41,
                interval=(-0.5, -0.3),
                p_value=0.001,
                steps=40,
                repeats=3,
                verdict="helps",
                gone=("RD103",),
            ),
            effort="setting",
            how="optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)",
        ),
        Prescription(
            rank=3,
            id="clip-gradient-norm",
            title="Clip the gradient norm before the update",
            addresses=("RD103",),
            because="bounds the step whatever the gradient does",
            basis="literature",
            effort="line",
            how="torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)",
            cautions=("Does not help vanishing gradients.",),
        ),
        Prescription(
            rank=4,
            id="dropout",
            title="Put dropout on the connections between layers",
            addresses=("RD410",),
            because="acts where the layer's own argument does not",
            basis="literature",
            effort="line",
            how="drop = torch.nn.Dropout(0.5)",
        ),
    )


_RECORD = Record(right=14, of=15, interval=(0.681, 0.998))


def full() -> Report:
    """The ill report with all that a report may hold: pages of its rules, fingerprints, a baseline, suppressions."""
    report = ill()
    marked = [
        finding.model_copy(update={"fingerprint": f"{number:016x}", "change": "new"})
        for number, finding in enumerate(report.findings)
    ]
    first, second, *rest = marked
    sure = first.confidence.model_copy(update={"bench": _RECORD})
    suppressed = _note().model_copy(update={"subject": "encoder", "fingerprint": "f" * 16})
    return report.model_copy(
        update={
            "findings": (
                first.model_copy(update={"confidence": sure, "change": "worse", "was": "warning"}),
                second.model_copy(update={"change": "known"}),
                *rest,
            ),
            "contraindications": (
                Contraindication(
                    id="clip-gradient-norm",
                    title="Clip the gradient norm before the update",
                    rules=("RD403",),
                    because="the gradient is small already",
                ),
            ),
            "rules": ("RD103", "RD308", "RD401", "RD403", "RD410", "RD501"),
            "rulebook": tuple(map(_page, ("RD103", "RD308", "RD401", "RD403", "RD410", "RD501"))),
            "thresholds": (ChangedThreshold(rule="RD403", signal="input_std", shipped="> 10", used="> 20"),),
            "suppressed": (Suppressed(finding=suppressed, reason="as in the paper"),),
            "remarks": (Remark(location=Location(file="train.py", line=3), text="it suppresses nothing"),),
            "baseline": Baseline(gone=(suppressed.model_copy(update={"fingerprint": "e" * 16}),)),
            "exit": Exit(code=1, failing=(first.fingerprint,)),
        }
    )


def _page(rule: str) -> RulePage:
    names = {finding.rule: finding.name for finding in ill().findings}
    return RulePage(
        id=rule,
        name=names.get(rule, "of-another-kind"),
        severity="error",
        condition="slow_convergence",
        confidence="high",
        confidence_because="14 of 15 injected faults found",
        summary="What is found.",
        why="A gate of `nn.LSTM` is open\nor shut.\n\nThe rest {follows} from that.",
        when=(Criterion(signal="input_std", threshold="> 10", because="healthy inputs stay below 3"),),
        limits="It sees the first batch alone.",
        sources=("LeCun et al. 1998, Efficient BackProp, sec. 4.3",),
    )


HOSTILE = "\x1b[31m[bold]\x07evil\r\n\u202e[/bold]\x9b2J\x00"
"""Escape sequences, markup, line breaks, a right-to-left override, NUL."""


def hostile() -> Report:
    """A report in which every text that a script or a log can choose is out to harm."""
    finding = _cause().model_copy(
        update={
            "subject": HOSTILE,
            "message": HOSTILE,
            "location": Location(file=HOSTILE, line=1, function=HOSTILE, code=HOSTILE),
            "evidence": (
                Evidence(signal="s", value=HOSTILE, unit=HOSTILE, threshold=HOSTILE, because=HOSTILE),
            ),
        }
    )
    return ill().model_copy(
        update={
            "subject": _SUBJECT.model_copy(
                update={
                    "script": HOSTILE,
                    "arguments": (HOSTILE,),
                    "recurrent": (RecurrentLayer(name=HOSTILE, kind="LSTM", hidden_size=1),),
                    "optimizers": (HOSTILE,),
                }
            ),
            "observation": _OBSERVATION.model_copy(update={"stopped": HOSTILE}),
            "conditions": Conditions(
                vanishing_gradients=ConditionVerdict(verdict="not_assessed", reason=HOSTILE),
                exploding_gradients=ConditionVerdict(verdict="not_assessed", reason=HOSTILE),
                overfitting=ConditionVerdict(verdict="not_assessed", reason=HOSTILE),
                slow_convergence=ConditionVerdict(verdict="present", reason=HOSTILE, findings=("RD403",)),
            ),
            "findings": (finding,),
            "not_assessed": (NotAssessed(what=HOSTILE, reason=HOSTILE),),
            "profiles": Profiles(
                by_lag=(_profile(HOSTILE, -math.inf, needed_lag=3, needed_lag_basis=HOSTILE),)
            ),
        }
    )
