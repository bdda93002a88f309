"""Snippets in the script's own names."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from rnn_doctor.schema.names import Names

_LAYERS = ("rnn", "lstm", "bilstm", "cell")
"""What the catalogue calls a recurrent module."""
_BATCH_FIRST = re.compile(r", batch_first=True\b|\bbatch_first=True, ")


_GROWS = "*= 10\n"
"""How the catalogue raises a rate."""


def in_names_of(snippet: str, names: Names, subject: str | None) -> str:
    """The snippet with the script's names for optimizer, model, the subject's recurrent module and its weights.

    What is not known keeps the name of the catalogue, and so does everything where the result would not be Python.
    """
    own: dict[str, str | None] = {"optimizer": names.optimizer, "model": names.model}
    own |= dict.fromkeys(_LAYERS, names.modules.get(subject or ""))
    own["recurrent"] = names.recurrent.get(subject or "")
    renamed = _renamed(snippet, {old: new for old, new in own.items() if new is not None})
    try:
        ast.parse(renamed)
    except SyntaxError:  # such as a parameter of a function that is now called self.model
        return snippet
    return renamed


def in_form_of(snippet: str, before: str, names: Names, subject: str | None) -> str:
    """The snippet for the subject's class of network and order of axes, where the catalogue's stands before it too;
    and by the factor that a rate falls short.

    What a remedy itself changes, as gated cells do the class, stands in `before` otherwise, and is left as it is.
    """
    snippet = snippet.replace(_GROWS, f"*= {names.shortfall}\n")
    kind = names.kinds.get(subject or "")
    if kind in ("RNN", "GRU"):
        for written, own in (("torch.nn.LSTM(", f"torch.nn.{kind}("), ("(h_n, c_n)", "h_n")):
            snippet = snippet.replace(written, own) if written in before else snippet
    if subject in names.time_first and _BATCH_FIRST.search(before):
        snippet = _BATCH_FIRST.sub("", snippet)
    return snippet


def subject_of(subjects: Iterator[str], names: Names) -> str | None:
    """Which module a remedy is for: the first subject that is one, else the only one that there is."""
    known = {*names.modules, *names.recurrent, *names.kinds}
    first = next((subject for subject in subjects if subject in known), None)
    only = next(iter(known)) if len(known) == 1 else None
    return first or only


def _renamed(snippet: str, own: Mapping[str, str]) -> str:
    lines = snippet.splitlines(keepends=True)
    for row, start, end, new in reversed(list(_places(snippet, own))):
        lines[row] = lines[row][:start] + new + lines[row][end:]
    return "".join(lines)


def _places(snippet: str, own: Mapping[str, str]) -> Iterator[tuple[int, int, int, str]]:
    """Line, first and last column of every name to replace: no attribute, no keyword, and in comments layers alone."""
    tokens = list(tokenize.generate_tokens(io.StringIO(snippet).readline))
    depth = 0
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        row, start = token.start[0] - 1, token.start[1]
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        elif token.type == tokenize.COMMENT:
            layers = "|".join(re.escape(name) for name in _LAYERS if name in own)
            for word in re.finditer(rf"\b(?:{layers})\b", token.string) if layers else ():
                yield row, start + word.start(), start + word.end(), own[word.group()]
        elif token.type == tokenize.NAME and token.string in own:
            attribute = before is not None and before.string == "."
            keyword = depth > 0 and after is not None and after.string == "="
            if not attribute and not keyword:
                yield row, start, token.end[1], own[token.string]
