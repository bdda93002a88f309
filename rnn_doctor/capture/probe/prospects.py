"""What the calling code tells of a validation to come: read from frames and code objects, without running anything."""

from __future__ import annotations

import os
from opcode import opmap
from types import CodeType, FunctionType, ModuleType
from typing import Any, Iterator

from torch.utils.data import DataLoader

from . import places

_EVALUATES = frozenset(("no_grad", "inference_mode", "set_grad_enabled", "eval"))
"""Names that code uses which runs a network without learning."""
_LIGHTNING = ("lightning.", "pytorch_lightning.")
_HUGGING_FACE = "transformers.trainer"
_MOST_FUNCTIONS = 500
_MOST_INSIDE = 100
_FOR_ITER = opmap["FOR_ITER"]
_OWN = os.path.dirname(os.path.abspath(__file__))


def _frames(frame: Any) -> Iterator[Any]:
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_OWN):
            yield frame
        frame = frame.f_back


def stops_at_exhaustion(frame: Any) -> bool:
    """Whether the code that asks an iterator for its next item goes on after the last: a loop, or a library.

    A script that calls `next()` itself either does not expect the end, or begins anew at once.
    """
    code = frame.f_code
    return code.co_code[frame.f_lasti] == _FOR_ITER or not places.is_users(code.co_filename)


def loaders(frame: Any) -> Iterator[Any]:
    """The DataLoaders that variables on the stack hold: themselves, in an object's attributes or in a container."""
    for each in _frames(frame):
        for value in list(each.f_locals.values()):
            for inner in (value, *_inside(value)):
                if DataLoader in type(inner).__mro__:
                    yield inner


def _inside(value: Any) -> list[Any]:
    kind = type(value)
    if kind in (list, tuple):
        return list(value[:_MOST_INSIDE])
    if kind is dict:
        return list(value.values())[:_MOST_INSIDE]
    attributes = getattr(value, "__dict__", None) if not isinstance(value, (type, ModuleType)) else None
    return list(attributes.values())[:_MOST_INSIDE] if type(attributes) is dict else []


def validation_expected(frame: Any) -> bool:
    """Whether code on the stack, or a function beside it, evaluates without gradients or in evaluation mode.

    Libraries do for every script; of them only what Hugging Face's Trainer was asked for counts.
    """
    seen: set[CodeType] = set()
    for each in _frames(frame):
        if each.f_globals.get("__name__", "").startswith(_HUGGING_FACE) and _trainer_evaluates(
            each.f_locals.get("self")
        ):
            return True
        if not places.is_users(each.f_code.co_filename):
            continue
        codes = [each.f_code, *_beside(each.f_globals)]
        if any(_evaluates(code, seen) for code in codes):
            return True
    return False


def _trainer_evaluates(trainer: Any) -> bool:
    strategy = getattr(getattr(trainer, "args", None), "eval_strategy", "no")
    return getattr(trainer, "eval_dataset", None) is not None and getattr(strategy, "value", strategy) != "no"


def _beside(names: dict[str, Any]) -> Iterator[CodeType]:
    """The functions and methods of a module."""
    module = names.get("__name__")
    for value in list(names.values())[:_MOST_FUNCTIONS]:
        if getattr(value, "__module__", None) != module:
            continue
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for member in members:
            function = getattr(member, "__wrapped__", member)
            if isinstance(function, FunctionType):
                yield function.__code__


def _evaluates(code: CodeType, seen: set[CodeType]) -> bool:
    if code in seen:
        return False
    seen.add(code)
    if _EVALUATES.intersection(code.co_names):
        return True
    return any(_evaluates(inner, seen) for inner in code.co_consts if isinstance(inner, CodeType))


def lightning_trainer(frame: Any) -> Any:
    """Lightning's trainer, where its loop is on the stack."""
    for each in _frames(frame):
        if each.f_globals.get("__name__", "").startswith(_LIGHTNING):
            holder = each.f_locals.get("self")
            trainer = holder if hasattr(holder, "fit_loop") else getattr(holder, "trainer", None)
            if hasattr(trainer, "should_stop") and hasattr(trainer, "fit_loop"):
                return trainer
    return None


def stop_lightning(trainer: Any) -> bool:
    """Asks Lightning to stop after this batch, which validates first; False where it has nothing to validate on.

    Lightning counts its batches itself and does not mind a loader that ends early.
    """
    if not getattr(trainer, "enable_validation", False):
        return False
    trainer.fit_loop.min_epochs = trainer.fit_loop.epoch_loop.min_steps = None
    trainer.should_stop = True
    return True
