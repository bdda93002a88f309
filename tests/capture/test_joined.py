"""Views of what was joined on the way: rows of two axes, copies, the steps of a loop."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.sensors.joined import pair_of, put_together
from rnn_doctor.capture.probe.sensors.source import Source
from tests.capture.test_mixing import Step, final

B, N, T, F, H, V = 6, 4, 5, 3, 8, 11
Made = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


# ---------------------------------------------------------------- rows of two axes

_EMBED = nn.Embedding(V, F)
_EMBEDDED: list[Made] = [
    lambda x: _EMBED(x).view(B * N, T, F),
    lambda x: _EMBED(x).flatten(0, 1),
    lambda x: _EMBED(x.view(-1, T)),
    lambda x: nn.functional.one_hot(x, F).float().view(B * N, T, F),
]
"""Of documents (B, N, T): what the words of each sentence are given to a recurrence as, (B * N, T, F)."""
_STATES: list[tuple[Made, bool]] = [
    (lambda h: h.view(N, B, H).transpose(0, 1), True),
    (lambda h: torch.relu(h).reshape(N, -1, H).permute(1, 0, 2), True),
    (lambda h: nn.functional.dropout(h).view(N, B, H).swapaxes(0, 1), True),
    (lambda h: h.view(B, N, H), False),
    (lambda h: h.view(B, -1).view(B, N, H), False),
    (lambda h: torch.stack(h.split(N)), False),
]
"""Of the sentences (B * N, H): documents (B, N, H), and whether sentences of several were put into one."""


@pytest.mark.parametrize("embedded", _EMBEDDED)
@pytest.mark.parametrize(("viewed", "mixes"), _STATES)
def test_sentences_of_documents(embedded: Made, viewed: Made, mixes: bool) -> None:
    words, sentences = nn.GRU(F, H, batch_first=True), nn.GRU(H, H, batch_first=True)
    documents = torch.randint(0, F, (B, N, T))
    step = Step()
    state = final(step.call(words, embedded(documents), number=0))[-1]
    found = step.found(step.call(sentences, viewed(state), number=1)[0])
    assert found == ([("state", [B * N, H], [N, B, H])] if mixes else [])


@pytest.mark.parametrize(
    ("read", "mixes"),
    [
        (lambda out: out[:, -1].view(N, B, H).transpose(0, 1), True),
        (lambda out: out.view(N, B, T, H)[:, :, -1].transpose(0, 1), True),
        (lambda out: out.view(B, N, T, H)[:, :, -1], False),
        (lambda out: out[:, -1].view(B, N, H), False),
    ],
)
def test_the_output_of_sentences(read: Made, mixes: bool) -> None:
    step = Step()
    out = step.call(nn.LSTM(F, H, batch_first=True), _EMBED(torch.randint(0, V, (B, N, T))).view(-1, T, F))[0]
    assert [what for what, _, _ in step.found(read(out))] == ["output"] * mixes


@pytest.mark.parametrize("mixes", [True, False])
def test_packed_sentences(mixes: bool) -> None:
    step = Step()
    embedded = _EMBED(torch.randint(0, V, (B, N, T))).view(B * N, T, F)
    lengths = torch.arange(B * N) % T + 1
    packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
    state = final(step.call(nn.GRU(F, H, batch_first=True), packed))[-1]
    assert bool(step.found(state.view(N, B, H) if mixes else state.view(B, N, H))) is mixes


def test_sentences_that_were_put_first() -> None:
    """Rows of sentences first are right the other way round."""
    for sizes, mixes in (((N, B), False), ((B, N), True)):
        step = Step()
        embedded = _EMBED(torch.randint(0, V, (B, N, T))).transpose(0, 1).reshape(B * N, T, F)
        state = final(step.call(nn.GRU(F, H, batch_first=True), embedded))[-1]
        assert bool(step.found(state.view(*sizes, H))) is mixes


def test_as_many_sentences_as_documents_are_not_told_apart() -> None:
    step = Step()
    embedded = _EMBED(torch.randint(0, V, (N, N, T))).view(N * N, T, F)
    state = final(step.call(nn.GRU(F, H, batch_first=True), embedded))[-1]
    assert not step.found(state.view(N, N, H).transpose(0, 1))


_FRONT = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, F, 3), nn.AdaptiveAvgPool2d(1)
)


@pytest.mark.parametrize(
    ("made", "mixes"),
    [
        (lambda x: _FRONT(x.view(B * T, 1, 12, 12)).view(T, B, F), True),
        (lambda x: _FRONT(x.flatten(0, 1)).flatten(1).reshape(T, -1, F), True),
        (lambda x: _FRONT(x.flatten(0, 1)).view(B, T, F).transpose(0, 1), False),
        (lambda x: _FRONT(x.transpose(0, 1).reshape(T * B, 1, 12, 12)).view(T, B, F), False),
    ],
)
def test_pictures_of_films(made: Made, mixes: bool) -> None:
    step = Step()
    out = step.call(nn.GRU(F, H), made(torch.randn(B, T, 1, 12, 12)))[0]
    assert [what for what, _, _ in step.found(out[-1])] == ["input"] * mixes


def test_a_batch_cut_out_of_a_data_set() -> None:
    data = torch.randn(40, N, T, F)
    assert pair_of(data[6:12].view(-1, T, F)) == (6, N)
    assert pair_of(data[6:12].reshape(-1, T, F)[1:]) is None
    assert pair_of(data[6:12].transpose(0, 1).reshape(-1, T, F)) is None
    assert pair_of(data[6:12, 0]) is None


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize(
    ("made", "mixes"),
    [
        (lambda z: z.repeat(T, 1).view(B, T, H), True),
        (lambda z: z.repeat(T, 1, 1).view(B, T, H), True),
        (lambda z: z.repeat(1, T).view(T, B, H).transpose(0, 1), True),
        (lambda z: z.expand(T, B, H).reshape(B, T, H), True),
        (lambda z: torch.tile(z, (T, 1)).reshape(-1, T, H), True),
        (lambda z: z.repeat_interleave(T, 0).view(T, B, H).transpose(0, 1), True),
        (lambda z: torch.cat([z] * T).view(B, T, H), True),
        (lambda z: torch.stack([z] * T).view(B, T, H), True),
        (lambda z: z.repeat(T, 1).view(T, B, H).transpose(0, 1), False),
        (lambda z: z.repeat(1, T).view(B, T, H), False),
        (lambda z: z.unsqueeze(1).repeat(1, T, 1), False),
        (lambda z: z.unsqueeze(1).expand(-1, T, -1), False),
        (lambda z: z.repeat_interleave(T, 0).view(B, T, H), False),
        (lambda z: torch.stack([z] * T, 1), False),
        (lambda z: torch.cat([z] * T, 1).view(B, T, H), False),
    ],
)
def test_a_state_that_is_repeated(made: Made, mixes: bool) -> None:
    encoder, decoder = nn.LSTM(F, H, batch_first=True), nn.LSTM(H, H, batch_first=True)
    step = Step()
    latent = final(step.call(encoder, torch.randn(B, T, F), number=0))[-1]
    found = step.found(step.call(decoder, made(latent), number=1)[0])
    assert bool(found) is mixes


# ---------------------------------------------------------------- steps of a loop


@pytest.mark.parametrize(
    ("joined", "mixes"),
    [
        (lambda outs: torch.stack(outs).view(B, T, H), True),
        (lambda outs: torch.stack(outs).reshape(B, -1), True),
        (lambda outs: torch.cat(outs).view(B, T, H), True),
        (lambda outs: torch.cat(outs, dim=-2).view(B, T, H), True),
        (lambda outs: torch.stack(outs, 1).view(T, B, H), True),
        (lambda outs: torch.stack(outs).transpose(0, 1), False),
        (lambda outs: torch.stack(outs, 1).view(B, -1), False),
        (lambda outs: torch.cat(outs).view(T, B, H).transpose(0, 1), False),
        (lambda outs: torch.cat(outs, 1).view(B, T, H), False),
        (lambda outs: torch.stack(outs).view(T * B, H), False),
    ],
)
@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell])
def test_the_steps_of_a_cell(
    kind: Any, joined: Callable[[list[torch.Tensor]], torch.Tensor], mixes: bool
) -> None:
    cell, step, state, outs = kind(F, H), Step(), None, []
    for _ in range(T):
        state = step.call(cell, torch.randn(B, F), state, number=3)
        outs.append(state[0] if isinstance(state, tuple) else state)
    found = step.found(joined(outs))
    assert [what for what, _, _ in found] == ["output"] * mixes
    assert {record["module"] for record in step.records.of("mixing")} <= {3}


def test_single_steps_of_a_module() -> None:
    for dim, mixes in ((0, True), (1, False)):
        module, step, state, outs = nn.GRU(F, H, batch_first=True), Step(), None, []
        for _ in range(T):
            output, state = step.call(module, torch.randn(B, 1, F), state)
            outs.append(output)
        assert bool(step.found(torch.cat(outs, dim).view(B, T, H))) is mixes


def test_what_is_stacked_of_other_sizes_is_left_alone() -> None:
    """Weights that are made of pieces, pieces of a batch: they are no steps of as many rows."""
    pieces: list[torch.Tensor] = [torch.randn(7, H, requires_grad=True) * 1 for _ in range(T)]
    assert put_together(torch.stack(pieces).grad_fn, {B}) is None
    assert put_together(torch.cat(pieces).grad_fn, {B}) is None
    assert put_together(torch.stack(pieces).grad_fn, {7}) is not None
    uneven = torch.cat([pieces[0], pieces[1][:3]])
    assert put_together(uneven.grad_fn, {7}) is None


def test_a_loop_written_by_hand() -> None:
    for viewed, found in (((B, T, H), [("output", (T, B, H), (B, T, H))]), ((T * B, H), [])):
        step, state, outs = Step(), torch.zeros(B, H), []
        weights = torch.randn(H, H, requires_grad=True)
        for _ in range(T):
            state = torch.tanh(torch.randn(B, H) + state @ weights)
            outs.append(state)
        loss = torch.stack(outs).view(viewed).square().sum()
        step.mixings.on_backward(1, loss)
        step.mixings.on_loops(1, {}, {5: (T, B)}, source=Source())
        step.mixings.finish()
        records = step.records.of("mixing")
        assert [(r["what"], tuple(r["shape"]), tuple(r["viewed"])) for r in records] == found
        assert all(record["module"] == 5 for record in records)
