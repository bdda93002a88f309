"""Snippets speak of the script's own optimizer, model and recurrent modules."""

import ast
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.prescribe.snippets import in_form_of, in_names_of, subject_of
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


def test_a_hand_written_recurrence_has_snippets_of_its_own() -> None:
    own = Names(modules={"Net": "net"}, recurrent={"Net": "net.gates.weight[:, 3:8]"})
    snippet = CATALOGUE["orthogonal-initialization"].by_hand or ""
    told = in_names_of(snippet, own, "Net")
    assert "for gate in net.gates.weight[:, 3:8].split(net.gates.weight[:, 3:8].shape[1]):" in told
    assert in_names_of(snippet, Names(recurrent={"Net": None}), "Net") == snippet
    assert subject_of(iter(["run"]), Names(recurrent={"Net": None})) == "Net"


@pytest.mark.parametrize(
    "id_", ["orthogonal-initialization", "xavier-initialization", "he-initialization", "reinitialize-weights"]
)
@pytest.mark.parametrize("recurrent", ["net.h2h.weight", "net.gates.weight[:, 3:8]", "net.w.t()"])
def test_what_is_written_for_hand_written_recurrences_runs(id_: str, recurrent: str) -> None:
    net = nn.Module()
    net.h2h, net.gates = nn.Linear(5, 5), nn.Linear(3 + 5, 20)
    net.w = nn.Parameter(torch.randn(5, 5))
    before = [p.detach().clone() for p in net.parameters()]
    own = Names(modules={"Net": "net"}, recurrent={"Net": recurrent})
    snippet = in_names_of(CATALOGUE[id_].by_hand or "", own, "Net")
    if id_ == "he-initialization" and "gates" in recurrent:
        return  # the identity is for a recurrence of one matrix
    exec(snippet, {"torch": torch, "net": net})
    assert any(not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize(
    ("remedy", "kind", "told", "untold"),
    [
        ("pack-padded-sequences", "GRU", "_, h_n = rnn(packed)", "c_n"),
        ("pack-padded-sequences", "LSTM", "_, (h_n, c_n) = rnn(packed)", "GRU"),
        ("fix-batch-dimension", "RNN", "torch.nn.RNN(input_size, hidden_size, batch_first=True)", "LSTM"),
        ("gated-cell", "RNN", "torch.nn.LSTM(", "nn.RNN"),
        ("skip-connections", "GRU", "torch.nn.GRU(size, size)", "batch_first"),
    ],
)
def test_snippets_have_the_class_and_the_axes_of_the_layer(
    remedy: str, kind: str, told: str, untold: str
) -> None:
    entry = CATALOGUE[remedy]
    own = Names(kinds={"layer": kind}, time_first=("layer",))
    snippet = in_form_of(entry.after, entry.before or "", own, "layer")
    assert told in snippet
    assert untold not in snippet
    ast.parse(snippet)
    unknown = in_form_of(entry.after, entry.before or "", Names(), "layer")
    assert unknown == entry.after


def test_the_rate_is_raised_by_what_the_updates_fall_short() -> None:
    snippet = CATALOGUE["raise-learning-rate"].after
    assert 'group["lr"] *= 1000\n' in in_form_of(snippet, "", Names(shortfall=1000), None)
    assert in_form_of(snippet, "", Names(), None) == snippet
    lowered = CATALOGUE["lower-learning-rate"].after
    assert in_form_of(lowered, "", Names(shortfall=1000), None) == lowered


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
    assert subject_of(of("run"), Names(kinds={"lstm": "LSTM"})) == "lstm"


@pytest.mark.parametrize("remedy", CATALOGUE.values(), ids=lambda remedy: remedy.id)
def test_every_snippet_stays_python(remedy: Remedy) -> None:
    plain = in_names_of(remedy.after, Names(optimizer="opt", model="net", modules={"l": "gru"}), "l")
    ast.parse(plain)
    names = {node.id for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Name)}
    assert not names & {"optimizer", "model", "rnn", "lstm", "bilstm", "cell"}
