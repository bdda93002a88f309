"""What torch warns of is told at the line of the script that called it, as without the probe."""

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from rnn_doctor.capture.probe.listening import Listening
from tests.capture.records import observed


class Numbers(IterableDataset[torch.Tensor]):
    """Says that it holds one number, and gives three."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(torch.arange(3.0))


def warn_at_caller(text: str) -> None:
    warnings.warn(text, stacklevel=2)


class Owner:
    warn = staticmethod(warn_at_caller)


def test_what_is_replaced_and_its_warnings_are_told_once_for_each_line() -> None:
    listening = Listening()
    listening.begin("test", lambda *_: None, [Owner], ["warn"])
    assert Owner.warn is not warn_at_caller
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(2):
            Owner.warn("a")
            Owner.warn("a")
    listening.end("test")
    line = inspect.getsourcelines(test_what_is_replaced_and_its_warnings_are_told_once_for_each_line)[1]
    assert [(each.filename, each.lineno - line) for each in told] == [(__file__, 7), (__file__, 8)]


def _loader() -> None:
    loader = DataLoader(Numbers(), batch_size=None)
    assert len(loader) == 1  # from here on it is counted
    for _ in loader:
        pass


def _loss() -> None:
    nn.functional.mse_loss(torch.zeros(2, 1), torch.zeros(2))


def _reduction() -> None:
    nn.functional.kl_div(torch.zeros(2, 1), torch.zeros(2, 1), reduction="mean")


def _dimension() -> None:
    nn.functional.softmax(torch.zeros(2, 2))


@pytest.mark.parametrize("warned", [_loader, _loss, _reduction, _dimension])
def test_a_warning_of_torch_names_the_line_that_it_names_without_the_probe(warned: object) -> None:
    assert callable(warned)

    def places() -> list[tuple[str, int]]:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            warned()
        return [(each.filename, each.lineno) for each in told]

    bare = places()
    assert bare
    with observed():
        assert places() == bare


def doubled(n: int) -> int:
    return 2 * n


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_a_class_that_is_scripted_finds_the_names_of_its_caller() -> None:
    """As those of torch.distributed.optim do, which are compiled when it is imported."""

    def scripted() -> type:
        class Counter:
            def __init__(self, n: int) -> None:
                self.n = doubled(n)

        made: type = torch.jit.script(Counter)
        return made

    with observed():
        assert scripted()(3).n == 6


@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRU])
def test_a_script_module_that_holds_a_recurrent_layer_is_compiled_when_it_is_built(kind: Any) -> None:
    """Its layers' source is compiled without a call of `torch.jit.script`, by the names of torch's own files."""

    script_method: Any = getattr(torch.jit, "script_method")  # noqa: B009  # torch does not export it by its types

    class Encoder(torch.jit.ScriptModule):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = kind(2, 3)

        @script_method  # type: ignore[untyped-decorator]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output, _ = self.rnn(x)
            assert isinstance(output, torch.Tensor)
            return output

    def built() -> torch.Tensor:
        torch.manual_seed(0)
        output: torch.Tensor = Encoder()(torch.ones(4, 2))
        return output

    with observed():
        watched = built()
    assert torch.equal(watched, built())
