"""The loop of a notebook: epochs, batches, and now and then the loss on what is held out."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

from ..parts_common.fitting import Fit

Loss = Callable[..., Tensor]
"""Of a network and what a batch holds."""


def train_loop(
    fit: Fit, epoch: Callable[[], Iterable[Any]], loss_fn: Loss, held_out: tuple[Any, ...]
) -> None:
    """Trains until the run has had enough."""
    while True:
        fit.start_epoch()
        for batch in epoch():
            fit.zero_grad()
            loss = loss_fn(fit.model, *batch)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: loss_fn(net, *held_out))
            if fit.ended:
                return
