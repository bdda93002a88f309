"""Views of what layers make on the way to a recurrent module: channels for time, axes exchanged, first states."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from rnn_doctor.capture.probe.listening import Listening
from rnn_doctor.capture.probe.sensors.layouts import Mixed, after, layout_of_channels
from rnn_doctor.capture.probe.sensors.mixing import Mixings
from rnn_doctor.capture.probe.sensors.source import Source
from tests.capture.records import Records

B, T, N, C, H = 4, 6, 3, 8, 5
Found = list[tuple[str, list[int], list[int], bool]]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def _found(given: Tensor, batch_first: bool = True, state: Tensor | None = None) -> Found:
    """What a module's input and first state show: what, both shapes, and whether samples stay apart."""
    records = Records()
    mixings = Mixings(records, Listening())
    layers = 1 if state is None else state.shape[0]
    module = nn.GRU(given.shape[-1], H, layers, batch_first=batch_first)
    output = module(given, state)
    mixings.on_call(0, module, given, state, output, Source())
    loss = output[0].square().sum()
    mixings.on_backward(1, loss)
    loss.backward(retain_graph=True)
    mixings.finish()
    return [(r["what"], r["shape"], r["viewed"], r.get("within", False)) for r in records.of("mixing")]


def _frames() -> Tensor:
    """Shape: (B, N, T)"""
    return torch.randn(B, N, T)


MAKERS: list[nn.Module] = [
    nn.Conv1d(N, C, 3, padding=1),
    nn.Sequential(nn.Conv1d(N, C, 3, padding=1), nn.ReLU(), nn.Dropout(0.1)),
    nn.Sequential(nn.Conv1d(N, C, 3, padding=1), nn.BatchNorm1d(C), nn.PReLU()),
    nn.Sequential(nn.Conv1d(N, C, 3, padding=1), nn.GroupNorm(2, C), nn.GELU()),
    nn.Sequential(nn.Conv1d(N, C, 3, padding=2, dilation=2), nn.MaxPool1d(3, 1, 1)),
    nn.Sequential(nn.Conv1d(N, C, 3, padding=1), nn.AvgPool1d(3, 1, 1)),
]


@pytest.mark.parametrize("maker", MAKERS)
def test_channels_taken_for_time(maker: nn.Module) -> None:
    made = maker(_frames())
    assert _found(made.view(B, T, C)) == [("input", [B, C, T], [B, T, C], True)]
    assert _found(made.reshape(B, -1, C)) == [("input", [B, C, T], [B, T, C], True)]


@pytest.mark.parametrize("maker", MAKERS)
def test_samples_taken_for_time(maker: nn.Module) -> None:
    made = maker(_frames())
    assert _found(made.reshape(T, B, C), batch_first=False) == [("input", [B, C, T], [T, B, C], False)]
    moved = made.transpose(1, 2)
    assert _found(moved.reshape(T, B, C), batch_first=False) == [("input", [B, T, C], [T, B, C], False)]


