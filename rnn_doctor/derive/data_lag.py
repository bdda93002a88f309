"""At which lags the data themselves tell of the target, whatever the network makes of them."""

from collections.abc import Callable

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import DataLag
from rnn_doctor.schema.signals import Measurement

MARGIN = 1.25
"""Times the largest statistic of shifted targets, from which on a lag is significant: of independent sequences
1 run in 2,699 exceeded it at any lag, of neighbouring windows of slow series 5 in 300, with 0.13 of the target
in the median (benchmarks/thresholds/data_lag.py)."""
DOMINANT = 0.5
"""Share of the target that one lag tells, from which on little can be left for lags that tell nothing by themselves."""

NO_TEST = "its inputs and targets were not tested for dependence"
_NOTHING = "no lag was found to tell of the target ({} sequences)"


def data_lag_test(view: View, module: int) -> DataLag | None:
    """The test of one module; None where there is no record of it."""
    return next((record for record in view.log.data_lags if record.module == module), None)


def informative(record: DataLag) -> list[int]:
    """The lags at which the input tells significantly of the target."""
    return [lag for lag, score in zip(record.lags, record.scores, strict=True) if score > MARGIN]


def _of_informative(view: View, summary: Callable[[DataLag, list[int]], float]) -> dict[str, Measurement]:
    def measure(module: int) -> Measurement:
        record = data_lag_test(view, module)
        if record is None:
            return unknown(NO_TEST)
        if record.absent is not None:
            return unknown(f"{NO_TEST}: {record.absent}")
        lags = informative(record)
        return known(summary(record, lags), n=record.rows) if lags else unknown(_NOTHING.format(record.rows))

    return each_module(view, measure)


@signal(unit="steps", by="module", reads=("data_lags",))
def data_lag_min(view: View) -> dict[str, Measurement]:
    """The nearest lag at which the input tells significantly of the target; what is nearer tells nothing by itself.

    Reads: `log.data_lags[i].scores`. Unit: steps. None if: the test was not made, or no lag is significant.
    """
    return _of_informative(view, lambda _, lags: lags[0])


@signal(unit="steps", by="module", reads=("data_lags",))
def data_lag_max(view: View) -> dict[str, Measurement]:
    """The longest lag at which the input tells significantly of the target. It need not be needed: nearer inputs may
    tell the same.

    Reads: `log.data_lags[i].scores`. Unit: steps. None if: the test was not made, or no lag is significant.
    """
    return _of_informative(view, lambda _, lags: lags[-1])


@signal(unit="share", by="module", reads=("data_lags",))
def data_lag_share(view: View) -> dict[str, Measurement]:
    """How much of the target's entropy or variance the most telling lag tells by itself.

    Reads: `log.data_lags[i].scores`, `.shares`. Unit: share. None if: the test was not made, or no lag is significant.
    """
    return _of_informative(view, most_told)


def most_told(record: DataLag, lags: list[int]) -> float:
    """The largest share that one of these lags tells."""
    shares = dict(zip(record.lags, record.shares, strict=True))
    return max(shares[lag] for lag in lags)


def told_together(record: DataLag, lags: list[int]) -> float:
    """The sum of the shares that these lags tell; more than 1 where they tell the same."""
    shares = dict(zip(record.lags, record.shares, strict=True))
    return sum(shares[lag] for lag in lags)
