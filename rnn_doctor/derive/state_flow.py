"""Where the initial states of a module's calls come from: attached, cut off, or never let go."""

from rnn_doctor.derive.needed_lag import NO_LAG
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import HAND_WRITTEN, each_module, is_hand_written, of_all
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import StateFlow
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

FEWEST_LINKS = 2
"""Calls of one update that take over a state: fewer show no habit."""
_UNSEEN = "where its initial states come from was not seen"
_ONE_UPDATE = "no call after the first update was looked at"


def _flows(view: View, module: int) -> list[StateFlow]:
    return [flow for flow in view.log.state_flows if flow.module == module]


def _place(flows: list[StateFlow]) -> Location | None:
    """The first call that took over a state."""
    return next((flow.location for flow in flows if flow.location), None)


def _cut(flows: list[StateFlow]) -> Location | None:
    """Where such a state was cut off, or where that is not known the call."""
    return next((flow.cut_at for flow in flows if flow.cut_at), None) or _place(flows)


@signal(unit="share", by="module", reads=("state_flows",))
def detached_link_share(view: View) -> dict[str, Measurement]:
    """Share of the states handed from call to call within one update that are cut off from their graph.

    Reads: `log.state_flows[i].detached`, `.attached`. Unit: share; 0 where hardly a state is handed on. Its location
    is where the first was cut off, or the call's.
    None if: no call was seen.
    """

    def measure(module: int) -> Measurement:
        flows = _flows(view, module)
        cut, linked = sum(f.detached for f in flows), sum(f.detached + f.attached for f in flows)
        if not flows:
            return unknown(_UNSEEN)
        share = cut / linked if linked >= FEWEST_LINKS else 0.0
        return known(share, n=linked, location=_cut([f for f in flows if f.detached]))

    return each_module(view, measure)


@signal(unit="steps", by="module", reads=("state_flows",))
def backpropagation_length(view: View) -> dict[str, Measurement]:
    """Longest stretch of time steps through which a gradient can flow within one update.

    Reads: `log.state_flows[i].length`. Unit: time steps. None if: no call was seen.
    """
    return each_module(view, lambda module: of_all([f.length for f in _flows(view, module)], max, _UNSEEN))


@signal(unit="steps", by="module", reads=("state_flows",))
def lag_cut_off(view: View) -> dict[str, Measurement]:
    """By how many steps the needed lag exceeds what a gradient can reach, where the state is carried on.

    Reads: `log.state_flows[i].length`, `.continued`, `.detached`; --lag. Unit: time steps; 0 where it suffices.
    Its location is where the state was cut off, or the call's.
    None if: the lag is not known, no call was seen, or it is hand-written and shorter. 0 where no state is carried
    on: sequences end there.
    """

    def measure(module: int) -> Measurement:
        flows = _flows(view, module)
        if view.lag is None:
            return unknown(NO_LAG)
        if not flows:
            return unknown(_UNSEEN)
        carried = any(flow.continued or flow.detached for flow in flows)
        reach = max(flow.length for flow in flows) - 1
        if not carried and is_hand_written(view, module) and view.lag > reach:
            return unknown(HAND_WRITTEN)
        location = _cut([flow for flow in flows if flow.continued or flow.detached])
        return known(max(0, view.lag - reach) if carried else 0, n=len(flows), location=location)

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("state_flows",))
def state_kept_with_graph(view: View) -> dict[str, Measurement]:
    """Whether a state of an earlier update was taken over with its graph, which then grows from update to update.

    Reads: `log.state_flows[i].kept`. Unit: claim; its location is the call's. None if: no call after the first
    update was looked at.
    """

    def measure(module: int) -> Measurement:
        flows = _flows(view, module)
        later = [flow for flow in flows if flow.step > 1]
        kept = [flow for flow in flows if flow.kept]
        if kept:
            return known(True, n=len(later), location=_place(kept))
        return of_all(later, lambda _: False, _ONE_UPDATE)

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("state_flows", "batches", "loaders"))
def state_carried_over_shuffled(view: View) -> dict[str, Measurement]:
    """Whether states are carried from batch to batch although a loader shuffles the sequences.

    A state that goes from one chunk of a batch to the next is not meant.

    Reads: `log.state_flows[i].continued`, `.kept`, `.same_batch`, `log.batches[i].loader`,
    `log.loaders[j].shuffled`. Unit: claim.
    None if: no DataLoader gave its batches, no call after the first update was looked at, only chunks of one batch
    were, or it is hand-written.
    """

    def measure(module: int) -> Measurement:
        if is_hand_written(view, module):
            return unknown(HAND_WRITTEN)
        later = [flow for flow in _flows(view, module) if flow.step > 1]
        carried = [flow for flow in later if flow.continued + flow.kept > flow.same_batch]
        if not carried:
            if later and all(flow.same_batch for flow in later):
                return unknown("each update that was looked at goes on within one batch")
            return of_all(later, lambda _: False, _ONE_UPDATE)
        loaders = {b.loader for b in view.batches[module] if b.loader is not None}
        shuffled = [view.log.loaders[k].shuffled for k in loaders if k in view.log.loaders]
        if not shuffled or None in shuffled:
            return unknown("whether its batches come in order is not known")
        most = len(carried) > sum(not flow.same_batch for flow in later) / 2
        return known(most and all(shuffled), n=len(later), location=_place(carried))

    return each_module(view, measure)