SOUND: list[tuple[Callable[[Tensor], Tensor], bool]] = [
    (lambda made: made.transpose(1, 2), True),
    (lambda made: made.permute(2, 0, 1), False),
    (lambda made: made.permute(0, 2, 1).contiguous().view(B, T, C), True),
    (lambda made: made, True),  # channels as steps, meant
    (lambda made: made.view(B, C, T), True),
    (lambda made: made.reshape(B, 1, C * T), True),
    (lambda made: made.reshape(B, C // 2, 2 * T), True),
    (lambda made: made.transpose(1, 2).reshape(B, T // 2, 2 * C), True),
    (lambda made: made.transpose(1, 2).flatten(0, 1).view(B, T, C), True),
]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(("read", "batch_first"), SOUND)
def test_sound_ways_from_channels_to_steps(
    maker: nn.Module, read: Callable[[Tensor], Tensor], batch_first: bool
) -> None:
    assert _found(read(maker(_frames())), batch_first) == []


def test_pictures() -> None:
    """Columns of a picture as steps: (B, C, rows, columns)"""
    rows, columns = 3, 7
    made = nn.Sequential(nn.Conv2d(1, C, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))(
        torch.randn(B, 1, 2 * rows, 2 * columns)
    )
    shape = [B, C, rows, columns]
    for viewed in ((B, columns, C * rows), (B, rows, C * columns), (B, rows * columns, C)):
        assert _found(made.reshape(viewed)) == [("input", shape, list(viewed), True)]
    for sound in (
        made.permute(0, 3, 1, 2).reshape(B, columns, C * rows),
        made.flatten(2).transpose(1, 2),
        made.flatten(2),
        made.flatten(1, 2),
        made.flatten(1, 2).transpose(1, 2),
        made.mean(2).transpose(1, 2),
    ):
        assert _found(sound) == []


def test_pictures_of_a_film() -> None:
    """A convolution over all frames of all films, then the films as sequences."""
    for films, frames in ((B, C), (B, T), (3, 4)):
        made = nn.Conv2d(1, C, 3, padding=1)(torch.randn(films * frames, 1, 4, 6))
        assert _found(made.view(films, frames, -1)) == []
        assert _found(made.mean((2, 3)).view(films, frames, C)) == []


def test_as_many_channels_as_steps_cannot_be_told() -> None:
    assert _found(nn.Conv1d(N, T, 3, padding=1)(_frames()).view(B, T, T)) == []


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_before_the_view(bias: bool) -> None:
    linear, x = nn.Linear(N, C, bias=bias), torch.randn(B, T, N)
    assert _found(linear(x).view(T, B, C), batch_first=False) == [("input", [B, T, C], [T, B, C], False)]
    normed = nn.Sequential(linear, nn.LayerNorm(C), nn.Tanh())
    assert _found(normed(x).reshape(T, B, C), batch_first=False) == [("input", [B, T, C], [T, B, C], False)]
    for sound in (
        linear(x).transpose(0, 1),
        linear(x.flatten(0, 1)).view(B, T, C).transpose(0, 1),
        linear(x.transpose(0, 1)),
        linear(x.transpose(0, 1).flatten(0, 1)).view(T, B, C),
    ):
        assert _found(sound, batch_first=False) == []


def test_first_states_of_several_layers() -> None:
    code, x, layers = torch.randn(B, N, requires_grad=True), torch.randn(B, T, N), 2
    linear = nn.Linear(N, layers * H)
    expected = [("start", [B, layers * H], [layers, B, H], False)]
    assert _found(x, state=linear(code).view(layers, B, H)) == expected
    assert _found(x, state=torch.tanh(linear(code).reshape(layers, B, H))) == expected
    for sound in (
        linear(code).view(B, layers, H).transpose(0, 1).contiguous(),
        torch.stack(linear(code).chunk(layers, 1)),
        nn.Linear(N, H)(code).expand(layers, B, H).contiguous(),
    ):
        assert _found(x, state=sound) == []
    one = nn.Linear(N, H)(code)
    assert _found(x, state=one.view(1, B, H)) == []


def _places(shape: tuple[int, ...], viewed: tuple[int, ...]) -> list[Tensor]:
    """Of each number behind the view: its sample, channel and step."""
    return [index.reshape(viewed) for index in torch.meshgrid(*map(torch.arange, shape), indexing="ij")]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_what_is_flagged_mixes_numbers(rows: int, channels: int, steps: int, within: bool) -> None:
    shape = rows, channels, steps
    viewed = (rows, steps, channels) if within else (steps, rows, channels)
    node = (torch.zeros(shape, requires_grad=True) * 1).view(viewed).grad_fn
    found = after(layout_of_channels(shape), node, 0)
    sample, _, step = _places(shape, viewed)
    if isinstance(found, Mixed):
        mixed, axis = (step, 1) if found.within else (sample, 0 if within else 1)
        each = mixed.movedim(axis, 0).flatten(1)
        assert bool((each.amax(1) != each.amin(1)).any())
        assert found.within is within or rows == steps
    else:
        assert min(shape) == 1 or len({rows, channels, steps}) < len(shape)
