"""Names as the script's author would say them."""

import gc
import io
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.nn.modules import module as module_hooks

from rnn_doctor.capture.probe.naming import Naming


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 3)
        self.head = nn.Linear(3, 1)


@pytest.fixture
def naming() -> Iterator[Naming]:
    """Hears of modules as the probe does."""
    naming = Naming()

    def registered(module: nn.Module, _name: str, child: object) -> None:
        naming.saw(module)
        if isinstance(child, nn.Module):
            naming.saw(child)

    handles = [
        module_hooks.register_module_module_registration_hook(registered),
        module_hooks.register_module_parameter_registration_hook(registered),
    ]
    yield naming
    for handle in handles:
        handle.remove()


def names(naming: Naming, parameters: list[torch.Tensor]) -> list[str]:
    naming.refresh(parameters)
    return [naming.of_parameter(p).name for p in parameters]


def test_a_single_root_is_not_named(naming: Naming) -> None:
    net = Net()
    weight = net.lstm.get_parameter("weight_ih_l0")
    assert names(naming, [weight, net.head.bias]) == ["lstm.weight_ih_l0", "head.bias"]
    assert naming.of_module(net.lstm) == "lstm"
    known = naming.of_parameter(net.head.bias)
    assert (known.owner, known.root) == (net.head, "Net")


def test_several_roots_are_named_by_class_and_number(naming: Naming) -> None:
    nets = [Net(), Net(), nn.Sequential(nn.Linear(1, 1))]
    found = names(naming, [next(net.parameters()) for net in nets])
    assert found == ["Net.lstm.weight_ih_l0", "Net#2.lstm.weight_ih_l0", "Sequential.0.weight"]
    assert naming.of_module(nets[1].lstm) == "Net#2.lstm"  # type: ignore[arg-type]


def test_modules_without_a_parent_keep_their_class(naming: Naming) -> None:
    gru, head = nn.GRU(2, 3), nn.Linear(3, 1)
    assert names(naming, [gru.get_parameter("weight_hh_l0"), head.weight]) == [
        "GRU.weight_hh_l0",
        "Linear.weight",
    ]
    assert naming.of_module(gru) == "GRU"
    alone = nn.GRU(1, 1)
    assert naming.of_module(alone) == "GRU"


def test_a_loaded_model_is_found(naming: Naming) -> None:
    file = io.BytesIO()
    torch.save(Net(), file)
    file.seek(0)
    net = torch.load(file, weights_only=False)
    (name,) = names(naming, [net.head.bias])
    # Recurrent modules of other tests may be alive, and make this one root among several.
    assert name.removeprefix("Net.") == "head.bias"
    assert naming.of_parameter(net.head.bias).owner is net.head
    assert naming.of_module(net.lstm).removeprefix("Net.") == "lstm"


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        lambda net: torch.compile(net, backend="eager"),
        lambda net: nn.DataParallel(torch.compile(net, backend="eager")),  # type: ignore[type-var]
        lambda net: nn.Sequential(nn.DataParallel(net))[0],
    ],
)
def test_wrappers_are_taken_off(naming: Naming, wrap: Callable[[nn.Module], nn.Module]) -> None:
    net = Net()
    wrapped = wrap(net)
    assert names(naming, [net.head.weight]) == ["head.weight"]
    assert naming.of_module(net.lstm) == "lstm"
    del wrapped


def test_a_module_of_the_name_module_keeps_it_inside(naming: Naming) -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.submodule = nn.Linear(1, 1)

    outer = Outer()
    assert names(naming, [outer.submodule.weight]) == ["submodule.weight"]


def test_bare_tensors_have_the_names_of_variables_or_shapes(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    import __main__

    w_h, other = torch.randn(3, 3, requires_grad=True), torch.randn(2, requires_grad=True)
    monkeypatch.setattr(__main__, "W_hh", w_h, raising=False)
    assert names(naming, [w_h, other]) == ["W_hh", "tensor 2"]


def test_naming_keeps_no_model_alive(naming: Naming) -> None:
    net = Net()
    names(naming, list(net.parameters()))
    gone = weakref.ref(net.lstm)
    del net
    gc.collect()
    assert gone() is None


def test_a_model_in_the_place_of_one_that_is_gone_is_named_afresh(naming: Naming) -> None:
    # Python reuses addresses at once: cross-validation builds one model a fold.
    class Second(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(2, 3)

    for _ in range(20):
        net: nn.Module = Net()
        assert names(naming, list(net.parameters()))[-1] == "head.bias"
        del net
        second = Second()
        assert names(naming, list(second.parameters()))[-1] == "gru.bias_hh_l0"
        assert naming.of_module(second.gru) == "gru"
        del second
