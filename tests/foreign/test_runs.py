"""Files and folders: which runs lie there, how their rows are counted, what the command line says of them."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign import convert
from rnn_doctor.foreign.rows import Row, Rows
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.settings import Settings
from tests.cli.conftest import Run, run  # noqa: F401
from tests.recorded import BUILT, steps, stop, write


def csv(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def read(path: Path, *said: str) -> RunLog:
    (found,) = pipeline.runs(path)
    return pipeline.read(found, Settings(map=said))


def converted(rows: Sequence[Row], said: Mapping[str, str] | None = None) -> RunLog:
    def stream() -> Rows:
        for row in rows:
            yield row._replace(values={name: float(value) for name, value in row.values.items()})
        return False

    return convert.run_log("log", "CSV", stream(), said or {})


def test_values_that_are_not_finite_are_kept(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "a.csv", "step;loss;note", ["1;0.5;x", "2;nan;x", "3;Infinity;x", "4;;x", "5;-inf;x"]
    )
    found = [step.loss for step in read(path).steps]
    assert found[0] == 0.5
    assert found[1] is not None
    assert math.isnan(found[1])
    assert found[2:] == [math.inf, -math.inf], "a row without a value is no row of the series"
    report = pipeline.examine(read(path), Settings())
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert finding.rule == "RD104"
    assert "in the loss, at update 2." in finding.message


def test_a_gradient_spike_is_found_in_a_log_of_every_update(tmp_path: Path) -> None:
    def row(k: int) -> str:
        return f"{k},{9.0 if 30 < k < 50 else 1.0},{50.0 if k in (30, 31) else 1.0}"

    path = csv(tmp_path / "a.csv", "step,loss,grad_norm", [row(k) for k in range(1, 80)])
    report = pipeline.examine(read(path), Settings())
    assert [f.rule for f in report.findings] == ["RD103"]
    assert report.conditions.exploding_gradients.verdict == "suspected", (
        "whether it was clipped is not logged"
    )


def test_a_rate_that_is_gone_before_anything_was_learned(tmp_path: Path) -> None:
    rows = [f"{k},{2 - 0.0001 * k},{0.1 * 0.8**k}" for k in range(1, 100)]
    report = pipeline.examine(read(csv(tmp_path / "a.csv", "iteration,loss,lr", rows)), Settings())
    (finding,) = [f for f in report.findings if f.rule == "RD304"]
    assert finding.subject == "lr"
    assert report.subject.optimizers == ()


def test_steps_that_begin_anew_with_every_epoch_count_batches() -> None:
    rows = [Row({"epoch": e, "step": s, "loss": 1.0}) for e in range(3) for s in range(4)]
    log = converted(rows)
    assert log.imported
    assert (log.imported.axis, log.imported.epochs) == ("row", 3)
    assert [step.step for step in log.steps] == list(range(1, 13))
    alike = [Row({"epoch": e, "step": 0, "loss": 1.0}) for e in range(3)]
    assert len(converted(alike).steps) == 3
    at_once = [Row({"step": s, "epoch": e, "loss": 1.0}) for s, e in ((1, 0), (2, 0), (2, 1), (3, 1))]
    assert converted(at_once).imported.axis == "update"  # type: ignore[union-attr]
    assert converted(rows, {"step": "step"}).imported.axis == "update"  # type: ignore[union-attr]


def test_epochs_that_stand_beside_the_losses_in_an_object_count_them() -> None:
    """As loguru writes what is bound to a message, among numbers of its own."""
    prefix = "record/extra/"
    rows = [
        Row({f"{prefix}epoch": k, f"{prefix}loss": 1.0, f"{prefix}val_loss": 1.0, "record/line": 7})
        for k in range(1, 5)
    ]
    log = converted(rows)
    assert log.imported
    assert (log.imported.axis, log.imported.epochs) == ("epoch", 4)
    apart = [Row({"model/epoch": k, "loss": 1.0, "val_loss": 1.0}) for k in range(4)]
    assert converted(apart).imported.axis == "row"  # type: ignore[union-attr]


def test_lists_of_different_lengths_are_spread_over_the_same_time(tmp_path: Path) -> None:
    document = {
        "train": {"losses": [1.0 / k for k in range(1, 101)]},
        "val": {"losses": [0.5, 0.4, 0.3, 0.2]},
    }
    path = tmp_path / "losses.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    log = read(path)
    assert log.imported
    assert log.imported.axis == "row"
    assert [(e.step, e.loss) for e in log.evaluations] == [(25, 0.5), (50, 0.4), (75, 0.3), (100, 0.2)]
    path.write_text(json.dumps({"a": [3, 2], "b": [3, 2]}), encoding="utf-8")
    assert [e.loss for e in read(path, "loss=a", "val_loss=b").evaluations] == [3, 2]


def test_epochs_in_parts_and_from_0_and_from_1() -> None:
    def begun(*epochs: float) -> int | None:
        log = converted([Row({"epoch": e, "loss": 1.0, "step": k}) for k, e in enumerate(epochs)])
        return log.imported.epochs if log.imported else None

    assert begun(0, 1, 2) == 3
    assert begun(1, 2, 3) == 3
    assert begun(0.0, 0.5, 1.0, 1.5) == 2
    assert begun(0.5, 1.0) == 1


def test_a_log_of_one_epoch_memorized_nothing() -> None:
    losses = [(2.0, 1.0), (1.0, 0.9), (0.5, 1.2), (0.3, 1.4)]
    rows = [
        Row({"epoch": (k + 1) / 4, "step": k + 1, "loss": a, "val_loss": b})
        for k, (a, b) in enumerate(losses)
    ]
    assert not pipeline.examine(converted(rows), Settings()).findings
    twice = [Row({**row.values, "epoch": row.values["epoch"] * 2}) for row in rows]
    assert [f.rule for f in pipeline.examine(converted(twice), Settings()).findings] == ["RD502"]


def test_columns_that_come_one_after_another_are_joined_by_step() -> None:
    rows = [Row({"train/loss": float(k)}, step=k) for k in range(300)]
    rows += [Row({"train/grad_norm": 10.0 + k}, step=k) for k in range(300)]
    log = converted(rows)
    assert [(s.step, s.loss, s.grad_norm) for s in log.steps] == [(k + 1, k, 10 + k) for k in range(300)]


def test_a_folder_of_runs_has_each_training_once(tmp_path: Path) -> None:
    csv(
        tmp_path / "lightning_logs" / "version_0" / "metrics.csv", "epoch,step,train_loss", ["0,0,1", "0,1,2"]
    )
    csv(
        tmp_path / "lightning_logs" / "version_1" / "metrics.csv", "epoch,step,train_loss", ["0,0,1", "0,1,2"]
    )
    csv(tmp_path / "data" / "prices.csv", "day,price", ["1,2"])
    (tmp_path / "data" / "config.json").write_text('{"loss": [1, 2]}', encoding="utf-8")
    for steps_done in (9, 100):
        state = {"log_history": [{"step": k, "loss": 1.0} for k in range(steps_done)]}
        path = tmp_path / "bert" / f"checkpoint-{steps_done}" / "trainer_state.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(state), encoding="utf-8")
    write(tmp_path / "own.jsonl", [*BUILT, *steps(30), stop("steps")])
    (tmp_path / "latest").symlink_to(tmp_path / "lightning_logs")
    found = [each if isinstance(each, Path) else Path(each.name) for each in pipeline.runs(tmp_path)]
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "bert",
        "lightning_logs/version_0/metrics.csv",
        "lightning_logs/version_1/metrics.csv",
        "own.jsonl",
    ]
    assert len(read(tmp_path / "bert").steps) == 100, "the last checkpoint"


def test_event_files_of_parts_of_a_run_are_one_run(tmp_path: Path) -> None:
    for folder in ("", "train", "loss_val", "other"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "events.out.tfevents.1").write_bytes(b"")
    runs = [each for each in pipeline.runs(tmp_path) if not isinstance(each, Path)]
    assert [[part.prefix for part in each.parts] for each in runs] == [["", "loss_val/", "train/"], [""]]
    (tmp_path / "events.out.tfevents.1").unlink()
    runs = [each for each in pipeline.runs(tmp_path) if not isinstance(each, Path)]
    assert [[part.prefix for part in each.parts] for each in runs] == [["train/"], [""], [""]], (
        "a sweep is no run"
    )


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module, extra in (
        ("events.out.tfevents.1", "tensorboard.compat.proto.event_pb2", "tensorboard"),
        ("run-x.wandb", "wandb.proto.wandb_internal_pb2", "wandb"),
    ):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(RunLogError) as told:
            read(tmp_path / name)
        assert told.value.hint == f"pip install 'rnn-doctor[{extra}]'"


def test_an_unknown_column_is_told_with_those_there_are(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "step,my_cost,x", ["1,2,3", "2,2,3"])
    with pytest.raises(RunLogError, match="no column of the CSV log is known as a loss") as told:
        read(path)
    assert "--map train_loss=COLUMN" in str(told.value.hint)
    assert "my_cost, step, x" in str(told.value.hint)
    with pytest.raises(RunLogError, match=r"no column 'my_cots' \(did you mean 'my_cost'\?\)"):
        read(path, "train_loss=my_cots")
    log = read(path, "train_loss=my_cost")
    assert log.imported
    assert [(c.role, c.name, c.guessed) for c in log.imported.columns] == [("train_loss", "my_cost", False)]
    assert log.imported.unused == ("x",)


def test_the_command_line_says_what_it_took_for_what(run: Run, tmp_path: Path) -> None:  # noqa: F811
    rows = [f"{k},{2 / k},{1 + 0.01 * k}" for k in range(1, 40)]
    csv(tmp_path / "logs" / "a.csv", "epoch,loss,val_loss", rows)
    csv(tmp_path / "logs" / "b.csv", "epoch,loss,val_loss", ["1,2,broken,3", *rows])
    result = run("diagnose", "logs", "-f", "json")
    assert result.code == 2, "one of the two cannot be read"
    assert "logs/b.csv:2: the line has another number of fields" in result.err
    assert "training loss from 'loss' (39), validation loss from 'val_loss' (39)" in result.err
    (report,) = json.loads(result.out)
    assert report["subject"]["script"] == "logs/a.csv"
    assert report["subject"]["imported"]["axis"] == "epoch"
    assert [c["name"] for c in report["subject"]["imported"]["columns"]] == ["loss", "val_loss"]
    swapped = run("diagnose", "--map", "loss=val_loss", "--map", "val_loss=loss", "logs/a.csv", "-f", "json")
    report = json.loads(swapped.out)
    assert (swapped.code, report["conditions"]["overfitting"]["verdict"]) == (0, "absent")
    assert run("diagnose", "logs/a.csv").code == 1
    page = run("diagnose", "logs/a.csv", "--fail-on", "never").out
    assert "logs/a.csv: CSV log counted by epoch; train_loss = loss, val_loss = val_loss;" in page
    assert run("diagnose", "--map", "x=y", "logs/a.csv").code == 2
