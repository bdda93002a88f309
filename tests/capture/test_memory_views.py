"""Inputs whose steps and rows cut across the axes of what they are read from."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.graph import nodes
from rnn_doctor.capture.probe.recurrence import loop_inputs, loops
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from rnn_doctor.capture.probe.sensors.input_views import read_by
from rnn_doctor.capture.probe.sensors.layouts import Mixed
from rnn_doctor.capture.probe.sensors.memory_views import mixed_either_way, mixed_given, mixed_steps
from rnn_doctor.capture.probe.sensors.source import Source

B, T, N = 8, 6, 5
TIME_FIRST, BATCH_FIRST = 0, 1
View = Callable[[torch.Tensor], torch.Tensor]
SAMPLES = Mixed((B, T, N), (T, B, N))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def batch_of(rows: int = B, steps: int = T, features: int = N) -> torch.Tensor:
    return torch.randn(rows, steps, features)


MIXES: dict[str, View] = {
    "reshape, then transposed": lambda x: x.reshape(T, -1, N).transpose(0, 1),
    "copied after it": lambda x: x.view(T, -1, N).permute(1, 0, 2).contiguous(),
    "scaled after it": lambda x: (x.view(T, -1, N).swapaxes(0, 1) - 0.2) / 3,
    "flattened first": lambda x: x.flatten().view(T, -1, N).transpose(1, 0),
}
SOUND: dict[str, View] = {
    "as it is": lambda x: x,
    "scaled": lambda x: (x - x.mean()) / x.std(),
    "turned twice": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "windows of each": lambda x: x.view(2 * B, T // 2, N),
    "windows as long as the batch": lambda x: x[:4].reshape(8, 3, N),
    "every other step": lambda x: x[:, ::2],
    "backwards in time, by an index": lambda x: x[:, torch.arange(T - 1, -1, -1)],
    "two samples joined end to end": lambda x: x.view(B // 2, 2 * T, N),
    "steps of two": lambda x: x.view(B, T // 2, 2 * N),
    "all flattened": lambda x: x.flatten().view(B, T, N),
}


@pytest.mark.parametrize("name", MIXES)
@pytest.mark.parametrize("loaded", [True, False])
def test_rows_that_hold_steps_of_several_samples(name: str, loaded: bool) -> None:
    x = batch_of()
    given = MIXES[name](x)
    told = loaded or "after it" not in name  # a copy tells nothing of what no loader gave
    assert mixed_given(given, BATCH_FIRST, Source(x if loaded else None, loaded)) == (
        SAMPLES if told else None
    )


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("loaded", [True, False])
def test_rows_that_hold_their_own_sample(name: str, loaded: bool) -> None:
    x = batch_of()
    assert mixed_given(SOUND[name](x), BATCH_FIRST, Source(x if loaded else None, loaded)) is None


def test_batch_first_data_for_a_time_first_module_is_told_elsewhere() -> None:
    x = batch_of()
    assert mixed_given(x, TIME_FIRST, Source(x, True)) is None
    assert mixed_given(x.transpose(0, 1), TIME_FIRST, Source(x, True)) is None
    assert mixed_given(x.view(T, B, N), TIME_FIRST, Source(x, True)) == SAMPLES


def test_as_many_rows_as_several_times_the_steps() -> None:
    x = batch_of(3 * T)
    mixed = Mixed((3 * T, T, N), (T, 3 * T, N))
    given = x.reshape(T, -1, N).transpose(0, 1)
    assert mixed_given(given, BATCH_FIRST, Source(x, True)) == mixed
    assert mixed_given(given, BATCH_FIRST, Source()) == mixed
    # Every third step of a time-first tensor as a row of its own, or of a loader's samples.
    x = batch_of(3 * T, B)
    given = x.view(T, 3 * B, N)
    assert mixed_given(given, TIME_FIRST, Source()) is None
    assert mixed_given(given, TIME_FIRST, Source(x, True)) == Mixed((3 * T, B, N), (T, 3 * B, N))


def test_numbers_that_fit_both_ways_tell_nothing() -> None:
    same = torch.randn(1, 1, N).expand(B, T, N).contiguous()
    assert (
        mixed_given(same.view(T, B, N).transpose(0, 1).contiguous(), BATCH_FIRST, Source(same, True)) is None
    )
    zeros = torch.zeros(B, T, N)
    assert mixed_given(zeros.view(T, B, N).transpose(0, 1), BATCH_FIRST, Source(zeros, True)) is None


@pytest.mark.parametrize("channels", [(), (1,)])
def test_lines_taken_for_steps_of_so_many_features(channels: tuple[int, ...]) -> None:
    x = torch.randn(B, *channels, N, T + 1)
    found = Mixed(tuple(x.shape), (B, T + 1, N), within=True)
    assert mixed_given(x.view(B, T + 1, N), BATCH_FIRST, Source(x, True)) == found
    assert mixed_given(x.view(B, T + 1, N) / 2, BATCH_FIRST, Source(x, True)) == found
    assert mixed_given(x.reshape(B, N, T + 1).transpose(1, 2), BATCH_FIRST, Source(x, True)) is None
    assert mixed_given(x.reshape(B, -1, 1), BATCH_FIRST, Source(x, True)) is None


def test_lines_cut_into_steps_are_sound() -> None:
    x = torch.randn(B, 4, 12)
    assert mixed_given(x.view(B, 12, 4), BATCH_FIRST, Source(x, True)) is None
    assert mixed_given(torch.randn(B, 5, 10).view(B, 25, 2), BATCH_FIRST, Source()) is None


def test_the_steps_of_a_loop() -> None:
    x = batch_of()
    viewed = x.reshape(T, B, N)
    assert mixed_steps(list(viewed), Source(x, True)) == SAMPLES
    assert mixed_steps(list(viewed), Source()) == SAMPLES
    assert mixed_steps(list(viewed * 2), Source(x, True)) == SAMPLES
    for sound in (x.transpose(0, 1), x.transpose(0, 1) * 2, x, x[:, :4].transpose(0, 1)):
        assert mixed_steps(list(sound), Source(x, True)) is None
    assert mixed_steps([x[:, 0]] * T, Source(x, True)) is None


def test_steps_that_a_script_multiplies_itself() -> None:
    a, b = nn.Linear(N, 4), nn.Linear(4, 4)
    x = batch_of()

    def given(steps: torch.Tensor, joined: bool = False) -> Any:
        h, cell = torch.zeros(B, 4), nn.Linear(N + 4, 4)
        for step in steps:
            h = torch.tanh(cell(torch.cat([step, h], 1)) if joined else a(step) + b(h))
        unrolled = Unrolled(h.sum())
        found = loops.find(unrolled, lambda _: False, lambda _: "")
        return loop_inputs.by_step(unrolled, dict(enumerate(found)))

    assert mixed_steps(given(x.view(T, B, N))[0], Source()) == SAMPLES
    assert mixed_steps(given(x.transpose(0, 1))[0], Source()) is None
    assert mixed_steps(given(x.view(T, B, N), joined=True)[0], Source(x, True)) == SAMPLES
    assert mixed_steps(given(x.transpose(0, 1), joined=True)[0], Source(x, True)) is None


def test_what_layers_before_a_module_read() -> None:
    tokens = torch.randint(0, 9, (B, T))
    embedding, linear, x = nn.Embedding(9, 4), nn.Linear(N, 4), batch_of()
    for result, batch, mixed in (
        (embedding(tokens.view(T, B).t()), tokens, Mixed((B, T), (T, B))),
        (embedding(tokens.view(T, B).t().contiguous()), tokens, Mixed((B, T), (T, B))),
        (embedding(tokens), tokens, None),
        (embedding(tokens.t()), tokens, None),
        (linear(x.view(T, B, N)), x, SAMPLES),
        (linear(x.view(T, B, N).transpose(0, 1)), x, SAMPLES),
        (linear(x), x, None),
        (linear(x.transpose(0, 1)), x, None),
    ):
        read = [each for each in map(read_by, nodes(result, 9)) if each is not None]
        assert [mixed_either_way(each, Source(batch, True)) for each in read] == [mixed]
