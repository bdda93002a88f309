"""Examples that are alike: what their numbers say of the training data and of the validation."""

from typing import Any

import pytest

from rnn_doctor import pipeline
from rnn_doctor.schema.wiring import SharedExamples
from rnn_doctor.settings import Settings
from tests.derive.logs import (
    adam,
    evaluations,
    loader,
    log,
    loss_call,
    lstm,
    measure,
    steps,
    value_of,
    weight,
)


def shared(**fields: Any) -> SharedExamples:
    return SharedExamples(**{
        "record": "shared_examples", "step": 50, "examples": 800, "contradicting": 0, "held_out": 1,
        "held_out_examples": 200, "held_out_seen": 0, **fields,
    })  # fmt: skip


def run(found: SharedExamples | None = None, losses: tuple[float, ...] = (2.0, 1.9), **loads: Any) -> Any:
    validation = loader(1, trains=False, shuffled=False)
    records = [found] if found else []
    return log(steps([2.0] * 50), loader(**loads), validation, evaluations(losses), records)


def test_a_share_of_the_whole_data() -> None:
    whole = run(shared(held_out_seen=50), samples=800)
    assert value_of("validation_seen_examples", whole) == 50
    assert value_of("validation_seen_share", whole) == 0.25


@pytest.mark.parametrize(("seen", "least"), [(3, 0.6187), (10, 4.7954), (100, 81.36)])
def test_a_part_of_the_data_shows_a_part_of_it(seen: int, least: float) -> None:
    """Of a tenth of the training data: the exact lower bounds are those of a Poisson distribution."""
    part = run(shared(held_out_seen=seen), samples=8000)
    expected = min(1.0, 10 * least / 200)
    assert value_of("validation_seen_share", part) == pytest.approx(expected, rel=0.04)


def test_the_first_of_data_that_are_not_shuffled_say_nothing_of_the_rest() -> None:
    for other in ({"samples": 8000, "shuffled": False}, {"samples": None}):
        assert value_of("validation_seen_share", run(shared(held_out_seen=50), **other)) == 0.25


def test_equal_examples_within_the_training_data_explain_those_across() -> None:
    def by_nature(**fields: int) -> object:
        return value_of("validation_seen_by_nature", run(shared(**fields)))

    assert by_nature(held_out_seen=50, twins=0) is False
    assert by_nature(held_out_seen=50, twins=200) is True
    assert by_nature(held_out_seen=200, twins=790) is True
    assert by_nature(held_out_seen=8, twins=20) is True, "within the scatter"


def test_what_is_not_known() -> None:
    def why(of: Any) -> str | None:
        return measure("validation_seen_share", of).absent

    assert why(run()) == "no DataLoader gave batches whose examples could be told apart"
    assert why(run(shared(examples=15))) == "15 training examples were compared, 16 are needed"
    assert why(run(shared(held_out_examples=4))) == "4 validation examples were compared, 16 are needed"
    assert why(run(shared(held_out=None))) == "no DataLoader gave batches whose examples could be told apart"
    by_hand = log(steps([2.0] * 50), loader(), evaluations([1.0], loader=None), shared())
    assert why(by_hand) == "the script makes the batches that it validates on by hand"
    assert "no validation loss was computed" in str(why(log(steps([2.0] * 50), shared())))


def test_twins_and_contradictions() -> None:
    found = run(shared(twins=200, contradicting=80))
    assert value_of("training_twin_share", found) == 0.25
    assert value_of("contradicting_examples", found) == 80
    assert value_of("contradicting_share", found) == 0.1
    unknown = run(shared(contradicting=None))
    assert measure("contradicting_share", unknown).absent == (
        "which tensor of the training batches is the target is not told"
    )


def test_an_evaluation_on_the_training_data_is_no_validation() -> None:
    own = shared(same_data=True, held_out_seen=150)
    assert value_of("evaluations_observed", run(own)) == 0
    assert measure("validation_best", run(own)).absent == "the script evaluates on its training data alone"
    shared_out = shared(same_data=True, held_out_seen=0)
    assert value_of("evaluations_observed", run(shared_out)) == 2, "one dataset, shared out by samplers"
    both = log(
        steps([2.0] * 50),
        loader(),
        evaluations([1.0, 0.9, 0.8]),
        evaluations([2.0, 1.9], loader=2),
        own,
        shared(held_out=2),
    )
    assert value_of("evaluations_observed", both) == 2


@pytest.mark.parametrize(
    ("seen", "twins", "verdict", "severity"),
    [(100, 0, "not_assessed", "warning"), (100, 600, "absent", "note"), (0, 0, "absent", None)],
)
def test_no_overfitting_is_seen_on_examples_that_are_trained_on(
    seen: int, twins: int, verdict: str, severity: str | None
) -> None:
    falling = tuple(2.0 - 0.05 * k for k in range(10))
    found = log(
        lstm(),
        adam(),
        weight(),
        loss_call(),
        steps([2.0 - 0.02 * k for k in range(50)]),
        loader(samples=800, given=50),
        loader(1, trains=False),
        evaluations(falling),
        shared(held_out_seen=seen, twins=twins),
    )
    report = pipeline.examine(found, Settings())
    assert [f.severity for f in report.findings if f.rule == "RD505"] == ([severity] if severity else [])
    overfitting = report.conditions.overfitting
    assert overfitting.verdict == verdict
    if verdict == "not_assessed":
        assert (
            "RD505 validation-in-training-data was found, and hides what it looks for" in overfitting.reason
        )
