"""Losses of an evaluation that no loss function of torch's made: what the script reads out by `.item()`."""

from __future__ import annotations

import ast
import linecache
import re
from typing import Any

import torch

from .. import places
from ..listening import Listening, Tell, directly

_READ_OUT = re.compile(r"([\w.]+)(?:\[[^]]*\])?(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*\.item\(")
_LOSS = re.compile(
    r"loss|crit(?!ic)|nll|mse|rmse|mae|bce|cross_?entropy|perplexity|cost|error", re.IGNORECASE
)
_NAMED_FOR = re.compile(r"loss|nll|mse|rmse|bce|cross_?entropy", re.IGNORECASE)
"""What a number is kept under that is a loss itself: an error or a cost may be a share of wrong answers."""
_OF_TRAINING = re.compile(
    r"(?<![a-z])(tr|train|training)(?![a-z])|(?<![a-z])train(ing)?_?loss", re.IGNORECASE
)
"""What a loss is called that was learned from, as where an epoch is summed up after its validation."""
_MOST = 100_000


class WrittenLosses:
    """Listens to `Tensor.item` while the script evaluates, and keeps the numbers that the source line calls a loss.

    A number that is called otherwise, as an accuracy is, cannot be told from any other and is left alone.
    """

    def __init__(self, tell: Tell = directly) -> None:
        self._listening = Listening(tell)
        self._loader: int | None = None
        self._values: dict[int | None, dict[tuple[str, int], list[float]]] = {}
        self._lines: dict[tuple[str, int], bool] = {}

    def begin(self, loader: int | None) -> None:
        """A recurrent module ran without gradients on a batch of this loader."""
        self._loader = loader
        self._listening.begin("evaluations", self._read, (torch.Tensor,), ("item",))

    def take(self, loader: int | None) -> list[float]:
        """The losses that were read out since `begin`, on one loader; of several lines the first."""
        return next(iter(self._values.pop(loader, {}).values()), [])

    def end(self) -> None:
        """The script trains on."""
        self._values.clear()
        self._listening.end("evaluations")

    def _read(self, _name: str, value: Any, args: Any, _kwargs: Any) -> None:
        if not isinstance(value, float) or args[0].requires_grad:
            return
        line = places.own_call()
        if line is None:
            return
        if line not in self._lines:
            self._lines[line] = _is_loss(linecache.getline(*line))
        if self._lines[line]:
            kept = self._values.setdefault(self._loader, {}).setdefault(line, [])
            if len(kept) < _MOST:
                kept.append(value)


def _is_loss(text: str) -> bool:
    """Whether a line reads one number out, and what it reads, or keeps it under, is called a loss."""
    if text.count(".item(") != 1:
        return False
    read = _READ_OUT.search(text)
    if read and _OF_TRAINING.search(read.group(1)):
        return False
    return bool(read and _LOSS.search(read.group(1))) or _is_kept_as_loss(text)


def _is_kept_as_loss(text: str) -> bool:
    """Whether the number itself, or its multiple, becomes or is added to something that is called a loss.

    What is taken off or from it is none: `1 - dice.item()` rises where the number falls.
    """
    try:
        line: Any = ast.parse(text.strip())
    except (SyntaxError, ValueError):  # a part of a longer statement
        return False
    while getattr(line, "body", None) and isinstance(line.body, list):
        line = line.body[0]
    kept: Any
    value: Any = getattr(line, "value", None)
    if isinstance(line, ast.Assign) and len(line.targets) == 1:
        kept = line.targets[0]
    elif isinstance(line, ast.AugAssign) and isinstance(line.op, ast.Add):
        kept = line.target
    elif isinstance(line, ast.Expr) and _calls(value, "append") and len(value.args) == 1:
        kept, value = value.func.value, value.args[0]
    else:
        return False
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.Div)):
        value = value.left
    name = ast.unparse(kept).rpartition(".")[2]
    return _calls(value, "item") and bool(_NAMED_FOR.search(name)) and not _OF_TRAINING.search(name)


def _calls(node: Any, method: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
