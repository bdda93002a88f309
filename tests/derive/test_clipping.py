"""Steps as they would be without clipping."""

import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, log, measure, samples, steps, value_of, weight

AT = (1, 3, 8, 21, 50)


def run(kept: float | None, made: float = 1e-4) -> RunLog:
    """Gradients of norm 2, of which so much was kept."""
    clipped = steps([1.0] * 50, [2.0] * 50, clipped_norm=None if kept is None else 2 * kept)
    return log(adam(kind="SGD"), weight(), clipped, samples(AT, update_norm=(made,)))


def test_what_was_cut_off_is_given_back() -> None:
    assert value_of("path_unclipped", run(0.02)) == pytest.approx(5e-3)
    assert value_of("path_unclipped", run(0.02, made=3e-6)) == pytest.approx(1.5e-4)


def test_without_clipping_it_is_what_was_made() -> None:
    assert value_of("path_unclipped", run(None)) == pytest.approx(1e-4)


def test_clipped_before_the_scaler_divides() -> None:
    scaled = steps([1.0] * 3, clip_limit=1.0, clip_scale=1024.0)
    run = log(scaled, steps([1.0], clip_limit=1.0), steps([1.0] * 9))
    assert value_of("clip_scaled_share", run) == 0.75
    assert value_of("clip_scale_median", run) == 1024
    assert value_of("clip_scaled_share", log(steps([1.0] * 9))) == 0


def test_absent() -> None:
    assert measure("clip_scaled_share", log()).absent
    assert measure("clip_scale_median", log(steps([1.0], clip_limit=1.0))).absent
    assert "nothing" in (measure("path_unclipped", run(0.0)).absent or "")
    assert measure("path_unclipped", log()).absent
