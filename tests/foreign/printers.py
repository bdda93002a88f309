"""What trainings print, each printed by the library that prints so, or as a well-known script does."""

import io
import logging
import random
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import pytest

from tests.foreign.curves import EPOCHS, STEPS, Curves

Printer = Callable[[Curves], None]
"""Prints the log of a training to stdout."""


def _epochs(curves: Curves) -> Iterator[tuple[int, float, float]]:
    """Number from 1, mean training loss, validation loss."""
    yield from zip(range(1, EPOCHS + 1), curves.epoch_losses(), curves.val, strict=True)


def _steps(curves: Curves, epoch: int) -> Iterator[tuple[int, float]]:
    """Number of a batch from 1 and its loss, of an epoch from 1."""
    yield from enumerate(curves.train[(epoch - 1) * STEPS : epoch * STEPS], 1)


def bars(curves: Curves) -> None:
    """After settings, one line an epoch with bars between."""
    print("Using device: cuda, seed 3")
    print(Namespace(batch_size=32, epoch=100, lr=0.01, loss="mse", dropout=0.5))
    print("LSTM(10, 20, num_layers=2, dropout=0.5)\nParameters: 12,345")
    for k, train, val in _epochs(curves):
        print(
            f"Epoch {k:3d}/{EPOCHS} | train loss {train:.4f} | val loss {val:.4f} | lr {1e-3:.0e} | {1.2:.1f}s"
        )
        if k == 3:
            print(f"  saved model-{k}.pt (best so far: {val:.3f})")


def commas(curves: Curves) -> None:
    """Words with colons, the validation on a line of its own."""
    for k, train, val in _epochs(curves):
        print(f"epoch: {k}, loss: {train:.4f}, time: 0m 3s")
        print(f"Validation loss: {val:.4f}, Validation accuracy: {50 + k / 10:.1f}%")


def keys(curves: Curves) -> None:
    """Names with equals signs."""
    for k, train, val in _epochs(curves):
        print(f"Epoch {k:03d}: loss={train:.4f} val_loss={val:.4f} acc=0.8")


def seq2seq(curves: Curves) -> None:
    """The sequence-to-sequence tutorial: three lines an epoch, with perplexities beside."""
    for k, train, val in _epochs(curves):
        print(f"Epoch: {k:02} | Time: 0m 30s")
        print(f"\tTrain Loss: {train:.4f} | Train PPL: {2.718281828**train:7.3f}")
        print(f"\t Val. Loss: {val:.4f} |  Val. PPL: {2.718281828**val:7.3f}")


def transfer(curves: Curves) -> None:
    """The transfer learning tutorial: a heading an epoch, a line a phase."""
    for k, train, val in _epochs(curves):
        print(f"Epoch {k - 1}/{EPOCHS - 1}\n----------")
        print(f"train Loss: {train:.4f} Acc: 0.7131\nval Loss: {val:.4f} Acc: 0.8301\n")


def headed(curves: Curves) -> None:
    """A validation that is announced on a line of its own; the training loss of every batch."""
    for k, _, val in _epochs(curves):
        print(f"Epoch {k}\n-------------------------------")
        for step, loss in _steps(curves, k):
            print(f"loss: {loss:>7.4f}  [{step * 64:>5d}/60000]")
        print(f"Test Error: \n Accuracy: {50.9:>0.1f}%, Avg loss: {val:>8.4f} \n")


def results(curves: Curves) -> None:
    """Ignite's examples: what a line is of stands at its beginning."""
    for k, train, val in _epochs(curves):
        print(f"Training Results - Epoch: {k}  Avg accuracy: 0.90 Avg loss: {train:.4f}")
        print(f"Validation Results - Epoch: {k}  Avg accuracy: 0.80 Avg loss: {val:.4f}")


def mnist(curves: Curves) -> None:
    """The MNIST example: the test set in place of a validation set."""
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(f"Train Epoch: {k} [{step * 64}/60000 ({step:.0f}%)]\tLoss: {loss:.6f}")
        print(f"\nTest set: Average loss: {val:.4f}, Accuracy: 9000/10000 (90%)\n")


