"""Situations as signals, and the whole advice that the shipped rules give in them."""

from dataclasses import dataclass

from rnn_doctor import pipeline
from rnn_doctor.derive.registry import kinds
from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.prescribe.contraindications import contraindications
from rnn_doctor.prescribe.rank import remedies
from rnn_doctor.schema import reading
from rnn_doctor.schema.report import Contraindication, Finding, Prescription
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals
from rnn_doctor.settings import Settings
from tests.sample_logs import FOLDER

KINDS = kinds()
BOOK = load(signals=KINDS)
Values = dict[str, bool | float | str]


@dataclass(frozen=True)
class Advice:
    """What a report advises, and of what it warns."""

    findings: tuple[Finding, ...]
    remedies: tuple[Prescription, ...]
    contraindications: tuple[Contraindication, ...]

    @property
    def recommended(self) -> list[str]:
        return [remedy.id for remedy in self.remedies]

    @property
    def warned_of(self) -> set[str]:
        """What stands under "No remedy here", and what is recommended by one finding and warned of by another."""
        divided = {r.id for r in self.remedies if r.cautions and " warns of it: " in r.cautions[0]}
        return divided | {each.id for each in self.contraindications}

    def because(self, remedy: str) -> str:
        return next(each.because for each in self.contraindications if each.id == remedy)


def advice(**values: bool | float | str) -> Advice:
    """On signals of one layer and its run; whatever is not named was looked at in vain."""
    measured = {
        name: Signal.model_validate(
            {"name": name, "unit": "", "by": by, "measurements": {_subject(by): _measurement(name, values)}}
        )
        for name, by in KINDS.items()
    }
    found = diagnose(Signals(signals=measured), BOOK).findings
    ranked = remedies(found, BOOK)
    return Advice(found, ranked, contraindications(found, ranked, BOOK))


def advice_on(log: str, lag: int | None = None) -> Advice:
    """On a recorded run of sample_logs/."""
    report = pipeline.examine(reading.read(FOLDER / log), Settings(lag=lag))
    return Advice(report.findings, report.remedies, report.contraindications)


def _subject(by: str) -> str:
    return RUN if by == "run" else f"the {by}"


def _measurement(name: str, values: Values) -> Measurement:
    return Measurement(value=values[name]) if name in values else Measurement(absent="not looked at")
