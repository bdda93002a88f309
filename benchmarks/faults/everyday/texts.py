"""What Python itself brings along to read: the docstrings of its modules, and its reference."""

import ast
import re
import sysconfig
from collections import Counter
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import Tensor

from ..task import Batch

CHARACTERS = " abcdefghijklmnopqrstuvwxyz.,()'-\n"
"""What else there is, is left out."""
WINDOW = 16
"""Characters that are read at once."""
WORDS, SENTENCE = 80, 16
"""Words that are told apart, of which 0 is any other; words that are read at once."""
_MODULES = (
    "abc", "argparse", "bdb", "bisect", "calendar", "cmd", "codecs", "collections/__init__", "configparser",
    "contextlib", "copy", "csv", "datetime", "difflib", "email/message", "enum", "fileinput", "fractions",
    "ftplib", "functools", "gettext", "glob", "heapq", "imaplib", "inspect", "locale", "logging/__init__",
    "mailbox", "mimetypes", "optparse", "os", "pickle", "random", "sched", "shelve", "shlex", "smtplib",
    "socket", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading",
    "timeit", "traceback", "typing", "unittest/case", "urllib/request", "uuid", "weakref", "zipfile",
)  # fmt: skip


@cache
def docstrings() -> str:
    """Those of the modules, one after the other."""
    library, found = Path(sysconfig.get_path("stdlib")), []
    for name in _MODULES:
        path = library / f"{name}.py"
        if path.exists():
            found += [
                ast.get_docstring(node) or ""
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            ]
    text = "\n".join(each.lower() for each in found if each)
    return "".join(c for c in re.sub(r" +", " ", text) if c in CHARACTERS)


@cache
def characters(training: bool) -> Tensor:
    """The docstrings as numbers; the last tenth is kept to validate on."""
    codes = torch.tensor([CHARACTERS.index(c) for c in docstrings()])
    cut = len(codes) * 9 // 10
    return codes[:cut] if training else codes[cut:]


@cache
def _reference(training: bool) -> Tensor:
    text = "\n".join(topics[name] for name in sorted(topics))[240_000:]
    words = re.findall(r"[a-z]+|[.,:]", text.lower())
    known = {word: n for n, (word, _) in enumerate(Counter(words).most_common(WORDS - 1), 1)}
    codes = torch.tensor([known[word] for word in words if word in known])
    cut = len(codes) * 9 // 10
    return codes[:cut] if training else codes[cut:]


def manual(n: int, g: torch.Generator, training: bool) -> Batch:
    """Pieces of docstrings, and after each character the next."""
    return _windows(characters(training), n, WINDOW, g)


def glossary(n: int, g: torch.Generator, training: bool) -> Batch:
    """Sixteen words, and after each the next."""
    return _windows(_reference(training), n, SENTENCE, g)


def _windows(codes: Tensor, n: int, length: int, g: torch.Generator) -> Batch:
    starts = torch.randint(0, len(codes) - length - 1, (n, 1), generator=g)
    rows = codes[starts + torch.arange(length + 1)]
    return rows[:, :-1], rows[:, 1:], None
