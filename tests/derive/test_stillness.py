"""Why nothing moves."""

from typing import Any

import pytest

from rnn_doctor.schema.runlog import Place, RunLog, Stop
from tests.derive.logs import adam, at, log, lstm, measure, samples, steps, value_of, weight

RUN = steps([1.0] * 8)
AT = [1, 2, 3, 5, 8]
PLACES = [
    Place(record="place", step=1, role="zero_grad", location=at(40)),
    Place(record="place", step=1, role="backward", location=at(41)),
]


def run(used: bool | None, gradient: float | None, moved: float = 0.0, **optimizer: Any) -> RunLog:
    still = samples(AT, lambda _: moved, grad_norm=(gradient,))
    return log(adam(**optimizer), lstm(), weight(used=used), RUN, still, PLACES)


@pytest.mark.parametrize(
    ("used", "gradient", "cause", "line"),
    [
        (False, None, "unreached", at(41)),
        (True, None, "cleared", at(40)),
        (True, 0.0, "flat", at(41)),
        (True, 1e-18, "other", lstm().location),
        (True, float("nan"), "other", lstm().location),
    ],
)
def test_the_cause_and_the_line_to_blame(
    used: bool, gradient: float | None, cause: str, line: object
) -> None:
    seen = run(used, gradient)
    assert value_of("nothing_moves", seen) == cause
    assert measure("unchanged_tensors", seen, "lstm").location == line


def test_the_first_update_does_not_tell_what_was_cleared() -> None:
    first = samples([1], lambda _: 0.0, grad_norm=(0.3,))
    later = samples(AT[1:], lambda _: 0.0, grad_norm=(None,))
    assert value_of("nothing_moves", log(adam(), lstm(), weight(), RUN, first, later, PLACES)) == "cleared"


def test_something_moves() -> None:
    assert value_of("nothing_moves", run(True, None, moved=1e-9)) == "other"


def test_an_optimizer_at_rate_0_moves_nothing_by_itself() -> None:
    still = samples(AT, lambda _: 0.0, grad_norm=(0.3,))
    resting = log(adam(lr=(0.0,)), lstm(), weight(), steps([1.0] * 8, lr=0.0), still)
    assert value_of("nothing_moves", resting) == "other"


def test_what_is_changed_by_hand_is_not_judged() -> None:
    still = samples(AT, lambda _: 0.0, grad_norm=(None,))
    by_hand = log(adam(), lstm(), weight(), steps([1.0] * 8, optimizers=()), still)
    assert value_of("nothing_moves", by_hand) == "other"


def test_unknown() -> None:
    assert "graph" in (measure("nothing_moves", run(None, None)).absent or "")
    early = log(adam(), lstm(), weight(), RUN, samples([1], lambda _: 0.0))
    assert "needed" in (measure("nothing_moves", early).absent or "")


def stop(reason: str, backwards: int) -> Stop:
    return Stop.model_validate(
        {
            "record": "stop", "step": 0, "reason": reason, "seconds": 1.0, "probe_seconds": 0.1,
            "backwards": backwards,
        }
    )  # fmt: skip


STEP = Place(record="place", step=1, role="step", location=at(42))


@pytest.mark.parametrize(
    ("reason", "backwards", "others", "count"),
    [
        ("script_end", 89, [], 89),
        ("script_end", 89, [STEP], 0),  # the step of an optimizer that asks for the loss itself
        ("time", 89, [], 0),  # of one update, perhaps
        ("time", 500, [], 500),
        ("script_end", 3, [RUN], 0),
    ],
)
def test_backward_passes_without_an_update(
    reason: str, backwards: int, others: list[Any], count: int
) -> None:
    seen = log(adam(), lstm(), weight(), PLACES, stop(reason, backwards), *others)
    assert value_of("backwards_without_update", seen) == count


def test_backward_passes_that_are_not_judged() -> None:
    for parts, reason in (([], "no training step"), ([stop("script_end", 9)], "no optimizer")):
        assert reason in (measure("backwards_without_update", log(lstm(), *parts)).absent or "")
