"""A forward pass that was noted gives the script's loss and gradient again, whatever the script made it of."""

# mypy: disable-error-code="no-untyped-call"

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.trials.tape import NoTape, Recorder, Tape


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 3)
        self.lstm = nn.LSTM(3, 4, 2, dropout=0.4)
        self.cell = nn.LSTMCell(3, 4)
        self.weight = nn.Parameter(torch.randn(4, 4))
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 7)
        self.state = torch.zeros(2, 2, 4)


def language_model(net: Parts) -> torch.Tensor:
    x = torch.randint(7, (6, 2))
    output, _ = net.lstm(net.embedding(x[:-1]))
    scores = net.head(functional.dropout(output, 0.3))
    return functional.cross_entropy(scores.reshape(-1, 7), x[1:].reshape(-1))


def packed(net: Parts) -> torch.Tensor:
    given = pack_padded_sequence(torch.randn(5, 2, 3), torch.tensor([5, 3]))
    output, (h, _) = net.lstm(given)
    padded, lengths = pad_packed_sequence(output)
    off: torch.Tensor = net.head(padded).mean(0) - net.head(h[-1])
    return off.square().mean() * float(lengths.sum())


def cell_loop(net: Parts) -> torch.Tensor:
    state, outputs = (torch.zeros(2, 4), torch.zeros(2, 4)), torch.zeros(5, 2, 4)
    for t, x in enumerate(torch.randn(5, 2, 3)):
        state = net.cell(x, state)
        outputs[t] = state[0]
    return -torch.log_softmax(net.head(outputs), -1)[..., 0].mean()


def own_cell(net: Parts) -> torch.Tensor:
    """Random numbers of every kind, rows of a buffer that are written in place, a state that is cut off."""
    rows, state = torch.zeros(5, 2, 4), torch.zeros(2, 4)
    for t in range(5):
        state = torch.tanh(torch.randn(2, 4) + state @ net.weight)
        noise = torch.empty_like(state)
        noise.normal_()
        state = state * torch.bernoulli(torch.full_like(state, 0.7)) + 0.1 * noise
        row = rows[t]
        row.copy_(state)
        state = state.detach() if t == 2 else state
        state += 0.5
    return (rows.square().mean() - 1).abs()


def normalized(net: Parts) -> torch.Tensor:
    output = net.lstm(torch.randn(5, 2, 3))[0].flatten(0, 1)
    return functional.mse_loss(net.norm(output), torch.randn(10, 4))


def carried(net: Parts) -> torch.Tensor:
    state = (net.state, net.state)
    output: torch.Tensor
    output, (h, c) = net.lstm(torch.randn(5, 2, 3), state)
    net.state = (h + c).detach()
    return output.square().mean()


def iterated(net: Parts) -> torch.Tensor:
    first, *others = net.lstm(torch.randn(5, 2, 3))[0]
    return torch.stack([first * each for each in others]).sum(0).max()


FORMS = [language_model, packed, cell_loop, own_cell, normalized, carried, iterated]


def noted(form: Callable[[Parts], torch.Tensor], net: Parts) -> tuple[Tape, torch.Tensor]:
    recorder = Recorder(lambda: False)
    assert recorder.begin()
    try:
        loss = form(net)
        return recorder.tape(loss), loss
    finally:
        assert recorder.end()


def gradients(loss: torch.Tensor, net: Parts) -> list[torch.Tensor | None]:
    return list(torch.autograd.grad(loss, list(net.parameters()), allow_unused=True))


@pytest.fixture
def net() -> Parts:
    torch.manual_seed(0)
    return Parts()


@pytest.mark.parametrize("form", FORMS)
def test_the_pass_runs_again_to_the_last_bit(form: Callable[[Parts], torch.Tensor], net: Parts) -> None:
    tape, loss = noted(form, net)
    expected = gradients(loss, net)
    for _ in range(2):
        again = tape.run()
        assert torch.equal(again, loss)
        for one, other in zip(expected, gradients(again, net), strict=True):
            assert one is other is None or torch.equal(one, other)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_noting_changes_nothing(form: Callable[[Parts], torch.Tensor], net: Parts) -> None:
    torch.manual_seed(1)
    _, loss = noted(form, net)
    drawn = torch.rand(3)
    torch.manual_seed(0)
    other = Parts()
    torch.manual_seed(1)
    bare = form(other)
    assert torch.equal(loss, bare)
    assert torch.equal(drawn, torch.rand(3))


@pytest.mark.parametrize("form", [language_model, packed, normalized, carried, iterated])
def test_nothing_that_the_pass_made_is_held(form: Callable[[Parts], torch.Tensor], net: Parts) -> None:
    """A tape is kept for many updates; what the recurrence gives would take as much memory as all else."""
    made: list[weakref.ref[torch.Tensor]] = []

    def note(_module: nn.Module, _given: Any, result: Any) -> None:
        made.append(weakref.ref(result[0].data if isinstance(result[0], PackedSequence) else result[0]))

    handle = net.lstm.register_forward_hook(note)
    tape, loss = noted(form, net)
    handle.remove()
    expected = loss.item()
    del loss
    assert [each() for each in made] == [None]
    assert tape.run().item() == expected


def test_passes_follow_each_other(net: Parts) -> None:
    recorder = Recorder(lambda: False)
    assert recorder.begin()
    tapes, losses = [], []
    for _ in range(3):
        recorder.resume()
        loss = language_model(net)
        tapes.append(recorder.tape(loss))
        language_model(net)
        losses.append(loss.item())
    assert recorder.end()
    assert [tape.run().item() for tape in tapes] == losses


def test_what_is_written_to_later_is_stale(net: Parts) -> None:
    x = torch.randn(5, 2, 3)
    tape, _ = noted(lambda parts: parts.lstm.forward(x)[0].mean(), net)
    with torch.no_grad():
        next(net.lstm.parameters()).mul_(0.5)
    assert not tape.stale, "parameters may change"
    x[0] = 0
    assert tape.stale


def test_it_follows_the_parameters(net: Parts) -> None:
    tape, loss = noted(own_cell, net)
    with torch.no_grad():
        net.weight.mul_(0.5)
    changed = tape.run()
    assert not torch.equal(changed, loss)
    with torch.no_grad():
        net.weight.mul_(2)
    assert torch.equal(tape.run(), loss)


def test_the_making_of_the_batch_is_left_out(net: Parts) -> None:
    def form(parts: Parts) -> torch.Tensor:
        x = torch.stack([torch.randn(3).mul(2) for _ in range(100)]).view(50, 2, 3)
        output: torch.Tensor = parts.lstm(x)[0]
        return output.mean()

    assert len(noted(form, net)[0]) < 10


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0] * 2


def half(net: Parts) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return (torch.ones(4) @ net.weight).sum()


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (lambda net: Doubled.apply(torch.ones(4) @ net.weight).mean(), "was not seen"),
        (lambda net: Doubled.apply((torch.ones(4) @ net.weight).mean()), "made its loss was not seen"),
        (half, "mixed precision"),
    ],
)
def test_what_cannot_run_again_is_said(form: Any, reason: str, net: Parts) -> None:
    with pytest.raises(NoTape, match=reason):
        noted(form, net)


def test_a_mode_of_the_script_is_left_alone(net: Parts) -> None:
    recorder = Recorder(lambda: False)
    with torch.device("cpu"):
        assert not recorder.begin()
    assert recorder.begin()
    device = torch.device("cpu")
    device.__enter__()
    assert recorder.end()
    assert torch._C._len_torch_function_stack() == 1
    device.__exit__(None, None, None)
    assert torch._C._len_torch_function_stack() == 0
