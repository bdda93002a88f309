"""Pauses of the training in which the script runs the network without learning: validations."""

from __future__ import annotations

from typing import Any

import torch

from ..listening import Tell, directly
from ..writer import Writer
from .examples import Examples, Rows, as_given, by_example, rise, rows, smoothed, summary
from .learned_losses import LearnedLosses
from .loaders import Loaders
from .trained import Trained
from .written_losses import WrittenLosses

_MOST_LOSSES = 100_000


class _Best:
    """The best evaluation so far of one loader."""

    def __init__(self, step: int, losses: torch.Tensor, marks: tuple[float, ...]) -> None:
        self.step = step
        self.losses = losses
        self.marks = marks


class Evaluations:
    """Collects the losses computed outside training, by loader, and writes them when training goes on."""

    def __init__(
        self, writer: Writer, loaders: Loaders, steps: int | None = None, tell: Tell = directly
    ) -> None:
        self._writer = writer
        self._loaders = loaders
        self._losses: dict[int | None, list[torch.Tensor]] = {}
        self._calls: dict[int | None, int] = {}
        self._doubtful: dict[int | None, list[torch.Tensor]] = {}
        self._examples: dict[int | None, Examples] = {}
        self._best: dict[int | None, _Best] = {}
        self._anew = False
        """Another network is trained from now on."""
        self._learned: tuple[tuple[int, int] | None, Any] = None, None
        """The loader's place when a loss was learned from last, and its targets."""
        self._rows: Rows | None = None
        self._wanted = False
        """Whether the call that ran last may lead to a loss whose examples are looked at."""
        self._smoothing: float | None = None
        """Of the labels of the evaluation: a training that smooths its own is held against it without that."""
        self._recurs = False
        """Whether a recurrent module of torch's ran: in its absence the batch is laid out as the loader gave it."""
        self._called_for: int | None = None
        """The loader whose batch the recurrent module was called on last."""
        self._forward = 0
        """Calls of recurrent modules over whole sequences."""
        self._written = WrittenLosses(tell)
        self.trained = Trained(loaders, steps)
        self.learned_losses = LearnedLosses()
        self.seen = False
        """Whether the script has evaluated after an update on what it does not train on."""
        self.training_mode = False
        """Of the recurrent module that was called last."""
        self._modes: dict[int | None, bool] = {}
        """The same when the evaluation ran: the next training batch is called before it is written."""

    def called(self, module: Any, given: Any, learns: bool) -> None:
        """A recurrent module ran."""
        self._recurs = True
        loaders = self._loaders
        loader = self._called_for = loaders.current if loaders.finished is None else self._loader()
        self.training_mode = module.training
        trains = learns and (loader is None or loader in loaders.training)
        self._wanted = not trains or self.trained.wanted
        if not self._wanted:
            return
        self._rows = rows(module, given)
        if self._rows is None or self._rows.time > 1:
            self._forward += 1
        if not learns:
            self._calls[loader] = self._calls.get(loader, 0) + 1
            self._modes[loader] = module.training
            self._written.begin(loader)

    def _loader(self) -> int | None:
        """The loader of the batch at hand.

        Also one that is exhausted, of whose batches one is still to be used: libraries take them one in advance.
        """
        loaders = self._loaders
        last = loaders.finished
        if last is None or last in loaders.training:
            return loaders.current
        used = self.pending(last) or self._calls.get(last, 0)
        return last if used < loaders.since_begun(last) else None

    def _loader_of_loss(self) -> int | None:
        """As `_loader`; where recurrent modules are called, their last call has told, and is counted already."""
        current = self._loaders.current
        return current if current is not None else self._called_for if self._recurs else self._loader()

    def on_loss(
        self,
        function: str,
        output: Any,
        target: Any,
        result: torch.Tensor,
        options: dict[str, Any],
        learns: bool,
    ) -> None:
        """A loss was computed. Where it could be learned from, the loader tells later whether it was."""
        whole = result
        if result.numel() != 1:
            if not self._one_an_example(result, target):
                return
            result, options = result.detach().mean(), {**options, "reduction": "mean"}
        loader = self._loader_of_loss()
        known = self.learned_losses
        if function not in known.learned and known.only_looked_at(function, whole if learns else None):
            return
        if learns:
            self._learned = self._loaders.place, target
        elif self._is_apart(target):
            self._move_calls(loader)
            loader = None
        if not learns:
            kept = self._losses.setdefault(loader, [])
            self._smoothing = options.get("label_smoothing", 0.0) if function == "cross_entropy" else None
        elif loader is None or loader in self._loaders.training:
            self._train(function, output, target, result, options)
            return
        else:
            kept = self._doubtful.setdefault(loader, [])
        self._modes[loader] = self.training_mode
        if len(kept) < _MOST_LOSSES:
            kept.append(result.detach())
        examples = self._examples.setdefault(loader, Examples())
        if examples.room:
            losses = by_example(function, output, target, result, options, self._layout(target))
            if losses is not None:
                examples.add(losses, target, output.numel(), self._batch)

    def _train(
        self, function: str, output: Any, target: Any, result: torch.Tensor, options: dict[str, Any]
    ) -> None:
        """Keeps the losses of the training examples, where they are to be held against those of an evaluation."""
        if (self._wanted or not self._recurs) and self.trained.wanted:
            layout = self._layout(target)
            losses = by_example(function, output, target, result, options, layout)
            losses = self._as_evaluated(losses, output, target, options, layout)
            self.trained.add(losses, output, target, self._batch)

    def _one_an_example(self, result: torch.Tensor, target: Any) -> bool:
        """Whether a loss that was not reduced holds one value for each example of the batch.

        What the script makes of them is a mean then. Of one value a token, padding may be left out later.
        """
        count = result.numel()
        if not isinstance(target, torch.Tensor) or target.numel() != count or not 1 < count == len(result):
            return False
        layout = self._layout(target)
        if layout is not None:
            return layout.batch == count
        return any(each.dim() and len(each) == count for each in self._loaders.tensors)

    def _layout(self, target: Any) -> Rows | None:
        """How the batch lies in the loss: as the recurrent module had it, or, where cells are by hand, the loader."""
        return self._rows if self._recurs else as_given(target, self._loaders.size, self._loaders.tensors)

    def _as_evaluated(
        self,
        losses: torch.Tensor | None,
        output: Any,
        target: Any,
        options: dict[str, Any],
        layout: Rows | None,
    ) -> torch.Tensor | None:
        """Losses of training examples with the label smoothing of the evaluation, where they have another."""
        if losses is None or layout is None or self._smoothing is None:
            return losses
        if "label_smoothing" not in options or options["label_smoothing"] == self._smoothing:
            return losses
        return smoothed(output, target, options, layout, self._smoothing)

    def _is_apart(self, target: Any) -> bool:
        """Whether a loss between two training batches is of other data: the batch that was learned from is used up."""
        place, learned = self._learned
        if place is None or place != self._loaders.place or not isinstance(target, torch.Tensor):
            return False
        if not isinstance(learned, torch.Tensor) or learned is target:
            return False
        if learned.untyped_storage().data_ptr() == target.untyped_storage().data_ptr():
            return False  # a part of it
        return learned.shape != target.shape or not torch.equal(learned, target)

    def _move_calls(self, loader: int | None) -> None:
        """What ran for this loss belongs to data that no loader gave."""
        if loader in self._calls:
            self._calls[None] = self._calls.get(None, 0) + self._calls.pop(loader)
            self._modes[None] = self._modes.pop(loader)

    @property
    def _batch(self) -> Any:
        """Tells batches apart: by the call over a whole sequence, or by the loader where cells are called by step."""
        stepwise = not self._recurs or (self._rows is not None and self._rows.time == 1)
        return self._loaders.place if stepwise else self._forward

    def another_training(self) -> None:
        """What was best, and what was given, was so to another network; its last evaluation is still to be written."""
        self._anew = True
        self._loaders.rows.another_training()

    def pending(self, loader: int | None) -> int:
        """Losses of the evaluation under way on a loader."""
        return len(self._losses.get(loader, ())) + len(self._doubtful.get(loader, ()))

    @property
    def under_way(self) -> bool:
        """Whether anything was evaluated since the last update."""
        return bool(self._losses or self._calls or self._doubtful)

    def training_goes_on(self, step: int) -> None:
        """Writes what was evaluated after update `step`; a backward pass is about to run or has run."""
        for loader in list(self._doubtful):
            losses = self._doubtful.pop(loader)
            if loader not in self._loaders.training and step > 0:
                self._losses.setdefault(loader, []).extend(losses)
        self._write_all(step)
        if self._anew:
            self._best.clear()
            self._anew = False

    def _write_all(self, step: int) -> None:
        if not (self._losses or self._calls):
            self._examples.clear()
            return
        for loader in sorted({*self._losses, *self._calls}, key=lambda n: -1 if n is None else n):
            written = self._written.take(loader)
            values = [float(loss) for loss in self._losses.get(loader, [])] or written
            self._write(step, loader, values)
        self._losses.clear()
        self._calls.clear()
        self._modes.clear()
        self._examples.clear()
        self._written.end()
        self.trained.used(step)

    def _write(self, step: int, loader: int | None, values: list[float]) -> None:
        on_training_data = loader is not None and loader in self._loaders.training
        self.seen |= step > 0 and not on_training_data and (bool(values) or loader is not None)
        fields: dict[str, Any] = {
            "step": step,
            "batches": len(values) or self._calls[loader],
            "loss": sum(values) / len(values) if values else None,
            "training_mode": self._modes[loader],
            "loader": loader,
            "on_training_data": on_training_data,
        }
        if step > 0 and not on_training_data:
            fields |= self._single(step, loader)
        self._writer.write("evaluation", **fields)

    def _single(self, step: int, loader: int | None) -> dict[str, Any]:
        """What the losses of single examples tell, beside those of the last training batches."""
        examples = self._examples.get(loader)
        losses = examples.all() if examples is not None else None
        if examples is None or losses is None:
            return {}
        fields: dict[str, Any] = {"examples": summary(losses), "trained": self.trained.summary(step)}
        best = self._best.get(loader)
        if best is not None:
            alike = examples.marks == best.marks and len(losses) == len(best.losses)
            fields["rise"] = rise(best.step, best.losses, losses, paired=alike)
        if best is None or losses.mean() < best.losses.mean():
            self._best[loader] = _Best(step, losses, examples.marks)
        return fields
