"""Where the initial states of a module's calls come from: attached, cut off, or never let go."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import StateFlow
from rnn_doctor.schema.signals import Measurement

FEWEST_LINKS = 2
"""Calls of one update that take over a state: fewer show no habit."""
_UNSEEN = "where its initial states come from was not seen"


def _flows(view: View, module: int) -> list[StateFlow]:
    return [flow for flow in view.log.state_flows if flow.module == module]


@signal(unit="share", by="module", reads=("state_flows",))
def detached_link_share(view: View) -> dict[str, Measurement]:
    """Share of the states handed from call to call within one update that are cut off from their graph.

    Reads: `log.state_flows[i].detached`, `.attached`. Unit: share.
    None if: the module hands no state from call to call within an update; one long call needs none.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        flows = _flows(view, number)
        cut, linked = sum(f.detached for f in flows), sum(f.detached + f.attached for f in flows)
        if linked >= FEWEST_LINKS:
            found[name] = known(cut / linked, n=linked, location=location)
        elif flows:
            found[name] = known(0.0, n=linked, location=location)
        else:
            found[name] = unknown(_UNSEEN, location=location)
    return found


@signal(unit="steps", by="module", reads=("state_flows",))
def backpropagation_length(view: View) -> dict[str, Measurement]:
    """Longest stretch of time steps through which a gradient can flow within one update.

    Reads: `log.state_flows[i].length`. Unit: time steps. None if: no call was seen.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        lengths = [flow.length for flow in _flows(view, number)]
        found[name] = (
            known(max(lengths), n=len(lengths), location=location)
            if lengths
            else unknown(_UNSEEN, location=location)
        )
    return found


@signal(unit="steps", by="module", reads=("state_flows",))
def lag_cut_off(view: View) -> dict[str, Measurement]:
    """By how many steps the needed lag exceeds what a gradient can reach, where the state is carried on.

    Reads: `log.state_flows[i].length`, `.continued`, `.detached`; --lag. Unit: time steps; 0 where it suffices.
    None if: the lag is not known or no call was seen. 0 where no state is carried on: sequences end there.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        flows = _flows(view, number)
        if view.lag is None:
            reason = "how far back the task must remember is not known (say it with --lag)"
            found[name] = unknown(reason, location=location)
        elif not flows:
            found[name] = unknown(_UNSEEN, location=location)
        else:
            carried = any(flow.continued or flow.detached for flow in flows)
            reach = max(flow.length for flow in flows) - 1
            found[name] = known(max(0, view.lag - reach) if carried else 0, n=len(flows), location=location)
    return found


@signal(unit="claim", by="module", reads=("state_flows",))
def state_kept_with_graph(view: View) -> dict[str, Measurement]:
    """Whether a state of an earlier update was taken over with its graph, which then grows from update to update.

    Reads: `log.state_flows[i].kept`. Unit: claim. None if: no call after the first update was looked at.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        later = [flow for flow in _flows(view, number) if flow.step > 1]
        if any(flow.kept for flow in _flows(view, number)):
            found[name] = known(True, n=len(later), location=location)
        elif later:
            found[name] = known(False, n=len(later), location=location)
        else:
            found[name] = unknown("no call after the first update was looked at", location=location)
    return found


@signal(unit="claim", by="module", reads=("state_flows", "batches", "loaders"))
def state_carried_over_shuffled(view: View) -> dict[str, Measurement]:
    """Whether states are carried from batch to batch although a loader shuffles the sequences.

    Reads: `log.state_flows[i].continued`, `log.batches[i].loader`, `log.loaders[j].shuffled`. Unit: claim.
    None if: no DataLoader gave its batches, or no call after the first update was looked at.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        later = [flow for flow in _flows(view, number) if flow.step > 1]
        loaders = {b.loader for b in view.batches[number] if b.loader is not None}
        shuffled = [view.log.loaders[k].shuffled for k in loaders if k in view.log.loaders]
        if not later:
            found[name] = unknown("no call after the first update was looked at", location=location)
        elif not any(flow.continued or flow.kept for flow in later):
            found[name] = known(False, n=len(later), location=location)
        elif not shuffled or None in shuffled:
            found[name] = unknown("whether its batches come in order is not known", location=location)
        else:
            often = sum(bool(flow.continued or flow.kept) for flow in later) > len(later) / 2
            found[name] = known(often and all(shuffled), n=len(later), location=location)
    return found