def word_language_model(curves: Curves) -> None:
    """The word_language_model example."""
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(
                f"| epoch {k:3d} | {step * 200:5d}/{2983:5d} batches | lr {20.0:02.2f} | ms/batch {5.22:5.2f} | "
                f"loss {loss:5.4f} | ppl {2.718281828**loss:8.2f}"
            )
        print("-" * 89)
        print(
            f"| end of epoch {k:3d} | time: {50.22:5.2f}s | valid loss {val:5.4f} | valid ppl {2**val:8.2f}"
        )
        print("-" * 89)


def mini_batches(curves: Curves) -> None:
    """The CIFAR10 tutorial: epoch and batch in brackets."""
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(f"[{k}, {step * 2000:5d}] loss: {loss:.3f}")
        print(f"[{k}] val_loss: {val:.4f}")


def evaluated_every(curves: Curves) -> None:
    """nanoGPT: two kinds of lines by step."""
    for step, loss in enumerate(curves.train, 1):
        print(f"iter {step}: loss {loss:.4f}, time {55.12:.2f}ms, mfu {1.0:.2f}%")
        if step % STEPS == 0:
            val = curves.val[step // STEPS - 1]
            print(f"step {step}: train loss {loss:.4f}, val loss {val:.4f}\nsaving checkpoint to out")


def logged(curves: Curves) -> None:
    """The module logging: date, name and level before each message, and other messages between."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    log = logging.getLogger("train")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.info("10 workers, 3 GPUs")
    for k, train, val in _epochs(curves):
        log.info("Epoch %d/%d train_loss=%.4f lr=%g", k, EPOCHS, train, 1e-3)
        log.warning("Gradient overflow, reducing scale to %d", 2**k)
        log.info("Epoch %d/%d val_loss=%.4f (best %.4f)", k, EPOCHS, val, 0.1)
    log.removeHandler(handler)


def fairseq(curves: Curves) -> None:
    """The lines of fairseq-train."""
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(
                f"2024-01-02 12:00:{step:02d} | INFO | train_inner | epoch {k:03d}:    {step} / {STEPS} "
                f"loss={loss:.4f}, nll_loss={loss / 2:.4f}, ppl={2**loss:.2f}, wps=8000.1, "
                f"num_updates={(k - 1) * STEPS + step}, lr=1e-05, gnorm=2.1, train_wall=5, wall=7"
            )
        print(
            f"2024-01-02 12:01:00 | INFO | valid | epoch {k:03d} | valid on 'valid' subset | loss {val:.4f} | "
            f"nll_loss {val / 2:.4f} | ppl {2**val:.2f} | wps 100 | num_updates {k * STEPS} | best_loss 0.1"
        )


def tensors(curves: Curves) -> None:
    """Dictionaries of tensors without `.item()`, printed as they are."""
    import torch

    for k, train, val in _epochs(curves):
        loss = torch.tensor(train, requires_grad=True) * 1
        print(f"epoch {k} loss {loss}")
        print({"val_loss": torch.tensor(val), "epoch": k})


def hugging_face(curves: Curves) -> None:
    """The Trainer's PrinterCallback."""
    from transformers import TrainerState
    from transformers.trainer_callback import PrinterCallback

    said: Callable[..., None] = partial(PrinterCallback().on_log, None, TrainerState(), None)
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            said(logs={"loss": loss, "grad_norm": 1.0, "learning_rate": 1e-3, "epoch": k - 1 + step / STEPS})
        said(logs={"eval_loss": val, "eval_runtime": 1.5, "epoch": float(k)})
    said(logs={"train_runtime": 60.0, "train_loss": 0.5, "epoch": float(EPOCHS)})


def tqdm(curves: Curves) -> None:
    """Bars that show the loss of each batch, a line after each."""
    import tqdm

    for k, _, val in _epochs(curves):
        with tqdm.tqdm(total=STEPS, desc=f"Epoch {k}", file=sys.stdout, mininterval=0) as bar:
            for _, loss in _steps(curves, k):
                bar.set_postfix(loss=f"{loss:.6f}")
                bar.update()
        tqdm.tqdm.write(f"val loss: {val:.4f}")


def one_bar(curves: Curves) -> None:
    """A single bar over the whole training, in which the last validation loss stands until the next."""
    import tqdm

    with tqdm.tqdm(total=len(curves.train), file=sys.stdout, mininterval=0) as bar:
        for step, loss in enumerate(curves.train):
            shown = {"val_loss": f"{curves.val[step // STEPS - 1]:.4f}"} if step >= STEPS else {}
            bar.set_postfix(loss=f"{loss:.6f}", **shown)
            bar.update()
        bar.set_postfix(loss=f"{loss:.6f}", val_loss=f"{curves.val[-1]:.4f}")


def keras(curves: Curves, *, verbose: int = 1) -> None:
    """The progress of `fit`: colours, a bar that is drawn over itself, means over the epoch up to now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        from keras.callbacks import ProgbarLogger

    logger: Any = ProgbarLogger()
    logger.set_params({"verbose": verbose, "epochs": EPOCHS, "steps": STEPS})
    logger.on_train_begin()
    for k, train, val in _epochs(curves):
        logger.on_epoch_begin(k - 1)
        for step, loss in _steps(curves, k):
            logger.on_train_batch_end(step - 1, {"loss": loss})
        logger.on_epoch_end(k - 1, {"loss": train, "val_loss": val})


def skorch(curves: Curves) -> None:
    """The table of PrintLog, with colours."""
    from skorch.callbacks import PrintLog
    from skorch.history import History

    net: Any = Namespace(history=History(), verbose=1)
    log: Any = PrintLog().initialize()
    for k, train, val in _epochs(curves):
        net.history.new_epoch()
        best = {"train_loss_best": True, "valid_loss_best": k < 9}
        for name, value in {"epoch": k, "train_loss": train, "valid_loss": val, **best, "dur": 0.01}.items():
            net.history.record(name, value)
        log.on_epoch_end(net)


def rates(curves: Curves) -> None:
    """Two validations an epoch and one before the training; steps with marks between thousands."""
    noise = random.Random(0)
    print(f"[eval] step=0 loss={curves.val[0] + 1:.4f}")
    for step, loss in enumerate(curves.train, 1):
        print(f"[train] step={step * 100:,} loss={loss:.4f} lr={1e-3:.2e} tok/s={noise.randint(900, 1000)}k")
        if step % STEPS == 0:
            print(f"[eval] step={step * 100:,} loss={curves.val[step // STEPS - 1]:.4f}")


def meters(curves: Curves) -> None:
    """The ImageNet example: value and mean of each, for every batch, in the evaluation too."""
    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(f"Epoch: [{k - 1}][{step:2d}/{STEPS}]\tTime  0.511 ( 0.722)\tLoss {loss:.4e} ({7:.4e})")
        for batch in range(5):
            mean = val + (4 - batch) / 10
            print(f"Test: [{batch:2d}/5]\tTime  0.511 ( 0.722)\tLoss {3 + batch:.4e} ({mean:.4e})")
        print(" *   Acc@1 9.100 Acc@5 20.000")


def evaluated_in_bars(curves: Curves) -> None:
    """A bar over each evaluation, with the mean up to the batch that it has come to."""
    import tqdm

    for k, _, val in _epochs(curves):
        for step, loss in _steps(curves, k):
            print(f"epoch {k} batch {step}/{STEPS} loss {loss:.4f}")
        with tqdm.tqdm(total=5, desc="Validating", file=sys.stdout, mininterval=0) as bar:
            for batch in range(5):
                bar.update()
                bar.set_postfix(loss=f"{val + (4 - batch) / 10:.4f}")


BY_EPOCH: tuple[Printer, ...] = (
    bars,
    commas,
    keys,
    seq2seq,
    transfer,
    results,
    logged,
    tensors,
    keras,
    skorch,
)
BY_STEP: tuple[Printer, ...] = (
    headed, mnist, word_language_model, mini_batches, evaluated_every, fairseq, hugging_face, tqdm, one_bar, rates,
    meters, evaluated_in_bars,
)  # fmt: skip


def printed(printer: Printer, curves: Curves) -> str:
    """What it prints."""
    with redirect_stdout(io.StringIO()) as out:
        printer(curves)
    return out.getvalue()
