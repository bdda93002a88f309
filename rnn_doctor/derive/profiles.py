"""The curves of a report: gradients by lag, and gradients and states by time step."""

from rnn_doctor.derive.needed_lag import needed
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import LagGain, Layer
from rnn_doctor.schema.report import LagProfile, Profiles, TimeProfile
from rnn_doctor.schema.runlog import RunLog


def profiles(log: RunLog, *, lag: int | None = None) -> Profiles:
    """The last profile of each module, layer and direction, whole modules before their layers.

    lag: how many steps back the task needs to remember, where the user knows it.
    """
    view = View(log, lag)
    names = view.module_names
    gains = {(r.module, r.layer, r.reverse): r for r in log.lag_gains if r.lags and r.module in names}
    layers = {(r.module, r.layer, r.reverse): r for r in log.layers if r.module in names}
    order = sorted(gains, key=lambda key: (key[0], key[1] is not None, key[1] or 0, key[2]))
    return Profiles(
        by_lag=tuple(_by_lag(view, gains[key]) for key in order),
        by_time=tuple(_by_time(view, layers[key]) for key in sorted(layers)),
    )


def _by_lag(view: View, record: LagGain) -> LagProfile:
    name = view.module_names[record.module]
    found = needed(view, record.module)
    return LagProfile(
        module=name,
        layer=record.layer,
        reverse=record.reverse,
        step=record.step,
        lags=record.lags,
        decades=record.decades,
        needed_lag=found.lag if found else None,
        needed_lag_basis=found.basis if found else None,
    )


def _by_time(view: View, record: Layer) -> TimeProfile:
    return TimeProfile(
        module=view.module_names[record.module],
        layer=record.layer,
        reverse=record.reverse,
        step=record.step,
        times=record.times,
        hidden_gradient=record.hidden_gradient,
        hidden_norm=record.hidden_norm,
        cell_norm=record.cell_norm,
    )
