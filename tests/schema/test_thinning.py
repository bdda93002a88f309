"""A log of many steps in bounded memory: what is kept, and that signals come out the same."""

import math
import random
from itertools import pairwise

import pytest

from rnn_doctor import observed
from rnn_doctor.derive.signals import signals
from rnn_doctor.derive.view import View
from rnn_doctor.schema import reading
from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.runlog import Record, RunLog, Step
from rnn_doctor.schema.signals import RUN, Signals
from rnn_doctor.schema.thinning import BLOCK, MOST, LongSeries, Sudden
from rnn_doctor.schema.validating import Evaluation
from tests.derive.logs import HEADER, adam, log, lstm, samples

LONG = 20_000
SPIKES = (5_000, 12_345, 12_400)


def series(count: int, most: int = 1_000, stride: int = 1) -> LongSeries[int]:
    made: LongSeries[int] = LongSeries(most)
    for k in range(1, count + 1):
        made.add(k * stride, k * stride)
    return made


def test_a_short_series_is_kept_whole() -> None:
    made = series(1_000)
    assert [step for step, _ in made.items()] == list(range(1, 1_001))
    assert not made.thinned


@pytest.mark.parametrize("stride", [1, 50])
def test_a_long_series_is_kept_in_blocks_over_its_whole_length(stride: int) -> None:
    made = series(100_000, stride=stride)
    kept = [step // stride for step, _ in made.items()]
    assert made.thinned
    assert made.seen == 100_000
    assert len(kept) <= 1_000 + BLOCK
    assert kept[:60] == list(range(1, 61)), "the beginning"
    assert kept[-BLOCK:] == list(range(100_001 - BLOCK, 100_001)), "the end"
    together = sum(b - a == 1 for a, b in pairwise(kept))
    assert together > 0.95 * len(kept), "blocks of neighbours"
    middle = sum(25_000 < k <= 75_000 for k in kept)
    assert middle == pytest.approx(len(kept) / 2, abs=2 * BLOCK)


def test_steps_that_come_again_column_by_column_are_the_same_ones() -> None:
    made: LongSeries[list[int]] = LongSeries(1_000)
    for column in range(3):
        for k in range(20_000):
            made.at(k, list).append(column)
    whole = [values for _, values in made.items() if values == [0, 1, 2]]
    assert len(whole) >= len(made.items()) - 2 * BLOCK > 400


def test_marked_and_awaited_steps_are_kept_with_their_neighbours() -> None:
    made: LongSeries[int] = LongSeries(1_000)
    made.keep(50_001)
    for k in range(100_000):
        made.add(k, k)
        if k == 30_000:
            made.mark()
        if k == 40_010:
            made.keep(40_000)
    kept = {step for step, _ in made.items()}
    assert set(range(29_970, 30_008)) <= kept
    assert {40_000, 50_001} <= kept
    for k in range(100_000, 200_000):
        made.add(k, k)
        made.mark()
    assert len(made.items()) < 4_000, "marks without end do not keep all"


def test_what_is_sudden() -> None:
    def found(*values: float | None) -> list[int]:
        sudden = Sudden()
        return [k for k, value in enumerate(values) if sudden(value)]

    assert found(1, 1.2, 1, 6.0, 1, 1) == [3]
    assert found(1, 1, 4.9, None, 1) == []
    assert found(1, math.nan, math.nan, math.inf) == [1]
    assert found(0, 0, 0, 1e-9) == [], "nothing to compare with"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunLog, RunLog]:
    """A long training with three spikes that throw the loss up: as it is read, and with every step."""
    random.seed(0)
    records: list[Step] = []
    for k in range(1, LONG + 1):
        thrown = max((max(0.0, 1 - (k - s) / 8) for s in SPIKES if k > s), default=0.0)
        loss = (1 + 2 * math.exp(-k / 3_000)) * (1 + 3 * thrown) * random.uniform(0.95, 1.05)
        records.append(
            Step(
                record="step", step=k, elapsed=0.01 * k, loss=loss, optimizers=(0,),
                grad_norm=random.uniform(0.8, 1.2) * (40 if k in SPIKES else 1),
                lr=(0.01 if k < 15_000 else 1e-5,),
            )
        )  # fmt: skip
    validation = [
        Evaluation(record="evaluation", step=k, loss=1.5 + abs(k - 8_000) / 8_000, batches=3)
        for k in range(500, LONG + 1, 500)
    ]
    whole: list[Record] = [HEADER, lstm(), adam(), *samples([1, 55, 6_765]), *records, *validation]
    path = tmp_path_factory.mktemp("long") / "run.jsonl"
    path.write_text("".join(f"{record.model_dump_json()}\n" for record in whole), encoding="utf-8")
    return reading.read(path), assemble(whole)


@pytest.fixture(scope="module")
def found(logs: tuple[RunLog, RunLog]) -> tuple[Signals, Signals]:
    """The signals of both."""
    return signals(logs[0]), signals(logs[1])


def test_a_long_log_keeps_a_part_of_its_steps_and_knows_how_many_there_were(
    logs: tuple[RunLog, RunLog],
) -> None:
    kept, whole = logs
    assert kept.steps_seen == len(whole.steps) == LONG
    assert MOST / 2 - BLOCK <= len(kept.steps) <= MOST + 2_000
    assert {step.step for step in kept.steps} >= {1, 55, 6_765, *SPIKES}, "sampled steps and spikes"
    assert kept.evaluations == whole.evaluations
    assert observed.observation(kept).steps == LONG


@pytest.mark.parametrize(
    "name",
    [
        "steps_observed", "grad_norm_spike_count", "non_finite_found", "validation_best", "validation_lost",
        "evaluations_observed", "validation_trend_z",
    ],
)  # fmt: skip
def test_counts_are_the_same(found: tuple[Signals, Signals], name: str) -> None:
    kept, whole = (each.signals[name].measurements[RUN].value for each in found)
    assert kept == whole
    assert kept is not None


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("loss_fall", "run"), ("loss_fall_late", "run"), ("loss_end_ratio", "run"), ("loss_rise_max", "run"),
        ("training_trend", "run"), ("gap_growth", "run"), ("lr_starved_share", "Adam"),
        ("lr_remaining_min", "Adam"), ("grad_norm_spike_max", "run"),
    ],
)  # fmt: skip
def test_levels_and_shares_are_about_the_same(
    found: tuple[Signals, Signals], name: str, subject: str
) -> None:
    kept, whole = (each.signals[name].measurements[subject].value for each in found)
    assert kept == pytest.approx(whole, rel=0.05)


def test_updates_are_counted_by_the_number_of_the_step(logs: tuple[RunLog, RunLog]) -> None:
    kept, whole = logs
    for step in (10, 55, 6_765, LONG):
        assert View(kept).updates(step) == View(whole).updates(step) == step
    assert log(lstm()).steps_seen is None
