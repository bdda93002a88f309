"""Whether nothing was found in the inputs that tells of their targets."""

from rnn_doctor.derive.data_lag import MARGIN, NO_TEST, data_lag_test
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import DataLag
from rnn_doctor.schema.signals import Measurement

FEWEST_ROWS = 400
"""Sequences from which on a test that finds nothing says something: of the adding problem it found nothing in 14 of 40
sets of 200, in none of 400; of a target of which one step tells a tenth in 20 of 200, in 2 of 400
(benchmarks/thresholds/silent_inputs.py)."""
ONE = 1.0
"""What random shifts of the targets against the inputs reach."""


def _others_run(view: View, module: int) -> bool:
    """Another recurrence reads something too, which may tell what this one's inputs do not."""
    return (
        any(batches for number, batches in view.batches.items() if number != module)
        or len(view.log.modules) > 1
    )


def tells_nothing(record: DataLag) -> bool | None:
    """Of a test that was made: whether it found nothing; None where what it found is neither something nor nothing."""
    most = max([*record.scores, record.whole if record.whole is not None else 0.0])
    if most > MARGIN:
        return False
    return True if most <= ONE and record.whole is not None else None


@signal(unit="claim", by="module", reads=("data_lags", "batches"))
def inputs_tell_nothing(view: View) -> dict[str, Measurement]:
    """Whether neither a step of the input nor its sequence as a whole was found to tell of its target.

    No lag's statistic exceeds what random shifts of the targets reach, nor do counts, spreads and neighbours over the
    sequence, nor the states of a recurrence of random weights.

    Reads: `log.data_lags[i].scores`, `.whole`. Unit: claim. None if: the test was not made, or of fewer than 400
    sequences; they have a target for each step; or another recurrence reads inputs of its own.
    """

    def measure(module: int) -> Measurement:
        record = data_lag_test(view, module)
        if record is None or record.absent is not None:
            return unknown(NO_TEST if record is None else f"{NO_TEST}: {record.absent}")
        found = tells_nothing(record)
        if found is False:
            return known(False, n=record.rows)
        if record.target != "sequence":
            return unknown("its steps have a target each, of which the last one's alone were tested")
        if _others_run(view, module):
            return unknown("its targets may depend on what another recurrence reads")
        if found is None or record.rows < FEWEST_ROWS:
            return unknown(f"what {record.rows} sequences tell of their targets is not clear")
        return known(True, n=record.rows)

    return each_module(view, measure)


@signal(unit="sequences", by="module", reads=("data_lags",))
def sequences_tested(view: View) -> dict[str, Measurement]:
    """How many different sequences were tested for what they tell of their targets.

    Reads: `log.data_lags[i].rows`. Unit: sequences. None if: the test was not made.
    """

    def measure(module: int) -> Measurement:
        record = data_lag_test(view, module)
        made = record is not None and record.absent is None
        return known(record.rows) if record is not None and made else unknown(NO_TEST)

    return each_module(view, measure)
