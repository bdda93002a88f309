"""What keeps RD501 from being right at once: benchmarks/overfitting/bound.txt.

Command: python -m benchmarks.overfitting.bound (two minutes on one core; needs the logs of benchmarks.overfitting.run,
and counts those that there are).

A training overfits by its loss on 1,500 other samples, its outcome, and is found in time at the first evaluation from
which on that lies 5 % above its lowest, or at the next. What its own validation can show then: the rise of the outcome
is known, and so is the standard error of the same rise on the script's own examples, by pairs. A test on these examples
alone that gives a false alarm at one evaluation in 20 finds a rise of z standard errors with probability
Phi(z - 1.64): summed over the trainings that is how many an oracle would find in time that knows nothing but the
script's own validation, and when to look. Then, of those that RD501 found late or never, the first condition of it that
did not hold in time; and of those that it missed, the outcome and its own validation at the end.
"""

from collections import Counter
from dataclasses import dataclass
from math import log1p

from scipy.stats import norm

from rnn_doctor.derive.looks import AT_LEAST_Z, BY_ITSELF_Z, ENOUGH, PARTED, look_at
from rnn_doctor.derive.memorizing import MEMORIZED, nothing_learned_yet
from rnn_doctor.derive.overfitting import SMALLEST_RISE, standings, within_first_pass
from rnn_doctor.derive.view import View
from rnn_doctor.schema import reading

from .judge import Recorded, by_rule
from .run import SETS, labels, log_of

ONE_SIDED = float(norm.ppf(0.95))
SHARES = (0.0, 0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Bound:
    """One training that overfitted."""

    recorded: Recorded
    at: int
    """The last evaluation that is in time."""
    found: int | None
    """The evaluation at which RD501 first held."""
    z: float | None
    """Standard errors that the rise would be on the script's own examples; None where they were not seen."""
    why: str
    """The first condition that did not hold in time."""

    @property
    def in_time(self) -> bool:
        """Whether RD501 held by then."""
        return self.found is not None and self.found <= self.at


def why(recorded: Recorded, k: int) -> str:
    """The first condition of RD501 that does not hold at an evaluation, in words."""
    view = View(recorded.until(recorded.evaluations[k].step + 1))
    found = view.once(standings)
    if isinstance(found, str) or found[-1].evaluation.step != recorded.evaluations[k].step:
        return "its examples were not seen: the curve decides"
    if within_first_pass(view):
        return "within the first pass"
    if nothing_learned_yet(view):
        return "nothing learned yet"
    look = look_at(view, len(found) - 1)
    weaker = look.standing.rise_z <= BY_ITSELF_Z and look.memorized <= MEMORIZED
    reasons = {
        "its own validation lies less than 2 % above its best": look.standing.rise <= SMALLEST_RISE,
        "of ten evaluations and more the last two lie less than 5 % above the best": not look.stays_up,
        "not 40 % above the training loss at the same weights": look.parted is None or look.parted <= PARTED,
        "the training loss has not fallen since": look.memorized <= 0 or weaker,
        "within the chance of the examples": look.standing.rise_z <= AT_LEAST_Z
        or look.z + log1p(look.parted or 0.0) <= ENOUGH,
        "within what the weights jump": log1p(max(look.standing.rise, 0.0)) <= look.jumps,
    }
    return next((reason for reason, holds in reasons.items() if holds), "a rise seen before had passed")


def bound(recorded: Recorded) -> Bound:
    """What was seen of a training in time."""
    k = min(recorded.onset + 1, len(recorded.evaluations) - 1)
    rule = by_rule("examples")
    found = next((n for n in range(len(recorded.evaluations)) if rule(recorded, n)), None)
    seen, z = recorded.evaluations[k], None
    if seen.rise is not None and seen.examples is not None and seen.rise.error > 0:
        best = seen.examples.mean - seen.rise.mean
        rise = recorded.truth[k] / min(recorded.truth[: k + 1]) - 1
        z = rise * best / seen.rise.error
    late = found is None or found > k
    return Bound(recorded, k, found, z, why(recorded, k) if late else "")


def main() -> None:
    """Prints the three."""
    known = labels()
    trainings = [each for made in SETS.values() for each in made()]
    logs = [(t, log_of(t)) for t in trainings if t.key in known]
    runs = [Recorded(t, known[t.key], reading.read(log)) for t, log in logs if log.exists()]
    bounds = [bound(run) for run in runs if run.overfits]
    by_example = [each for each in bounds if each.z is not None]
    chance = [float(norm.cdf((each.z or 0.0) - ONE_SIDED)) for each in by_example]
    print(f"{len(runs)} of {len(logs)} trainings are recorded, {len(bounds)} of them overfitted")
    print(f"found in time by RD501        {sum(each.in_time for each in bounds)} of {len(bounds)}")
    print(
        f"where the examples were seen  {sum(each.in_time for each in by_example)} of {len(by_example)}; "
        f"the oracle on the same examples {sum(chance):.1f}"
    )
    for low, high in zip(SHARES, (*SHARES[1:], 1.01), strict=True):
        own = [each for each, p in zip(by_example, chance, strict=True) if low <= p < high]
        print(
            f"  the oracle finds it with probability {low:.2f} to {min(high, 1):.2f}: "
            f"{len(own):3d}, RD501 in time {sum(each.in_time for each in own)}"
        )
    print("\nthe first condition that did not hold in time, of those found late or never")
    for reason, count in Counter(each.why for each in bounds if not each.in_time).most_common():
        print(f"  {count:3d}  {reason}")
    print("\nmissed: last over lowest, of the outcome and of its own validation, and why at the end")
    for each in bounds:
        run = each.recorded
        if each.found is None:
            outcome, own = run.truth[-1] / min(run.truth), run.validation[-1] / min(run.validation)
            print(f"  {outcome:.2f} {own:.2f}  {why(run, len(run.evaluations) - 1)}  [{run.training.key}]")


if __name__ == "__main__":
    main()
