"""Logs of the formats that are read, each written by the library itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.curves import EPOCHS, STEPS, Curves

Writer = Callable[[Path, Curves], Path]
"""Writes the log of a training into a folder, and returns what a user would name."""


def tensorboard(folder: Path, curves: Curves) -> Path:
    """torch.utils.tensorboard, steps from 0, as in its tutorial."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "run"))
    for step, loss in enumerate(curves.train):
        writer.add_scalar("Loss/train", loss, step)
        if (step + 1) % STEPS == 0:
            writer.add_scalar("Loss/val", curves.val[step // STEPS], step)
    writer.close()
    return folder / "run"


def lightning(folder: Path, curves: Curves) -> Path:
    """The CSVLogger, with the metrics and steps that a Trainer gives it: steps from 0, training every fifth."""
    from pytorch_lightning.loggers import CSVLogger

    logger = CSVLogger(str(folder), name="lightning_logs")
    for step, loss in enumerate(curves.train):
        epoch = float(step // STEPS)
        if step % 5 == 4:
            logger.log_metrics({"train_loss": loss, "epoch": epoch}, step)
        if step % STEPS == STEPS - 1:
            logger.log_metrics({"val_loss": curves.val[step // STEPS], "epoch": epoch}, step)
    logger.save()
    return folder / "lightning_logs" / "version_0"


def hugging_face(folder: Path, curves: Curves) -> Path:
    """A TrainerState in a checkpoint, with the entries that a Trainer adds."""
    from transformers.trainer_callback import TrainerState

    state = TrainerState(global_step=len(curves.train), max_steps=len(curves.train), num_train_epochs=EPOCHS)
    for step, loss in enumerate(curves.train, 1):
        epoch = step / STEPS
        if step % 5 == 0:
            rate = 1e-3 * (1 - step / (2 * len(curves.train)))
            entry = {"loss": loss, "grad_norm": 1.0, "learning_rate": rate, "epoch": epoch, "step": step}
            state.log_history.append(entry)
        if step % STEPS == 0:
            held_out = curves.val[step // STEPS - 1]
            state.log_history.append(
                {"eval_loss": held_out, "eval_runtime": 1.5, "epoch": epoch, "step": step}
            )
    state.log_history.append({"train_loss": 0.5, "train_runtime": 60.0, "epoch": 24.0, "step": step})
    for name, steps in (("checkpoint-80", 80), ("checkpoint-240", 240)):
        (folder / "out" / name).mkdir(parents=True)
        part = [entry for entry in state.log_history if entry["step"] <= steps]
        TrainerState(log_history=part).save_to_json(str(folder / "out" / name / "trainer_state.json"))
    return folder / "out"


def keras_csv(folder: Path, curves: Curves) -> Path:
    """The callback CSVLogger, called as `fit` calls it; no model is needed for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        from keras.callbacks import CSVLogger

    path = folder / "history.csv"
    logger = CSVLogger(str(path))
    logger.on_train_begin()
    for epoch, (loss, val) in enumerate(zip(curves.epoch_losses(), curves.val, strict=True)):
        logger.on_epoch_end(epoch, {"loss": loss, "accuracy": 0.5, "val_loss": val, "val_accuracy": 0.4})
    logger.on_train_end()
    return path


def keras_json(folder: Path, curves: Curves) -> Path:
    """`json.dump(history.history, file)`, of the callback History."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        from keras.callbacks import History

    history = History()
    history.set_model(_Model())
    history.on_train_begin()
    for epoch, (loss, val) in enumerate(zip(curves.epoch_losses(), curves.val, strict=True)):
        history.on_epoch_end(epoch, {"loss": loss, "val_loss": val})
    path = folder / "history.json"
    path.write_text(json.dumps(history.history), encoding="utf-8")
    return path


class _Model:
    """What History hangs itself on."""

    history: Any = None


def json_lines(folder: Path, curves: Curves) -> Path:
    """What a hand-written loop writes: nested objects, an object a step and one an evaluation."""
    path = folder / "metrics.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for step, loss in enumerate(curves.train, 1):
            print(json.dumps({"step": step, "train": {"loss": loss}, "note": "x"}), file=file)
            if step % STEPS == 0:
                print(json.dumps({"step": step, "valid": {"loss": curves.val[step // STEPS - 1]}}), file=file)
    return path


def wandb(folder: Path, curves: Curves) -> Path:
    """An offline run."""
    import wandb

    quiet = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,
        x_disable_meta=True,
    )
    run = wandb.init(mode="offline", project="test", dir=str(folder), settings=quiet, reinit="create_new")
    for step, loss in enumerate(curves.train, 1):
        values = {"train/loss": loss, "trainer/global_step": step}
        if step % STEPS == 0:
            values["val/loss"] = curves.val[step // STEPS - 1]
        run.log(values)
    run.finish()
    wandb.teardown()  # its service is a process
    return folder / "wandb"


WRITERS: dict[str, Writer] = {
    each.__name__: each
    for each in (tensorboard, lightning, hugging_face, keras_csv, keras_json, json_lines, wandb)
}
