"""What is tried of a report, and that every remedy says the truth about it."""

from typing import Any

import pytest

from rnn_doctor import pipeline
from rnn_doctor.capture.probe.interventions.applying import INTERVENTIONS
from rnn_doctor.schema.report import Contraindication, Report
from rnn_doctor.trials.arms import WAYS, Clues, arms, standing_in_the_way
from tests.render import reports

CLUES = Clues(norms=(2.0, 3.0, 4.0, 5.0, 100.0, 1e9), limit=0.5, lag=20, steps=50)
UNKNOWN = Clues(norms=(), limit=None, lag=None, steps=50)


def ill(**fields: Any) -> Report:
    return reports.ill().model_copy(update=fields)


@pytest.mark.parametrize("remedy", sorted(pipeline.rulebook().remedies))
def test_a_page_says_that_a_trial_applies_it_where_one_does(remedy: str) -> None:
    plan = pipeline.rulebook().remedies[remedy].trial
    assert plan is not None
    assert (plan.applies != "no") == (remedy in WAYS)


@pytest.mark.parametrize("remedy", WAYS)
@pytest.mark.parametrize("clues", [CLUES, UNKNOWN], ids=["known", "unknown"])
def test_every_way_is_an_intervention_that_can_be_made(remedy: str, clues: Clues) -> None:
    for name, values, words in WAYS[remedy](clues):
        INTERVENTIONS[name](**values)
        assert words[0].islower() or words.startswith("Adam")


def test_sizes_come_from_the_run() -> None:
    limits = [values["limit"] for _, values, _ in WAYS["clip-gradient-norm"](CLUES)]
    assert limits == [1.0, 4.0], "of the first updates, before anything exploded"
    assert WAYS["clip-before-step"](CLUES)[0][1] == {"limit": 0.5}
    assert WAYS["chrono-initialization"](CLUES)[0][1] == {"lag": 20}
    assert WAYS["learning-rate-warmup"](CLUES)[0][1] == {"updates": 25}
    for remedy in ("clip-before-step", "chrono-initialization", "raise-clip-threshold"):
        assert WAYS[remedy](UNKNOWN) == [], "what needs a size that is not known"


def test_what_is_recommended_comes_first_and_other_rates_always() -> None:
    found = [(arm.remedy, arm.values) for arm in arms(ill(), CLUES)]
    recommended = [each.id for each in ill().remedies if each.id in WAYS]
    assert list(dict.fromkeys(remedy for remedy, _ in found))[: len(recommended)] == recommended
    assert [values for remedy, values in found if remedy == "lower-learning-rate"] == [
        {"factor": 0.1},
        {"factor": 0.01},
    ], "recommended: both of its ways"
    assert [values for remedy, values in found if remedy == "raise-learning-rate"] == [{"factor": 10.0}]


@pytest.mark.parametrize(("optimizer", "tried"), [("SGD", True), ("AdamW", False), ("RMSprop", False)])
def test_adam_is_tried_where_plain_sgd_trains(optimizer: str, tried: bool) -> None:
    report = ill(subject=ill().subject.model_copy(update={"optimizers": (optimizer,)}), contraindications=())
    assert any(arm.intervention == "adam" for arm in arms(report, CLUES)) == tried


def test_what_the_findings_warn_of_is_tried_where_it_is_asked_for_alone() -> None:
    warned = Contraindication(id="raise-learning-rate", title="t", rules=("RD301",), because="b")
    report = ill(remedies=(), contraindications=(warned,))
    assert "raise-learning-rate" not in {arm.remedy for arm in arms(report, CLUES)}
    assert {arm.remedy for arm in arms(report, CLUES, only=["raise-learning-rate"])} == {
        "raise-learning-rate"
    }


def test_a_certain_fault_that_no_trial_mends_goes_first() -> None:
    book = pipeline.rulebook().remedies
    assert standing_in_the_way(ill(), book) is None, "inputs are standardized by a trial"
    first = (
        ill().remedies[0].model_copy(update={"id": "pass-raw-logits", "title": book["pass-raw-logits"].title})
    )
    assert standing_in_the_way(ill(remedies=(first,)), book) == "Pass raw logits to the loss"
