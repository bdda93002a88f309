"""The templates, with their escaping, and what the page may do in a browser."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rnn_doctor.render import wording
from rnn_doctor.render.html import headline, words
from rnn_doctor.schema.remedy import Study
from rnn_doctor.schema.report import Prescription

_LONGEST = 1_000
"""Characters of a text; whole texts are in the JSON report."""
_SUMMARY = 4_000
_CELL = 160
"""Of one of many: a cell of a table, a name in a list."""
_VERDICTS = {
    "present": "Present",
    "suspected": "Suspected",
    "absent": "Absent",
    "not_assessed": "Not assessed",
}


def policy(style: str, script: str) -> str:
    """What the page may do: use its own style and script, known by their hashes; load nothing."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def file(name: str) -> str:
    """The text of a file beside the templates."""
    return (files("rnn_doctor.render.html") / "templates" / name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """The templates of the page."""
    made = Environment(
        loader=PackageLoader("rnn_doctor.render.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "path": lambda text: Markup("/<wbr>").join(wording.short(text, _LONGEST).split("/")),
        "sentence": words.sentence,
        "first_line": lambda text: words.code(text).split("\n", 1)[0],
        "marked": words.marked,
        "linked": words.linked,
        "sureness": lambda word: word if word == "certain" else f"{word} confidence",
        "code": lambda text: Markup(escape(words.code(text))),
        "told": lambda text: Markup(escape(wording.short(text, _SUMMARY))),
        "cell": lambda value: Markup(escape(wording.short(str(value), _CELL))),
        "figure": words.figure,
        "value": wording.value,
        "record": wording.record,
        "study": wording.study,
        "studies": _studies,
        "sources": _sources,
        "layer": words.layer,
        "prose": lambda text: [words.marked(part, _SUMMARY) for part in text.strip().split("\n\n")[:20]],
    }
    made.globals |= {
        "verdict_words": _VERDICTS,
        "basis": wording.basis,
        "roles": headline.ROLES,
        "count": wording.count,
        "folded": _folded,
    }
    return made


def _folded(remedy: Prescription, how: bool) -> str:
    """What is folded under a remedy: `How, 2 cautions, 1 source`."""
    cautions, sources = len(remedy.cautions), len(_sources(remedy))
    parts = [wording.count(cautions, "caution")] if cautions else []
    studies = len(_studies(remedy)[1])
    parts += [f"{studies} stud{'y' if studies == 1 else 'ies'}"] if studies else []
    parts += [wording.count(sources, "source")] if sources else []
    return ", ".join(["How", *parts] if how else parts)


def _sources(remedy: Prescription) -> list[str]:
    """What else it rests on than the studies that are told."""
    told = {study.source for study in remedy.evidence}
    return [source for source in remedy.sources if source not in told]


def _studies(remedy: Prescription) -> tuple[Sequence[Study], Sequence[Study]]:
    """What was measured elsewhere: what is told at once, the first study that knows a size of effect, and the rest."""
    first = [study for study in remedy.evidence if study.effect][:1]
    return first, [study for study in remedy.evidence if study not in first]


def _safe(value: Any) -> Any:
    """What an expression of the template may write: foreign text is cleaned and bounded, then escaped as always."""
    return (
        wording.short(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
    )
