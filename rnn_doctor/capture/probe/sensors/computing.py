"""Whether a function of the script does nothing but compute: then it can be asked, and nothing is left behind.

It is read from its instructions, which differ from one version of Python to the next: only those that are known to
compute are taken for it, so that an unknown one means that the function is not asked.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import math
import numbers
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_PLAIN = frozenset(
    getattr(builtins, name) for name in ("min", "max", "float", "int", "abs", "round", "pow", "bool")
)
_MATHEMATICS = frozenset(name for name in dir(math) if not name.startswith("_"))
_UFUNCS = _MATHEMATICS | {"absolute", "maximum", "minimum", "power"}
"""Numpy's, by the names of mathematics and its own."""
_VALUES = (numbers.Number, str, bytes, type(None))
_MOST = 10_000
"""Items of a table that a function reads."""
_COMPUTES = (
    "BINARY_",
    "BUILD_",
    "COMPARE_OP",
    "CONTAINS_OP",
    "COPY",  # COPY_FREE_VARS, too
    "DICT_MERGE",
    "DUP_TOP",
    "INPLACE_",
    "IS_OP",
    "LIST_EXTEND",
    "LIST_TO_TUPLE",
    "LOAD_ASSERTION_ERROR",
    "LOAD_COMMON_CONSTANT",
    "LOAD_CONST",
    "LOAD_SMALL_INT",
    "POP_TOP",
    "RAISE_VARARGS",
    "RETURN_CONST",
    "RETURN_VALUE",
    "ROT_",
    "STORE_FAST",
    "SWAP",
    "TO_BOOL",
    "UNARY_",
    "UNPACK_SEQUENCE",
)
"""How the names of instructions begin that compute, or change a variable of the function's own alone."""
_CALLS = frozenset(
    ("CALL", "CALL_FUNCTION", "CALL_FUNCTION_EX", "CALL_FUNCTION_KW", "CALL_KW", "CALL_METHOD")
)
_LEAVES_THE_TOP = frozenset(
    ("CACHE", "EXTENDED_ARG", "KW_NAMES", "NOP", "NOT_TAKEN", "PRECALL", "PUSH_NULL", "RESUME")
)
"""After which what was loaded last is still what was loaded last."""
_JUMPS = frozenset((*getattr(dis, "hasjabs", ()), *getattr(dis, "hasjrel", ())))
_GLOBALS = frozenset(("LOAD_GLOBAL", "LOAD_NAME"))
_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD"))
_COMPUTED = object()
"""Stands for what an instruction has computed, or a variable holds."""
_USUAL: tuple[Any, ...] = (object.__getattribute__, type.__getattribute__, ModuleType.__getattribute__)


def only_computes(function: Any) -> bool:
    """Whether a call computes of its arguments and of what it reads, in the open, and nothing else.

    That is: no loops, which may take as long as the number that is asked for; no call of anything but mathematics and
    functions like itself; of objects nothing but what they hold by name; nothing kept but variables of its own.
    """
    return _function(function, frozenset())


def _function(function: Any, within: frozenset[CodeType]) -> bool:
    """within: the code of the functions that call it."""
    if isinstance(function, functools.partial):
        given = (*function.args, *function.keywords.values())
        return _function(function.func, within) and all(_is_harmless(value, within) for value in given)
    owner: tuple[Any, ...] = ()
    if isinstance(function, MethodType):
        function, owner = function.__func__, (function.__self__,)
    elif not isinstance(function, FunctionType):
        function, owner = vars(type(function)).get("__call__"), (function,)
    if not isinstance(function, FunctionType) or function.__code__ in within:
        return False  # a recursion may go as deep as the number that is asked for
    return _Reading(function, owner, within | {function.__code__}).only_computes()


class _Reading:
    """The instructions of a function, one after the other, with what was loaded last as far as that is known."""

    def __init__(self, function: FunctionType, owner: tuple[Any, ...], within: frozenset[CodeType]) -> None:
        self._code = function.__code__
        self._within = within
        self._globals = function.__globals__
        self._known: dict[str, Any] = dict(zip(self._code.co_varnames[: self._code.co_argcount], owner))
        """Variables whose value is known: the object whose method it is, and what the functions around it hold."""
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        self._known.update(zip(self._code.co_freevars, cells))
        self._given = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        self._last: Any = _COMPUTED

    def only_computes(self) -> bool:
        return (
            not any(isinstance(constant, CodeType) for constant in self._code.co_consts)
            and all(_is_harmless(value, self._within) for value in self._given)
            and all(self._may_run(instruction) for instruction in dis.get_instructions(self._code))
        )

    def _may_run(self, instruction: dis.Instruction) -> bool:
        name = instruction.opname
        if (
            instruction.is_jump_target and not self._leave()
        ):  # what is used here may have been loaded elsewhere
            return False
        if name in _LEAVES_THE_TOP:
            return True
        if name in _ATTRIBUTES:
            self._last = _held(self._last, instruction.argval)
            return self._last is not _COMPUTED
        return self._leave() and self._goes_on(instruction)

    def _leave(self) -> bool:
        """What was loaded last is used: an object's operators may do anything, so that only its attributes may be."""
        harmless = self._last is _COMPUTED or _is_harmless(self._last, self._within)
        self._last = _COMPUTED
        return harmless

    def _goes_on(self, instruction: dis.Instruction) -> bool:
        """Whether it loads something, computes, or leads on to what comes after it."""
        name = instruction.opname
        if name in _GLOBALS:
            self._last = self._globals.get(instruction.argval, getattr(builtins, instruction.argval, None))
            return True
        if name.startswith(("LOAD_DEREF", "LOAD_FAST", "STORE_FAST")):
            return self._variables(instruction)
        if instruction.opcode in _JUMPS:
            return name.startswith(("JUMP_", "POP_JUMP_")) and instruction.argval > instruction.offset
        return name in _CALLS or name.startswith(_COMPUTES)

    def _variables(self, instruction: dis.Instruction) -> bool:
        """Of instructions that load and store variables: two at once from Python 3.13 on."""
        argval: Any = instruction.argval
        names = argval if isinstance(argval, tuple) else (argval,)
        if not instruction.opname.endswith("STORE_FAST"):
            self._last = self._known.get(names[-1], _COMPUTED)
            names = names[:-1]
        return not self._known.keys() & set(names)


def _held(owner: Any, name: str) -> Any:
    """What an object or a module holds by a name, read without any code of the script's; else `_COMPUTED`."""
    if type(owner).__getattribute__ not in _USUAL:
        return _COMPUTED
    if isinstance(owner, ModuleType):
        return vars(owner).get(name, _COMPUTED)
    found = inspect.getattr_static(owner, name, _COMPUTED)
    if inspect.ismemberdescriptor(found):  # of __slots__
        return getattr(owner, name, _COMPUTED)
    return _COMPUTED if hasattr(type(found), "__get__") else found


def _is_harmless(value: Any, within: frozenset[CodeType]) -> bool:
    """Whether code that holds this can but compute with it, or call what computes alone."""
    if isinstance(value, _VALUES):
        return True
    if isinstance(value, (tuple, list, dict)):
        held = list(value.values()) if isinstance(value, dict) else value
        return len(held) <= _MOST and all(isinstance(each, _VALUES) for each in held)
    if isinstance(value, (FunctionType, MethodType, functools.partial)):
        return _function(value, within)
    if isinstance(value, (type, BuiltinFunctionType)):
        return value in _PLAIN or getattr(math, value.__name__, None) is value
    return type(value).__name__ == "ufunc" and getattr(value, "__name__", "") in _UFUNCS
