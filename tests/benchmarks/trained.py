"""Trainings of the fault bench, small: weights after a few updates, answers to a few samples."""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.faults.setting import Setting
from benchmarks.faults.task import Batch, Task
from benchmarks.faults.training import train


def weights_after(setting: Setting, updates: int) -> list[Tensor]:
    """All parameters after so many updates."""
    found: list[Tensor] = []

    def watch(update: int, model: nn.Module) -> bool:
        found[:] = [p.detach().clone() for p in model.parameters()]
        return False

    train(setting, updates, watch)
    return found


def drawn(task: Task, n: int = 5) -> Batch:
    """The same few samples every time."""
    return task.draw(n, torch.Generator().manual_seed(5), training=True)


def built(task: Task, setting: Setting) -> Any:
    """The network of a part with a folder of its own, in evaluation."""
    torch.manual_seed(1)
    return import_module(f"benchmarks.faults.{task.part}.networks").build(task, setting).eval()


def answers(task: Task, setting: Setting, batch: Batch) -> Tensor:
    """What an untrained network says of each sample."""
    model = built(task, setting)
    x, y, lengths = batch
    with torch.no_grad():
        if task.network in ("words", "rnn_model"):  # over (time, batch)
            return model(x.t())[0].transpose(0, 1)  # type: ignore[no-any-return]
        if task.network == "pos_tagger":
            return model(x.t()).transpose(0, 1)  # type: ignore[no-any-return]
        out = model(x, lengths, target=y) if task.taught else model(x, lengths)
    answer: Tensor = out[0] if isinstance(out, tuple) else out
    return answer


def mixes(task: Task, setting: Setting) -> bool:
    """Whether the answer to the last sample hangs on the others of its batch."""
    x, y, lengths = drawn(task)
    changed, others = x.flip(1) if lengths is None else x.roll(1, 0), lengths
    changed[-1] = x[-1]
    if lengths is not None:
        others = lengths.roll(1, 0)
        others[-1] = lengths[-1]
    one, other = answers(task, setting, (x, y, lengths)), answers(task, setting, (changed, y, others))
    return not torch.allclose(one[-1], other[-1], atol=1e-6)


def learns_in_front_of_the_cut_alone(model: Any, task: Task) -> None:
    """No recurrent weight gets a gradient of what the network makes, and others do."""
    x, y, lengths = drawn(task)
    out = model.train()(x, target=y) if task.taught else model.train()(x, lengths)
    (out[0] if isinstance(out, tuple) else out).sum().backward()
    behind = [p for key, p in model.named_parameters() if key.startswith(("rnn", "cells", "encoder.rnn"))]
    assert behind
    assert all(p.grad is None for p in behind)
    assert any(p.grad is not None for p in model.parameters())
