"""From a run log to a report: what it says of the run itself, and when there is nothing to judge."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor import observed, pipeline
from rnn_doctor.capture import launch
from rnn_doctor.errors import DoctorError, RulebookError, ScriptError, SettingsError
from rnn_doctor.settings import Settings
from tests.recorded import BUILT, CRASH, HEADER, OPTIMIZER, exited, run_log, steps, stop

TARGET = launch.Target(path="train.py", is_module=False, arguments=(), python="python")


def early(outcome: str) -> dict[str, Any]:
    """The script had not validated by the last update."""
    return {"record": "early_validation", "step": 50, "outcome": outcome}


def test_the_subject_is_what_the_script_built() -> None:
    subject = observed.subject(run_log(BUILT))
    assert (subject.script, subject.arguments) == ("train.py", ("--epochs", "3"))
    assert [(layer.name, layer.kind, layer.hidden_size) for layer in subject.recurrent] == [
        ("lstm", "LSTM", 16)
    ]
    assert subject.optimizers == ("Adam",)
    assert subject.parameters == 64 * 16, "a frozen tensor is not trained"


def test_the_observation_says_how_much_was_seen() -> None:
    off = {"record": "sensor_off", "step": 3, "sensor": "gradients", "error": "RuntimeError: x"}
    log = run_log([*BUILT, *steps(50), off, stop("steps", seconds=5, probe_seconds=0.1), exited(0)])
    seen = observed.observation(log)
    assert (seen.steps, seen.evaluations) == (50, 0)
    assert seen.stopped == "the requested number of steps was reached"
    assert seen.probe_share == pytest.approx(0.02)
    assert seen.sensors_off == ("gradients",)


def test_a_log_that_breaks_off_still_has_an_observation() -> None:
    seen = observed.observation(run_log([*BUILT, *steps(3)]))
    assert seen.stopped.startswith("the log breaks off")
    assert seen.seconds == pytest.approx(0.3)
    assert seen.probe_share is None


def test_a_validation_that_was_waited_for_in_vain_does_not_hide_why_it_ended() -> None:
    seen = observed.observation(run_log([*BUILT, *steps(50), early("ended"), exited(-9)]))
    assert seen.stopped == "the requested number of steps was reached"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ([stop("steps"), exited(0)], None),
        ([stop("script_end"), exited(0)], None),
        ([], None),
        ([exited(None, "hung")], None),
        ([exited(-15, "hung")], None),
        ([stop("steps"), exited(1)], None),
        ([stop("script_end"), exited(2)], "it ended with exit code 2"),
        ([exited(-9)], "it was killed by SIGKILL"),
        ([exited(-99)], "it was killed by signal 99"),
        ([early("ended"), exited(-9)], None),
        ([early("failed"), stop("steps"), exited(1)], None),
        ([early("by_hand"), stop("script_end"), exited(1)], "it ended with exit code 1"),
        ([CRASH, stop("crash"), exited(1)], "it raised ValueError: no such batch"),
        (
            [
                {**CRASH, "error": "ValueError: \n\nAll the 15 fits failed.\nDetails:"},
                stop("crash"),
                exited(1),
            ],
            "it raised ValueError: All the 15 fits failed.",
        ),
        (
            [
                {
                    **CRASH,
                    "error": 'File "utils.py", line 63\n    print x\n    ^^^^\nSyntaxError: Missing ()',
                },
                exited(1),
            ],
            'it raised SyntaxError: Missing () ("utils.py", line 63)',
        ),
        ([{**CRASH, "error": "KeyError:"}, stop("crash"), exited(1)], "it raised KeyError:"),
    ],
)
def test_a_failure_is_told_apart_from_an_end_that_we_brought(
    end: list[dict[str, Any]], said: str | None
) -> None:
    log = run_log([*BUILT, *steps(20), *end])
    assert observed.failure(log) == said
    assert observed.observation(log).failed == (said is not None)


@pytest.mark.parametrize(
    ("records", "parts"),
    [
        ([*BUILT, stop("script_end"), exited(0)], ["made no update", "LSTM 'lstm' (train.py:12)", "Adam"]),
        (
            [HEADER, OPTIMIZER, {**stop("script_end"), "backwards": 30}, exited(0)],
            ["made no update in 30 backward passes", "Adam"],
        ),
        ([HEADER, stop("script_end"), exited(0)], ["no recurrent network", "no optimizer", "no update"]),
        ([*BUILT, CRASH, exited(1)], ["made no update", "ValueError: no such batch", "train.py:40"]),
        ([*BUILT, exited(-15, "no_step")], ["within the start limit"]),
        (
            [HEADER, OPTIMIZER, *steps(50), stop("steps")],
            ["no recurrent network was seen", "Adam", "50 updates"],
        ),
    ],
)
def test_what_cannot_be_judged_says_what_was_seen(records: list[dict[str, Any]], parts: list[str]) -> None:
    with pytest.raises(ScriptError) as caught:
        pipeline.examine(run_log(records), Settings())
    for part in parts:
        assert part in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("project/train.py", "-m project.train"),
        ("/home/me/project/train.py", "-m project.train"),
        ("../project/train.py", "-m project.train"),
        ("src/project/train.py", "-m src.project.train"),
    ],
)
def test_a_part_of_a_package_that_is_run_as_a_script(script: str, module: str) -> None:
    error = "ImportError: attempted relative import with no known parent package"
    header = HEADER | {"script": script}
    with pytest.raises(ScriptError) as caught:
        pipeline.examine(run_log([header, {**CRASH, "error": error}, exited(1)]), Settings())
    assert (caught.value.hint or "").endswith(f": {module}")


def matrix(number: int, name: str, used: bool) -> dict[str, Any]:
    """A weight matrix of a hand-written cell, held by the optimizer."""
    return {
        "record": "parameter", "id": number, "name": name, "shape": [32, 16], "owner": "Linear", "optimizer": 1,
        "used": used,
    }  # fmt: skip


def sampled(step: int, *gradients: float | None) -> dict[str, Any]:
    numbers = list(range(len(gradients)))
    ones = [1.0] * len(gradients)
    return {
        "record": "sample", "step": step, "parameters": numbers, "grad_norm": list(gradients), "weight_norm": ones,
        "update_norm": ones, "displacement": ones,
    }  # fmt: skip


def refusal(weights: list[dict[str, Any]], *gradients: float | None) -> str:
    seen = [sampled(step, *gradients) for step in (1, 3)]
    with pytest.raises(ScriptError) as caught:
        pipeline.examine(run_log([HEADER, OPTIMIZER, *weights, *steps(50), *seen]), Settings())
    return caught.value.message


def test_a_recurrence_that_is_not_seen_because_it_learns_nothing_is_named() -> None:
    anew = refusal([matrix(0, "cell.x2h.weight", True), matrix(1, "cell.h2h.weight", True)], 0.3, 0.0)
    assert "50 updates; cell.h2h.weight has a gradient of exactly 0 at every update seen" in anew
    assert anew.endswith("no state is handed on from step to step")
    still = {"optimizer": None, "trainable": False}
    frozen = [matrix(0, "head.weight", True), matrix(1, "cell.gates.weight", False) | still]
    table = matrix(2, "words.weight", False) | still | {"owner": "Embedding"}
    assert "; cell.gates.weight is frozen (requires_grad=False)" in (
        said := refusal([*frozen, table], 0.3, None, None)
    )
    assert "words" not in said
    cut = refusal([matrix(k, f"cell.w{k}.weight", False) for k in range(4)], None, None, None, None)
    assert (
        "; each of cell.w0.weight, cell.w1.weight, cell.w2.weight and 1 more is held by an optimizer" in cut
    )
    assert "cuts it off" in cut
    assert refusal([matrix(0, "net.weight", True)], 0.3).endswith("50 updates")
    assert refusal([matrix(0, "net.weight", True)], None).endswith("50 updates")


def test_a_report_has_the_run_and_all_four_conditions() -> None:
    report = pipeline.examine(run_log([*BUILT, *steps(50), stop("steps"), exited(0)]), Settings())
    assert report.observation.steps == 50
    assert report.subject.script == "train.py"
    assert {signal.name: signal for signal in report.signals}["steps_observed"].measurements[
        "run"
    ].value == 50
    assert report.conditions.vanishing_gradients.reason
    assert not [entry for entry in report.not_assessed if entry.what == "development over the steps"]


def test_a_report_on_few_steps_says_so_first() -> None:
    report = pipeline.examine(run_log([*BUILT, *steps(4), stop("script_end"), exited(0)]), Settings())
    assert report.not_assessed[0].what == "development over the steps"
    assert "4 updates were seen" in report.not_assessed[0].reason


def test_a_sensor_that_failed_is_not_assessed() -> None:
    off = {"record": "sensor_off", "step": 3, "sensor": "gradients", "error": "RuntimeError: x"}
    report = pipeline.examine(run_log([*BUILT, *steps(30), off, stop("steps")]), Settings())
    assert any(e.what == "sensor gradients" and "RuntimeError: x" in e.reason for e in report.not_assessed)


def test_only_selected_rules_give_verdicts() -> None:
    log = run_log([*BUILT, *steps(4), stop("script_end"), exited(0)])
    report = pipeline.examine(log, Settings(select=("RD103",)))
    rules = {entry.what for entry in report.not_assessed if entry.what.startswith("RD")}
    rules |= {finding.rule for finding in report.findings}
    assert rules <= {"RD103 gradient-spikes", "RD103"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [(Settings(select=("RD998",)), SettingsError), (Settings(rules=(Path("no/such"),)), RulebookError)],
)
def test_wrong_rules_are_refused(settings: Settings, kind: type[DoctorError]) -> None:
    with pytest.raises(kind):
        pipeline.rules_in_use(settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), (50, 120.0)),
        (Settings(steps=9, time_limit=3), (9, 3.0)),
        (Settings(steps="all"), (None, float("inf"))),
        (Settings(steps="all", time_limit=30), (None, 30.0)),
    ],
)
def test_a_whole_training_has_no_time_limit_unless_one_is_given(
    settings: Settings, expected: tuple[int | None, float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, Any] = {}

    def launched(target: launch.Target, log: Path, **options: Any) -> launch.Outcome:
        given.update(options)
        return launch.Outcome(log=None, exit_code=0, reason="ended")

    monkeypatch.setattr(launch, "launch", launched)
    ignore: Callable[[launch.Progress], None] = lambda _: None  # noqa: E731
    pipeline.record(TARGET, tmp_path / "run.jsonl", settings, terminal=False, on_progress=ignore)
    assert (given["steps"], given["time_limit"]) == expected
    assert (given["start_limit"], given["terminal"]) == (600.0, False)


UNFINISHED = {**stop("time"), "backwards": 4}


def test_what_was_seen_of_an_unfinished_first_update_is_judged() -> None:
    huge = {"record": "batch", "step": 1, "module": 1, "time": 12, "batch": 64, "features": 4, "mean": 1e4, "std": 1.0,
            "absmax": 10003.0, "finite": True, "drive": 1.0, "calls": 1, "packed": False, "state": "none",
            "constant_share": 0.0}  # fmt: skip
    report = pipeline.examine(run_log([*BUILT, huge, UNFINISHED, exited(0)]), Settings())
    assert report.observation.steps == 0
    assert "RD403" in {finding.rule for finding in report.findings}


def test_an_unfinished_first_update_that_shows_no_fault_is_no_verdict() -> None:
    with pytest.raises(ScriptError, match=r"within its first update .* after 4 backward passes"):
        pipeline.examine(run_log([*BUILT, UNFINISHED, exited(0)]), Settings())
