"""What runs with and without a remedy say of it."""

import math
from collections.abc import Sequence

import pytest

from rnn_doctor.schema.report import Trial
from rnn_doctor.schema.runlog import Header, RunLog, Step
from rnn_doctor.trials.arms import Arm
from rnn_doctor.trials.effects import Run, best, effects

HEADER = Header(
    record="header",
    schema_version=1,
    tool_version="0",
    started="",
    script="t.py",
    python="3",
    torch="2",
    platform="l",
    process=1,
)


def run(last: float, *rules: str, explained: Sequence[str] = (), first: float = 2.0, steps: int = 50) -> Run:
    losses = [first] * (steps - steps // 5) + [last] * (steps // 5)
    made = tuple(Step(record="step", step=n, elapsed=0.0, loss=x) for n, x in enumerate(losses, 1))
    return Run(RunLog(header=HEADER, steps=made), frozenset((*rules, *explained)), frozenset(rules))


def tried(own: Sequence[Run], runs: Sequence[Run], addresses: Sequence[str] = ()) -> Trial:
    arm = Arm("lower-learning-rate", "rate", {"factor": 0.1}, "the rate times 0.1")
    [effect] = effects(own, {arm: runs}, {"lower-learning-rate": addresses})
    return effect.trial


OWN = [run(1.0, "RD301"), run(1.1, "RD301"), run(0.9, "RD301")]


def test_a_loss_that_is_lower_each_time_helps() -> None:
    trial = tried(OWN, [run(0.5), run(0.56), run(0.44)])
    assert trial.verdict == "helps"
    assert trial.effect == pytest.approx(math.log(0.5), abs=0.02)
    assert trial.interval[0] < trial.effect < trial.interval[1] < 0
    assert (trial.steps, trial.repeats) == (50, 3)


def test_one_repeat_without_an_effect_is_enough_to_doubt() -> None:
    assert tried(OWN, [run(0.5), run(0.56), run(0.89)]).verdict == "unclear"


def test_a_loss_that_is_higher_each_time_harms_where_there_were_updates_enough() -> None:
    worse = [1.5, 1.65, 1.36]
    assert tried(OWN, [run(x) for x in worse]).verdict == "harms"
    few = [run(float(r.log.steps[-1].loss or 0), steps=30) for r in OWN]
    assert tried(few, [run(x, steps=30) for x in worse]).verdict == "unclear"


def test_a_finding_that_is_gone_helps_though_the_loss_stands_on_a_plateau() -> None:
    trial = tried(OWN, [run(1.0), run(1.1), run(0.9)], ["RD301"])
    assert (trial.verdict, trial.gone) == ("helps", ("RD301",))


@pytest.mark.parametrize(
    ("own", "runs"),
    [
        (OWN, [run(1.0), run(1.1, "RD301"), run(0.9)]),
        ([*OWN[:2], run(0.9)], [run(1.0), run(1.1), run(0.9)]),
    ],
    ids=["still there once", "was not always there"],
)
def test_what_is_gone_is_gone_in_every_repeat_and_was_there_in_each(
    own: Sequence[Run], runs: Sequence[Run]
) -> None:
    assert tried(own, runs, ["RD301"]).gone == ()


def test_a_consequence_that_is_gone_is_no_success() -> None:
    own = [run(x, "RD305", explained=["RD202"]) for x in (1.0, 1.1, 0.9)]
    trial = tried(own, [run(x, "RD305") for x in (1.0, 1.1, 0.9)], ["RD202"])
    assert (trial.verdict, trial.gone, trial.found) == ("unclear", (), ())


def test_how_many_runs_had_a_finding() -> None:
    own = [run(1.0, "RD103"), run(1.1), run(0.9, "RD103")]
    trial = tried(own, [run(1.0), run(1.1), run(0.9)], ["RD103", "RD102"])
    assert (trial.verdict, trial.gone) == ("unclear", ())
    assert [(each.rule, each.without, each.with_it) for each in trial.found] == [("RD103", 2, 0)]


def test_another_finding_in_its_place_is_no_success() -> None:
    runs = [run(x, "RD302") for x in (1.0, 1.1, 0.9)]
    assert tried(OWN, runs, ["RD301"]).verdict == "unclear"
    assert tried(OWN, [*runs[:2], run(0.9)], ["RD301"]).verdict == "helps"


def test_runs_that_break_count_as_a_large_loss() -> None:
    own = [run(math.nan), run(math.inf), run(1e30)]
    trial = tried(own, [run(0.5), run(0.6), run(0.4)])
    assert trial.verdict == "helps"
    assert trial.effect == pytest.approx(math.log(0.5 / 2000), abs=0.1)


def test_seeds_that_do_not_reach_the_script_tell_no_scatter() -> None:
    trial = tried([run(1.0)] * 3, [run(0.5)] * 3)
    assert trial.verdict == "unclear"
    assert trial.interval == (-math.inf, math.inf)


def test_of_a_loss_below_zero_no_ratio_is_told() -> None:
    arm = Arm("adam-optimizer", "adam", {}, "Adam")
    assert effects(OWN, {arm: [run(-0.5), run(0.5), run(0.5)]}, {}) == []


def test_runs_are_compared_over_the_updates_that_all_have_made() -> None:
    own = [run(1.0), run(1.1), run(0.9)]
    trial = tried(own, [run(0.5, steps=40), run(0.5), run(0.5)])
    assert trial.steps == 40
    assert trial.verdict == "unclear"  # at update 40 they still stood at 2


def test_several_arms_are_held_to_more() -> None:
    arms = [Arm("lower-learning-rate", "rate", {}, f"arm {n}") for n in range(3)]
    runs = {arm: [run(0.5), run(0.56), run(0.44)] for arm in arms}
    several = effects(OWN, runs, {})
    assert several[0].trial.p_value == pytest.approx(3 * tried(OWN, runs[arms[0]]).p_value)


def test_of_several_arms_of_a_remedy_the_best_is_told_and_the_others_named() -> None:
    tenth, hundredth = (Arm("lower-learning-rate", "rate", {}, f"times {f}") for f in (0.1, 0.01))
    runs = {tenth: [run(0.9), run(1.0), run(0.8)], hundredth: [run(0.5), run(0.56), run(0.44)]}
    chosen = best(effects(OWN, runs, {}))
    assert chosen["lower-learning-rate"].arms == ("times 0.01", "times 0.1")
    assert chosen["lower-learning-rate"].effect == pytest.approx(math.log(0.5), abs=0.02)
