"""Learning rates that decay by one factor at even intervals, and how far they can take the weights in all."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rnn_doctor.derive.optimizer import lr_remaining_min, lr_starved_share, share_below
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

FEWEST = 4
"""Falls by the same factor that make a habit; a plan of two or three milestones has an end."""
EVEN = 1e-3
"""How far the factors may differ: a cosine, a polynomial or a linear schedule changes its own from step to step."""
GONE, SHORT = 0.01, 0.1
"""Of the largest rate, and of the updates seen: see RD304."""
EARLY = 100
"""Updates within which a rate that is down to GONE is not so by a plan of the whole training, where that goes on: a
step down to a tenth, and again, is made at thirds of it or later."""
IN_ALL = 40.0
"""Updates at the largest rate, to which all updates of the training add up, those to come included."""
MANY = 1_000_000
"""Updates up to which a rate that is divided by their number is added up: it has no finite sum."""
SEEN = 10
"""Rates in a row that follow such a rule; three are on a line of some kind soon."""
_OTHERWISE = "the rate falls neither by one factor at even intervals nor as one over the number of updates"


@signal(unit="updates", by="optimizer", reads=("steps.lr", "optimizers", "schedulers"))
def lr_updates_in_all(view: View) -> dict[str, Measurement]:
    """To how many updates at the largest rate all updates add up, if the rate goes on falling as it does.

    Rates that fall by one factor at even intervals add up to a finite number, however long the training goes on: 14
    where the rate is halved every 7 updates. Where a schedule says that it does so, its first fall is enough. Those
    that are divided by 1 + decay * updates add up to little more with each power of ten: the first million are
    counted. What came before the largest rate is added.

    Reads: `log.steps[k].lr`, of the parameter group with the highest rate; `log.schedulers[i].decay`. Unit: updates.
    None if: steps are missing, as in logs of single rows; or the rate rose again, or fell less than four times without
    a schedule that says how it goes on, by different factors or at uneven intervals, and not at every update as one
    over their number either.
    """
    found = {}
    numbers = [step.step for step in view.log.steps]
    whole_log = view.log.imported is None and numbers == list(range(1, len(numbers) + 1))
    for name, (number, rates) in _rates(view).items():
        location = view.log.optimizers[number].location
        whole = _whole(rates, _planned(view, number)) if whole_log else None
        found[name] = unknown(_OTHERWISE, location=location) if whole is None else known(whole, n=len(rates))
    return found


@signal(unit="claim", by="optimizer", reads=("steps.lr", "optimizers", "schedulers", "stop"))
def lr_decays_away(view: View) -> dict[str, Measurement]:
    """Whether the rate has gone below a hundredth for more than a tenth of the updates, or adds up to next to nothing.

    Of a training that goes on after its first hundred updates at most, a hundredth itself counts as well.

    Reads: as lr_remaining_min, lr_starved_share and lr_updates_in_all; `log.stop.reason`. Unit: claim.
    None if: as lr_remaining_min.
    """
    remaining, starved, whole = lr_remaining_min(view), lr_starved_share(view), lr_updates_in_all(view)
    assert isinstance(remaining, dict)
    assert isinstance(starved, dict)
    assert isinstance(whole, dict)
    early, found = _gone_early(view), {}
    for name, left in remaining.items():
        if left.value is None:
            found[name] = left
            continue
        gone = float(left.value) < GONE and float(starved[name].value or 0.0) > SHORT
        gone = gone or early.get(name, 0.0) > SHORT
        in_all = whole[name].value if name in whole else None
        short = in_all is not None and float(in_all) < IN_ALL
        found[name] = known(gone or short, n=left.n, location=left.location)
    return found


def _gone_early(view: View) -> dict[str, float]:
    """Share of the updates at a hundredth of the rate before them, where these are few and the training goes on."""
    stop = view.log.stop
    if stop is None or stop.reason != "steps" or len(view.log.steps) > EARLY:
        return {}
    return {name: share_below(GONE * (1 + EVEN), rates) for name, (_, rates) in _rates(view).items()}


def _rates(view: View) -> dict[str, tuple[int, list[float]]]:
    """Of each optimizer that stepped its number, and the largest rate over its parameter groups at each step."""
    stepped = {number for step in view.log.steps for number in step.optimizers}
    return {
        name: (number, [max(rates) for rates in view.rates(number)])
        for number, name in view.optimizer_names.items()
        if number in stepped
    }


def _planned(view: View, number: int) -> float | None:
    """The factor that the only schedule of an optimizer lowers its rate by."""
    own = [s.decay for s in view.log.schedulers if s.optimizer in (None, number)]
    return own[0] if len(own) == 1 else None


def _whole(rates: Sequence[float], planned: float | None) -> float | None:
    """From the largest rate on, which a warm-up may lead to, and what came before."""
    largest = max(rates, default=0.0)
    if largest <= 0:
        return None
    top = list(rates).index(largest)
    falling = rates[top:]
    found = _in_all(falling, planned) or _of_division(falling)
    return None if found is None else found + sum(rates[:top]) / largest


def _in_all(rates: Sequence[float], planned: float | None) -> float | None:
    falls = [
        (at, later / rate) for at, (rate, later) in enumerate(pairwise(rates)) if later != rate and rate > 0
    ]
    if len(falls) < (FEWEST if planned is None else 1):
        return None
    factor = median(each for _, each in falls) if planned is None else planned
    spans = {after - before for (before, _), (after, _) in pairwise(falls)} or {falls[0][0] + 1}
    if factor >= 1 or len(spans) > 1 or any(abs(each / factor - 1) > EVEN for _, each in falls):
        return None
    (span,) = spans
    since = len(rates) - 2 - falls[-1][0]
    to_come = rates[-1] * (max(span - 1 - since, 0) + span * factor / (1 - factor))
    return (sum(rates) + to_come) / max(rates)


def _of_division(rates: Sequence[float]) -> float | None:
    """The same of rates whose inverse grows by one amount at every update: 1 / (1 + decay * updates)."""
    if len(rates) < SEEN or min(rates) <= 0:
        return None
    inverse = [1 / rate for rate in rates]
    gains = [after - before for before, after in pairwise(inverse)]
    gain = median(gains)
    if gain <= 0 or any(abs(each / gain - 1) > EVEN for each in gains):
        return None
    to_come = math.log((inverse[-1] + gain * (MANY - len(rates))) / inverse[-1]) / gain
    return (sum(rates) + to_come) / max(rates)
