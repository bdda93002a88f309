"""The curves of a report: by lag and by time step inside the recurrences, and over the updates."""

from rnn_doctor.derive import curves, gate_curves
from rnn_doctor.derive.gradients import first_non_finite
from rnn_doctor.derive.needed_lag import needed
from rnn_doctor.derive.subjects import HAND_WRITTEN, is_hand_written
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.recurrence import LagGain, Layer
from rnn_doctor.schema.report import LagProfile, Profiles, TimeProfile
from rnn_doctor.schema.runlog import RunLog

NOT_EXAMINED = "the recurrence was not examined while the script was watched"


def profiles(log: RunLog, *, lag: int | None = None) -> Profiles:
    """The curves, or why there are none.

    By lag and by time step the last of each module, layer and direction before anything broke, whole modules before
    their layers.

    lag: how many steps back the task needs to remember, where the user knows it.
    """
    view = View(log, lag)
    names = view.module_names
    broke = view.once(first_non_finite)

    def whole(record: LagGain | Layer) -> bool:
        return broke is None or record.step < broke.step

    gains = {
        (r.module, r.layer, r.reverse): r
        for r in sorted(log.lag_gains, key=whole)
        if r.lags and r.module in names
    }
    layers = {(r.module, r.layer, r.reverse): r for r in sorted(log.layers, key=whole) if r.module in names}
    order = sorted(gains, key=lambda key: (key[0], key[1] is not None, key[1] or 0, key[2]))
    found = Profiles(
        by_lag=tuple(_by_lag(view, gains[key]) for key in order),
        by_time=tuple(_by_time(view, layers[key]) for key in sorted(layers)),
        by_step=curves.by_step(view),
        updates=curves.updates(view),
        gates=gate_curves.over_updates(view),
        gate_courses=gate_curves.over_time(view),
    )
    return found.model_copy(update={"absent": _absent(view, found)})


def _absent(view: View, found: Profiles) -> dict[str, str]:
    """Why what is empty is empty, by its key."""
    modules = view.log.modules
    if not modules:
        reach = inside = "no recurrent network was seen"
    elif all(module.frozen for module in modules.values()):
        reach = inside = "no gradient flows through its recurrent layers"
    else:
        loops = [loop.absent for loop in view.log.loops if loop.absent]
        reach = f"the recurrence could not be examined: {loops[0]}" if loops else NOT_EXAMINED
        inside = HAND_WRITTEN if all(is_hand_written(view, number) for number in modules) else NOT_EXAMINED
    sampled = "no update was sampled" if view.log.steps else NO_STEP
    course = gate_curves.why_no_course(found.gates) if found.gates else inside
    reasons = {
        "by_lag": reach,
        "by_time": inside,
        "gates": inside,
        "gate_courses": course,
        "updates": sampled,
    }
    return {key: reason for key, reason in reasons.items() if not getattr(found, key)}


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
