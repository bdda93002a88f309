from typing import Any

import pytest

from rnn_doctor.derive.one_batch import UNASKED
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.trials import BatchFit
from tests.derive.logs import log, measure, value_of

OTHERS = ("rate_x10", "rate_x0.1", "fresh", "adam", "fresh_adam", "rate_x100")
NAMES = (
    "batch_learned", "batch_loss_first", "batch_loss_last", "batch_updates", "batch_loss_left", "batch_cause",
)  # fmt: skip


def arm(name: str, *losses: float, **fields: Any) -> BatchFit:
    learned = bool(losses) and losses[-1] <= losses[0] / 2
    return BatchFit.model_validate(
        {"record": "batch_fit", "step": 4, "arm": name, "losses": losses, "learned": learned, **fields}
    )


def tried(own: float = 1.0, **left: float) -> RunLog:
    """Arms that begin at a loss of 2 and leave these shares of it; those that are not named, all of it."""
    shares = dict.fromkeys(OTHERS, 1.0) | left
    return log(arm("own", 2.0, 2 * own), *(arm(name, 2.0, 2 * share) for name, share in shares.items()))


def test_a_batch_that_is_learned() -> None:
    run = log(arm("own", 2.0, 1.5, 0.9))
    values = [value_of(name, run) for name in NAMES]
    assert values == [True, 2.0, 0.9, 2.0, pytest.approx(0.45), "none"]


@pytest.mark.parametrize(
    ("left", "cause"),
    [
        ({"rate_x10": 0.3}, "step_size"),
        ({"rate_x100": 0.8}, "step_size"),
        ({"adam": 0.5, "fresh_adam": 0.4}, "step_size"),
        ({"fresh": 0.5}, "initialization"),
        ({"fresh_adam": 0.5}, "initialization"),
        ({"fresh": 0.5, "rate_x0.1": 0.5}, "either"),
        ({"rate_x10": 0.88}, "open"),
        ({"rate_x10": 0.92, "fresh": 0.95}, "wiring"),
        ({}, "wiring"),
    ],
)
def test_the_change_that_helps_is_the_cause(left: dict[str, float], cause: str) -> None:
    run = tried(**left)
    assert value_of("batch_cause", run) == cause
    assert value_of("batch_learned", run) is False


def test_help_is_more_than_what_the_own_settings_come_to() -> None:
    assert value_of("batch_cause", tried(0.8, rate_x10=0.7)) == "open"
    assert value_of("batch_cause", tried(0.8, rate_x10=0.6)) == "step_size"


def test_a_loss_that_explodes_is_held_against_its_beginning() -> None:
    assert value_of("batch_cause", tried(40.0, **{"rate_x0.1": 30.0})) == "wiring"
    assert value_of("batch_cause", tried(40.0, **{"rate_x0.1": 0.4})) == "step_size"


def test_unit_of_the_loss_does_not_matter() -> None:
    run = tried(0.97, fresh=0.3)
    scaled = log(*(fit.model_copy(update={"losses": [7 * v for v in fit.losses]}) for fit in run.batch_fits))
    for name in ("batch_learned", "batch_loss_left", "batch_cause"):
        assert value_of(name, scaled) == value_of(name, run)
    assert value_of("batch_loss_first", scaled) == 7 * value_of("batch_loss_first", run)  # type: ignore[operator]


def test_arms_that_no_time_was_left_for() -> None:
    run = log(
        arm("own", 2.0, 2.0), arm("rate_x10", 2.0, 2.0), arm("fresh", absent="it was not done within 5 s")
    )
    assert (
        measure("batch_cause", run).absent
        == "the time for trials was over before a change that helps was found"
    )
    assert value_of("batch_loss_left", run) == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_reasons_why_it_is_not_known(name: str) -> None:
    unasked = measure(name, log())
    assert (unasked.absent, unasked.option) == (UNASKED, "--deep")
    tried = measure(name, log(arm("own", absent="it uses torch.compile")))
    assert tried.option is None
    assert tried.absent == "whether one batch can be learned could not be tried: it uses torch.compile"


@pytest.mark.parametrize("name", ["batch_learned", "batch_loss_left", "batch_cause"])
def test_a_loss_below_zero_has_no_half(name: str) -> None:
    assert "not above 0" in (measure(name, log(arm("own", -1.0, -2.0))).absent or "")
