"""Logs of the same training in the ways that people set their libraries up, written by the libraries."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor import pipeline
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.settings import Settings
from tests.foreign.curves import BEST, EPOCHS, HEALTHY, OVERFITTING, STEPS, Curves

Writing = Callable[[Path, Curves], None]


def board(folder: Path, **options: Any) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), **options)


def epochs(curves: Curves) -> Iterator[tuple[int, float, float]]:
    yield from zip(range(EPOCHS), curves.epoch_losses(), curves.val, strict=True)


def write_epochs(writer: Any, rows: list[tuple[int, float, float]], train: str, val: str) -> None:
    for k, loss, held in rows:
        writer.add_scalar(train, loss, k)
        writer.add_scalar(val, held, k)
    writer.close()


def one_call_for_both(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    for k, loss, held in epochs(curves):
        writer.add_scalars("Loss", {"train": loss, "val": held}, k)
    writer.close()


def one_folder_for_each_of_both(folder: Path, curves: Curves) -> None:
    """As tensorboardX lays out `data/loss`: the file of the run itself holds no number."""
    board(folder).close()
    for part, column in (("train", 1), ("valid", 2)):
        writer = board(folder / "data" / "loss" / part)
        for row in epochs(curves):
            writer.add_scalar("data/loss", row[column], row[0])
        writer.close()


def by_epoch(folder: Path, curves: Curves) -> None:
    write_epochs(board(folder), list(epochs(curves)), "Loss/train", "Loss/val")


def went_on_in_another_file(folder: Path, curves: Curves) -> None:
    rows = list(epochs(curves))
    write_epochs(board(folder), rows[:14], "loss", "val_loss")
    write_epochs(board(folder, purge_step=12, filename_suffix=".2"), rows[12:], "loss", "val_loss")


def two_writers(folder: Path, curves: Curves) -> None:
    train, val = board(folder / "train"), board(folder / "val")
    for step, loss in enumerate(curves.train, 1):
        train.add_scalar("loss", loss, step)
        if step % STEPS == 0:
            val.add_scalar("loss", curves.val[step // STEPS - 1], step)
    train.close()
    val.close()


def several_sets(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    for k, loss, held in epochs(curves):
        writer.add_scalar("val_b/loss", held + 1, k)
        writer.add_scalar("val_a/loss", held, k)
        writer.add_scalar("train/loss", loss, k)
    writer.close()


def without_steps(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    for _, loss, held in epochs(curves):
        writer.add_scalar("loss/train", loss)
        writer.add_scalar("loss/val", held)
    writer.close()


def among_other_things(folder: Path, curves: Curves) -> None:
    import torch

    writer = board(folder)
    for k, loss, held in epochs(curves):
        writer.add_histogram("weights", torch.zeros(3), k)
        writer.add_text("note", "loss 3", k)
        writer.add_scalar("training loss", loss, k)
        writer.add_scalar("validation loss", held, k, new_style=True)
    writer.close()


def perplexities(folder: Path, curves: Curves) -> None:
    rows = [(k, math.exp(loss), math.exp(held)) for k, loss, held in epochs(curves)]
    write_epochs(board(folder), rows, "ppl/train", "ppl/valid")


def validated_before_training(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    writer.add_scalar("val/loss", 0.01, 0)
    for step, loss in enumerate(curves.train, 1):
        writer.add_scalar("train/loss", loss, step)
        if step % STEPS == 0:
            writer.add_scalar("val/loss", curves.val[step // STEPS - 1], step)
    writer.close()


def validations_numbered_by_epochs(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    for step, loss in enumerate(curves.train):
        writer.add_scalar("train/loss_step", loss, step)
        if step % STEPS == STEPS - 1:
            writer.add_scalar("val/loss_epoch", curves.val[step // STEPS], step // STEPS)
    writer.close()


def with_hyperparameters(folder: Path, curves: Curves) -> None:
    writer = board(folder)
    write_epochs(writer, list(epochs(curves)), "train/loss", "val/loss")
    writer.add_hparams({"lr": 0.1}, {"hparam/val_loss": 0.0})
    writer.close()


WRITINGS: tuple[Writing, ...] = (
    one_call_for_both, one_folder_for_each_of_both, by_epoch, went_on_in_another_file, two_writers,
    several_sets, without_steps, among_other_things, perplexities, validated_before_training,
    validations_numbered_by_epochs, with_hyperparameters,
)  # fmt: skip


def read(path: Path) -> RunLog:
    (run,) = pipeline.runs(path)
    return pipeline.read(run, Settings())


@pytest.mark.parametrize("write", WRITINGS, ids=lambda write: write.__name__)
def test_tensorboard_however_it_is_called(write: Writing, tmp_path: Path) -> None:
    for name, curves in (("ill", OVERFITTING), ("healthy", HEALTHY)):
        write(tmp_path / name, curves)
        log = read(tmp_path / name)
        assert [e.loss for e in log.evaluations][-EPOCHS:] == pytest.approx(list(curves.val))
        report = pipeline.examine(log, Settings())
        verdict = report.conditions.overfitting.verdict
        assert verdict == ("present" if name == "ill" else "absent")
        assert [f"evaluation {BEST} of {EPOCHS}" in f.message for f in report.findings] == [True] * (
            name == "ill"
        )


def test_validations_that_epochs_number_are_put_where_these_ended_and_that_is_said(tmp_path: Path) -> None:
    validations_numbered_by_epochs(tmp_path, OVERFITTING)
    log = read(tmp_path)
    assert [e.step for e in log.evaluations] == [STEPS * k for k in range(1, EPOCHS + 1)]
    assert log.imported is not None
    (doubt,) = log.imported.doubts
    assert "'val/loss_epoch' is numbered one by one, and 'train/loss_step' up to 239" in doubt


def test_a_validation_before_the_training_moves_no_update(tmp_path: Path) -> None:
    validated_before_training(tmp_path, OVERFITTING)
    log = read(tmp_path)
    assert (log.steps[0].step, log.evaluations[0].step, log.evaluations[1].step) == (1, 0, STEPS)


def test_runs_of_a_search_are_one_each_and_summaries_of_hyperparameters_none(tmp_path: Path) -> None:
    for name in ("lr_0.1", "lr_0.01"):
        with_hyperparameters(tmp_path / name, OVERFITTING)
    found = [each.name for each in pipeline.runs(tmp_path)]
    assert [Path(name).name for name in found] == ["lr_0.01", "lr_0.1"]


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows, ""]))
    return path


def test_that_the_beginning_of_a_training_is_missing_is_said(tmp_path: Path) -> None:
    rows = [f"{k},{120 + k},{1 / k},{1 + k / 9}" for k in range(12, 24)]
    log = read(table(tmp_path / "metrics.csv", "epoch,step,train_loss,val_loss", rows))
    assert log.imported is not None
    assert log.imported.doubts == ("it begins in epoch 12: what the training was before is not in it",)


def test_calls_of_log_that_epochs_number_are_counted_by_these(tmp_path: Path) -> None:
    rows = [f"{k},{k},{1 / (k + 1)}" for k in range(12)]
    log = read(table(tmp_path / "a.csv", "_step,epoch,train_loss", rows))
    assert log.imported is not None
    assert log.imported.axis == "epoch"
    rows = [f"{k},{k // 5 if k % 5 == 0 else ''},{1 / (k + 1)}" for k in range(60)]
    log = read(table(tmp_path / "b.csv", "_step,epoch,train_loss", rows))
    assert log.imported is not None
    assert (log.imported.axis, len(log.steps)) == ("row", 60)
