"""Modules of one layer each that are stacked on one another."""

import pytest

from rnn_doctor.schema.built import Module, Parameter, RecurrentWeight
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import initial, log, lstm, measure, samples, steps, value_of, weight

NAMES = ("cells.0", "cells.1", "cells.2")


def cells(*sizes: int, names: tuple[str, ...] = NAMES, kind: str = "LSTMCell") -> list[Module]:
    """Each takes as much as the size before it says, and has 32 units."""
    return [
        lstm(k, name, kind=kind, input_size=size)
        for k, (name, size) in enumerate(zip(names, sizes, strict=True))
    ]


def weights(count: int) -> list[Parameter]:
    return [weight(k, f"cells.{k}.weight_hh", module=k) for k in range(count)]


def run(built: list[Module], *gradients: tuple[float | None, ...]) -> RunLog:
    """With these gradients of each module's recurrent matrix, at the updates 1, 3, ..."""
    numbers = tuple(range(len(built)))
    seen = [
        samples([step], parameters=numbers, grad_norm=norms)[0]
        for step, norms in zip((1, 3, 8), gradients, strict=False)
    ]
    return log(built, weights(len(built)), steps([1.0] * 10), seen)


def test_the_lowest_module_stands_for_the_stack() -> None:
    of = run(cells(8, 32, 32), (1e-6, 1e-4, 1e-2), (1e-3, 1e-3, 1e-2))
    assert value_of("stacked_layers", of, "cells.0") == 3
    assert value_of("depth_gain_start", of, "cells.0") == pytest.approx(-4)
    assert value_of("depth_gain", of, "cells.0") == pytest.approx(-1)
    assert value_of("stacked_layers", of, "cells.1") == 1
    assert "cells.0" in (measure("depth_gain", of, "cells.1").absent or "")


def test_gradients_all_larger_have_the_same_gain() -> None:
    of = run(cells(8, 32, 32), (7e-6, 7e-4, 7e-2))
    assert value_of("depth_gain_start", of, "cells.0") == pytest.approx(-4)


@pytest.mark.parametrize(
    "names", [("lstm1", "lstm2", "lstm3"), ("blocks.2.rnn", "blocks.3.rnn", "blocks.4.rnn")]
)
def test_any_number_in_the_name_tells_them_apart(names: tuple[str, ...]) -> None:
    of = run(cells(8, 32, 32, names=names), (1e-6, 1e-4, 1e-2))
    assert value_of("stacked_layers", of, names[0]) == 3


@pytest.mark.parametrize(
    "built",
    [
        cells(8, 8, 8),  # side by side
        cells(8, 32, 32, names=("encoder", "decoder", "reader")),
        cells(8, 32, 32, names=("cells.0", "cells.2", "cells.3")),
        cells(8, 32, 32, kind="custom"),
    ],
)
def test_what_is_no_stack(built: list[Module]) -> None:
    of = run(built, (1e-6, 1e-4, 1e-2))
    assert {value_of("stacked_layers", of, module.name) for module in built} == {1}


def by_hand(shapes: list[tuple[int, int]], recurrent: str, inputs: str) -> RunLog:
    """Three cells of 32 units, whose modules are known from the graph alone; the parameters lead to them by name."""
    built = cells(8, 32, 32, kind="custom", names=NAMES)
    names = (inputs,) if inputs == recurrent else (inputs, recurrent)
    held = [
        weight(2 * k + at, f"{cell}.{name}", module=None, shape=shapes[k] if name == inputs else (32, 32))
        for k, cell in enumerate(NAMES)
        for at, name in enumerate(names)
    ]
    starts = [
        initial(module=k, recurrent=(RecurrentWeight(name=f"{cell}.{recurrent}"),))
        for k, cell in enumerate(NAMES)
    ]
    numbers = tuple(p.id for p in held)
    norms = tuple(10.0 ** (-6 + 2 * (n // 2)) for n in numbers)
    seen = samples([1], parameters=numbers, grad_norm=norms)
    return log(built, held, starts, steps([1.0] * 10), seen)


@pytest.mark.parametrize(
    ("shapes", "recurrent", "inputs"),
    [
        ([(32, 8), (32, 32), (32, 32)], "h2h.weight", "x2h.weight"),
        ([(32, 40), (32, 64), (32, 64)], "gates.weight", "gates.weight"),  # of input and state side by side
    ],
)
def test_hand_written_cells_are_stacked_too(
    shapes: list[tuple[int, int]], recurrent: str, inputs: str
) -> None:
    of = by_hand(shapes, recurrent, inputs)
    assert value_of("stacked_layers", of, "cells.0") == 3
    assert value_of("depth_gain_start", of, "cells.0") == pytest.approx(-4)


def test_hand_written_cells_side_by_side_are_not() -> None:
    of = by_hand([(32, 8), (32, 8), (32, 8)], "h2h.weight", "x2h.weight")
    assert value_of("stacked_layers", of, "cells.0") == 1


def test_a_bidirectional_layer_gives_both_halves() -> None:
    pair = [lstm(0, "rnn1", bidirectional=True), lstm(1, "rnn2", input_size=64, bidirectional=True)]
    assert value_of("stacked_layers", run(pair, (1e-6, 1e-2)), "rnn1") == 2
    half = [lstm(0, "rnn1", bidirectional=True), lstm(1, "rnn2", input_size=32)]
    assert value_of("stacked_layers", run(half, (1e-6, 1e-2)), "rnn1") == 1


def test_what_cannot_be_told() -> None:
    built = cells(8, 32, 32)
    assert measure("depth_gain_start", run(built), "cells.0").absent
    assert measure("depth_gain", run(built, (1e-6, 1e-4, 1e-2)), "cells.0").absent  # one update alone
    assert measure("depth_gain_start", run(built, (1e-6, 1e-4, 0.0)), "cells.0").absent
    assert value_of("depth_gain_start", run(built, (None, 1e-4, 1e-2)), "cells.0") == -45.0
