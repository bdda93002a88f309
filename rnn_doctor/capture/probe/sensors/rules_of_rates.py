"""What a scheduler's function of the number of updates will make of the rate: it is asked, where that has no effect."""

from __future__ import annotations

import builtins
import dis
import functools
import math
from itertools import pairwise
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Callable

_FURTHEST = 20
"""Powers of two that are asked for, from 1 on: to a million updates."""
_TOP = 0.999
"""Of its largest value, at which a rule is taken to have arrived."""
_PLAIN = frozenset(
    getattr(builtins, name) for name in ("min", "max", "float", "int", "abs", "round", "pow", "bool")
)
_MATHEMATICS = frozenset(name for name in dir(math) if not name.startswith("_")) | {"min", "max"}
_CHANGES = (
    "STORE_GLOBAL",
    "STORE_NAME",
    "STORE_ATTR",
    "STORE_SUBSCR",
    "STORE_DEREF",
    "DELETE_",
    "IMPORT_",
    "YIELD",
)
"""What may leave something behind; a variable of the function's own is none of it."""
_LOOPS = ("JUMP_BACKWARD", "FOR_ITER", "GET_ITER", "GET_AITER", "SEND", "BEFORE_WITH", "SETUP_WITH")
"""Which may take as long as the number that is asked for."""


def rises_until(rule: Callable[[int], Any]) -> int | None:
    """Up to which number a rule's value rises to its largest one; None where it begins there, or does not tell."""
    found = rise(rule)
    return None if found is None else found[0]


def rise(rule: Callable[[int], Any]) -> tuple[int, float] | None:
    """That number, and the value there; None where it begins there, or does not tell.

    It tells if it computes a number of its argument and what it reads, in the open: without loops, without a call of
    anything but mathematics and functions like itself, and without leaving anything behind. So asking has no effect.
    """
    if not _only_computes(rule, set()):
        return None
    try:
        return _arrival(functools.partial(_value, rule))
    except Exception:  # whatever a rule raises beyond the updates that it was written for
        return None


def _arrival(value: Callable[[int], float]) -> tuple[int, float] | None:
    asked = [0, *(2**power for power in range(_FURTHEST + 1))]
    values = [value(number) for number in asked]
    # Only up to where it falls: a cosine comes back to its largest value long after the training that it was made for.
    end = next((at for at, (now, then) in enumerate(pairwise(values)) if then < now), _FURTHEST + 1)
    largest = values.index(max(values[: end + 1]))
    # What still rises at the end, as a search for a rate does, has no end to tell.
    if not largest or largest == _FURTHEST + 1 or values[largest] <= 0:
        return None
    below, beyond = asked[largest - 1], asked[largest + 1]
    summit = _summit(value, below, beyond)
    number = _first(value, _TOP * value(summit), below, summit)
    return None if number is None else (number, value(summit))


def _summit(value: Callable[[int], float], low: int, high: int) -> int:
    """The number between two at which a value that rises and then falls is largest."""
    while high - low > 2:
        third = (high - low) // 3
        if value(low + third) < value(high - third):
            low += third
        else:
            high -= third
    return max(range(low, high + 1), key=value)


def _first(value: Callable[[int], float], enough: float, low: int, high: int) -> int | None:
    """The first number between two, of which the last is enough, where a rising value is."""
    if value(low) >= enough:
        return low or None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if value(middle) >= enough else (middle, high)
    return high


def _value(rule: Callable[[int], Any], number: int) -> float:
    value = rule(number)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _only_computes(rule: Any, seen: set[CodeType]) -> bool:
    if isinstance(rule, functools.partial):
        given = (*rule.args, *rule.keywords.values())
        return _only_computes(rule.func, seen) and all(_harmless(value, seen) for value in given)
    if isinstance(rule, MethodType):
        return _only_computes(rule.__func__, seen)
    if not isinstance(rule, FunctionType):
        called = vars(type(rule)).get("__call__")
        return isinstance(called, FunctionType) and _only_computes(called, seen)
    code = rule.__code__
    if code in seen:
        return False  # a recursion may go as deep as the number that is asked for
    cells = dict(zip(code.co_freevars, (cell.cell_contents for cell in rule.__closure__ or ()), strict=True))
    reached = [cells[name] for name in code.co_freevars]
    reached += [*(rule.__defaults__ or ()), *(rule.__kwdefaults__ or {}).values()]
    reached += [rule.__globals__.get(name, getattr(builtins, name, None)) for name in _globals(code)]
    return _in_the_open(code) and all(_harmless(value, seen | {code}) for value in reached)


def _globals(code: CodeType) -> list[str]:
    return [i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")]


def _in_the_open(code: CodeType) -> bool:
    if any(isinstance(constant, CodeType) for constant in code.co_consts):
        return False
    instructions = list(dis.get_instructions(code))
    if any(i.opname.startswith(_CHANGES) or i.opname.startswith(_LOOPS) for i in instructions):
        return False
    return all(i.argval in _MATHEMATICS for i in instructions if _is_method(i))


def _is_method(instruction: dis.Instruction) -> bool:
    """Whether it looks up a name to call it; a number that is read from an object is looked up otherwise."""
    if instruction.opname == "LOAD_METHOD":  # before Python 3.12
        return True
    return instruction.opname == "LOAD_ATTR" and bool((instruction.arg or 0) & 1) and not _OLD


_OLD = "LOAD_METHOD" in dis.opmap and dis.opmap["LOAD_METHOD"] < 256
"""Whether this Python has an instruction of its own for methods."""


def _harmless(value: Any, seen: set[CodeType]) -> bool:
    """Whether code that holds this can but read it, or call what computes alone."""
    if isinstance(value, ModuleType):
        return value.__name__ in ("math", "numpy")
    if isinstance(value, (FunctionType, MethodType)):
        return _only_computes(value, seen)
    if isinstance(value, (type, BuiltinFunctionType)):
        return value in _PLAIN or getattr(math, value.__name__, None) is value
    return not callable(value)
