"""How far it reaches that nothing was found."""

from typing import Any

import pytest

from rnn_doctor import pipeline
from rnn_doctor.schema.runlog import Stop
from rnn_doctor.schema.validating import ExampleLosses, Rise
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


def stop(reason: Any) -> Stop:
    return Stop(record="stop", step=50, reason=reason, seconds=1.0, probe_seconds=0.0)


def by_examples(z: float) -> Any:
    """Two evaluations, the second so many standard errors above the first, and no gap to the training examples."""
    first, second = evaluations([2.0, 1.9], every=25)
    of = ExampleLosses(count=64, mean=1.9, std=0.5)
    rise = Rise(best_step=25, mean=0.01 * z, error=0.01, paired=True)
    return [first, second.model_copy(update={"examples": of, "trained": of, "rise": rise})]


def test_what_a_part_of_a_training_shows() -> None:
    run = log(steps([2.0] * 50), by_examples(-4.0), loader(given=50, samples=100), stop("steps"))
    assert value_of("watched_to_the_end", run) is False
    assert value_of("overfitting_outlook", run) == (
        "so far no sign of overfitting, by 2 evaluations in 50 updates, where the loss of the same examples still "
        "falls: what comes later they cannot show; `rnn-doctor record --steps all` watches the whole training"
    )
    stands = log(steps([2.0] * 50), by_examples(-1.0), loader(given=50, samples=100), stop("steps"))
    assert "still falls" not in str(value_of("overfitting_outlook", stands))
    once = log(steps([2.0] * 50), by_examples(-4.0), loader(given=50, samples=10**6), stop("steps"))
    assert "in 50 updates, in which no sample was seen twice:" in str(value_of("overfitting_outlook", once))
    drawn_anew = log(
        steps([2.0] * 50), by_examples(-4.0), loader(given=50, samples=10**6, passes=25), stop("steps")
    )
    assert "no sample was seen twice" not in str(value_of("overfitting_outlook", drawn_anew))


def test_what_a_whole_training_shows() -> None:
    whole = log(steps([2.0] * 50), by_examples(-4.0), stop("script_end"))
    assert value_of("watched_to_the_end", whole) is True
    assert value_of("overfitting_outlook", whole) == (
        "no sign of overfitting in 2 evaluations up to the end of the training"
    )


def test_what_is_not_known() -> None:
    assert measure("watched_to_the_end", log()).absent == "no training step was seen"
    one = log(steps([2.0] * 50), evaluations([2.0]))
    assert measure("overfitting_outlook", one).absent == "1 validation was seen, 2 are needed"


@pytest.mark.parametrize(
    ("reason", "provisional", "confidence"), [("steps", True, "hint"), ("script_end", False, "high")]
)
def test_the_verdict_says_how_far_it_reaches(reason: str, provisional: bool, confidence: str) -> None:
    run = log(
        lstm(), adam(), weight(), loss_call(), loader(given=50, samples=100),
        steps([2.0 - 0.02 * k for k in range(50)]), by_examples(-4.0), stop(reason),
    )  # fmt: skip
    verdict = pipeline.examine(run, Settings()).conditions.overfitting
    assert (verdict.verdict, verdict.provisional, verdict.confidence) == ("absent", provisional, confidence)
    assert verdict.reason == f"{value_of('overfitting_outlook', run)} (RD501)"


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_pages_say_so_far(form: str) -> None:
    from rnn_doctor.render import FORMATS

    def page(reason: str) -> str:
        run = log(
            lstm(), adam(), weight(), loss_call(), loader(given=50, samples=100),
            steps([2.0 - 0.02 * k for k in range(50)]), by_examples(-4.0), stop(reason),
        )  # fmt: skip
        return FORMATS[form](pipeline.examine(run, Settings()))

    assert "bsent so far" in page("steps")
    assert "bsent so far" not in page("script_end")
