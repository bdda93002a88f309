"""Snippets speak of the script's own optimizer, model and recurrent modules."""

import ast
from collections.abc import Iterator

import pytest

from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.prescribe.snippets import in_names_of, subject_of
from rnn_doctor.schema.names import Names
from rnn_doctor.schema.remedy import Remedy

OWN = Names(optimizer="opt", model="self.net", modules={"encoder.lstm": "self.encoder"})
CATALOGUE = load().remedies


def renamed(snippet: str, subject: str | None = "encoder.lstm") -> str:
    return in_names_of(snippet, OWN, subject)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("optimizer = Adam(model.parameters(), lr=1e-3)", "opt = Adam(self.net.parameters(), lr=1e-3)"),
        ("y, _ = lstm(x)  # lstm drops none", "y, _ = self.encoder(x)  # self.encoder drops none"),
        ("schedule(optimizer=optimizer, model=1)", "schedule(optimizer=opt, model=1)"),
        ("x.model.optimizer = 'the model'  # of the model", "x.model.optimizer = 'the model'  # of the model"),
        ("h = cell(step, h)", "h = self.encoder(step, h)"),
        ("remodel(models)", "remodel(models)"),
        ("def train(model):\n    model(x)", "def train(model):\n    model(x)"),
    ],
    ids=["assignment", "layer", "keyword", "attribute", "cell", "parts of words", "would be no Python"],
)  # fmt: skip
def test_names_are_replaced_where_they_are_names(given: str, expected: str) -> None:
    assert renamed(given) == expected


def test_what_is_not_known_keeps_its_name() -> None:
    text = "optimizer.step()\nlstm(x)"
    assert in_names_of(text, Names(), None) == text
    assert renamed(text, subject=None) == "opt.step()\nlstm(x)"


def test_the_module_is_the_subject_or_the_only_one() -> None:
    two = Names(modules={"a": "self.a", "b": "self.b"})

    def of(*subjects: str) -> Iterator[str]:
        return iter(subjects)

    assert subject_of(of("run", "b", "a"), two) == "b"
    assert subject_of(of("run"), two) is None
    assert subject_of(of("run"), OWN) == "encoder.lstm"


@pytest.mark.parametrize("remedy", CATALOGUE.values(), ids=lambda remedy: remedy.id)
def test_every_snippet_stays_python(remedy: Remedy) -> None:
    plain = in_names_of(remedy.after, Names(optimizer="opt", model="net", modules={"l": "gru"}), "l")
    ast.parse(plain)
    names = {node.id for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Name)}
    assert not names & {"optimizer", "model", "rnn", "lstm", "bilstm", "cell"}
