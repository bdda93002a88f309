"""A slice of benchmarks/exactness.py, so that it cannot rot; the whole takes a minute and a half."""

import warnings
from collections.abc import Iterator

import pytest

from tests.capture.configurations import CELLS, FUSED, Configuration, configurations
from tests.capture.exactness import errors, limit
from tests.capture.known_jacobians import LIMIT, SCATTER, Known, recurrences, slopes

ALL = configurations()
SLICE = [c for c in ALL if not c.is_cell][::61] + [c for c in ALL if c.is_cell][::5]
"""Strides coprime to the grid's factors, so that every option comes up."""
NETWORKS = [known for k, known in enumerate(recurrences()) if k % 23 == 0 or "called" in known.construction]


@pytest.fixture(autouse=True)
def _projections_without_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
        yield


def test_the_grid_is_whole() -> None:
    assert len(ALL) == len({configuration.name for configuration in ALL}) == 1984
    assert {configuration.family for configuration in SLICE} == {*FUSED, *CELLS}


@pytest.mark.parametrize("configuration", SLICE, ids=lambda configuration: configuration.name)
def test_replay_and_lag_gain_are_those_of_an_explicit_unroll(configuration: Configuration) -> None:
    found = errors(configuration)
    assert {"output", "gates and candidates", "dL/dh", "lag gain by the replay"} <= set(found)
    assert {name: e for name, e in found.items() if e > limit(name, configuration.dtype)} == {}


@pytest.mark.parametrize("known", NETWORKS, ids=lambda known: f"{known.construction}, {known.detail}")
def test_a_known_jacobian_gives_its_slope(known: Known) -> None:
    for slope in slopes(known):
        assert slope.difference < SCATTER if known.scatters else slope.error < LIMIT
