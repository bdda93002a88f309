"""Logs whose rows are told apart by a text, and documents whose values are nested in unusual ways."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.foreign.long_form import told_apart
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.settings import Settings

TRAIN = [round(math.exp(-k / 9), 4) for k in range(14)]
VAL = [round(0.4 + abs(k - 5) / 20, 4) for k in range(14)]
BOTH = list(zip(TRAIN, VAL, strict=True))
ROWS = [{"epoch": k, "train_loss": t, "val_loss": v} for k, (t, v) in enumerate(BOTH)]


def read(path: Path) -> RunLog:
    (run,) = pipeline.runs(path)
    return pipeline.read(run, Settings())


def table(first: str, line: Callable[[int, float, float], str]) -> str:
    return first + "".join(line(k, t, v) for k, (t, v) in enumerate(BOTH))


TEXTS = {
    "phase.csv": table("epoch,phase,loss,acc\n", lambda k, t, v: f"{k},train,{t},1\n{k},val,{v},1\n"),
    "melted.csv": table("epoch,variable,value\n", lambda k, t, v: f"{k},train_loss,{t}\n{k},val_loss,{v}\n"),
    "mode.jsonl": table(
        "",
        lambda k, t, v: (
            json.dumps({"mode": "train", "epoch": k, "loss": t, "lr": 0.1})
            + "\n"
            + json.dumps({"mode": "val", "epoch": k, "loss": v})
            + "\n"
        ),
    ),
    "named.jsonl": table(
        "",
        lambda k, t, v: (
            json.dumps({"name": "train/loss", "step": k, "value": t})
            + "\n"
            + json.dumps({"name": "val/loss", "step": k, "value": v})
            + "\n"
        ),
    ),
    "remark.csv": "# seed 3, run 7\nsep=,\n"
    + table("epoch,loss,val_loss\n", lambda k, t, v: f"{k},{t},{v}\n"),
    "savetxt.txt": table("# epoch train_loss val_loss\n", lambda k, t, v: f"{k:.6e} {t:.6e} {v:.6e}\n"),
    "aligned.txt": table("epoch  loss    val_loss\n", lambda k, t, v: f"{k:5d}  {t:.4f}  {v:.4f}\n"),
    "bars.csv": table("epoch|tloss|vloss\n", lambda k, t, v: f"{k}|{t}|{v}\n"),
    "errors.csv": table("epoch,train_rmse,val_rmse\n", lambda k, t, v: f"{k},{t},{v}\n"),
    "columns.json": json.dumps(
        {"train_loss": {str(k): t for k, t in enumerate(TRAIN)}, "val_loss": dict(enumerate(VAL))}
    ),
    "index.json": json.dumps({str(k): row for k, row in enumerate(ROWS)}),
    "results.json": json.dumps({"args": {"seed": 1}, "results": ROWS}, indent=1),
    "parts.json": json.dumps(
        {
            "train": [{"epoch": k, "loss": t} for k, t in enumerate(TRAIN)],
            "valid": [{"epoch": k, "loss": v} for k, v in enumerate(VAL)],
        }
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_both_losses_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(TEXTS[name])
    log = read(path)
    assert [s.loss for s in log.steps if s.loss is not None] == pytest.approx(TRAIN)
    assert [e.loss for e in log.evaluations] == pytest.approx(VAL)
    assert log.imported is not None
    assert log.imported.doubts == ()


def test_a_table_in_a_folder_is_found_by_the_names_that_its_rows_give(tmp_path: Path) -> None:
    (tmp_path / "phase.csv").write_text(TEXTS["phase.csv"])
    assert len(read(tmp_path).evaluations) == len(VAL)


def test_columns_that_name_their_part_and_texts_that_name_none_stay_as_they_are() -> None:
    both = {"epoch": 1.0, "train_loss": 0.5, "val_loss": 0.6}
    assert told_apart({"mode": "train"}, both) == both
    assert told_apart({"stage": "fine-tuning"}, {"loss": 0.5}) == {"loss": 0.5}
    assert told_apart({"note": "test"}, {"loss": 0.5}) == {"loss": 0.5}
    assert told_apart({"name": "lstm-3"}, {"loss": 0.5}) == {"loss": 0.5}
    assert told_apart({"Split": "Dev"}, {"loss": 0.5, "epoch": 2.0}) == {"Dev/loss": 0.5, "epoch": 2.0}


def folds(count: int) -> str:
    lines = [f"{fold},{k},{t},{v + fold}" for fold in range(count) for k, (t, v) in enumerate(BOTH)]
    return "fold,epoch,loss,val_loss\n" + "".join(f"{line}\n" for line in lines)


def test_of_several_trainings_one_after_another_the_last_is_judged_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "folds.csv").write_text(folds(3))
    log = read(tmp_path / "folds.csv")
    assert [e.loss for e in log.evaluations] == pytest.approx([v + 2 for v in VAL])
    assert log.imported is not None
    assert log.imported.axis == "epoch"
    assert log.imported.doubts == (
        "its 'epoch' begins anew in row 29: 3 trainings one after another, of which the last is judged",
    )


def test_one_that_goes_on_from_a_checkpoint_is_one_training_with_its_later_values(tmp_path: Path) -> None:
    lines = [f"{k},{t},{v}\n" for k, (t, v) in enumerate(BOTH)]
    (tmp_path / "on.csv").write_text("epoch,loss,val_loss\n" + "".join([*lines[:9], "6,9,9\n", *lines[7:]]))
    log = read(tmp_path / "on.csv")
    assert [e.loss for e in log.evaluations] == pytest.approx([*VAL[:6], 9, *VAL[7:]])
    assert log.imported is not None
    assert log.imported.doubts == ()


def test_losses_that_are_logged_one_after_the_other_are_one_training(tmp_path: Path) -> None:
    first = [json.dumps({"epoch": k, "train_loss": t}) for k, t in enumerate(TRAIN)]
    then = [json.dumps({"epoch": k, "val_loss": v}) for k, v in enumerate(VAL)]
    (tmp_path / "both.jsonl").write_text("\n".join([*first, *then, ""]))
    log = read(tmp_path / "both.jsonl")
    assert (len(log.steps), len(log.evaluations)) == (len(TRAIN), len(VAL))
    assert log.imported is not None
    assert log.imported.doubts == ()


def test_steps_that_begin_anew_again_and_again_without_epochs_count_batches(tmp_path: Path) -> None:
    lines = [f"{k},{t}\n" for _ in range(4) for k, t in enumerate(TRAIN)]
    (tmp_path / "batches.csv").write_text("step,loss\n" + "".join(lines))
    log = read(tmp_path / "batches.csv")
    assert len(log.steps) == 4 * len(TRAIN)
