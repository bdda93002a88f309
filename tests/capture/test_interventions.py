"""What a trial changes of a training, and that it changes nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from rnn_doctor.capture.probe.interventions.applying import INTERVENTIONS, Applying
from rnn_doctor.capture.probe.patches import Patches


@contextmanager
def applying(name: str, repeat: int = 0, **values: Any) -> Iterator[Applying]:
    patches = Patches()
    with torch.random.fork_rng():
        made = Applying(name, values, repeat, patches)
        made.begin()
        made.end()
        try:
            yield made
        finally:
            patches.undo()


def _step(optimizer: torch.optim.Optimizer, weight: torch.Tensor, gradient: float) -> float:
    """How far one update with this gradient moves the weight."""
    before = weight.detach().clone()
    weight.grad = torch.full_like(weight, gradient)
    optimizer.step()
    return float((before - weight.detach()).mean())


def test_a_rate_holds_for_the_step_alone() -> None:
    weight = nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    moved, rates = [], []
    with applying("rate", factor=0.1) as made:
        for _ in range(3):
            moved.append(_step(optimizer, weight, 1.0))
            scheduler.step()
            rates.append(optimizer.param_groups[0]["lr"])
    assert moved == pytest.approx([0.1, 0.05, 0.025])
    assert rates == pytest.approx([0.5, 0.25, 0.125])
    assert made.intervention.applied == 3


def test_a_warm_up_reaches_the_scripts_own_rate() -> None:
    weight = nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    with applying("warm_up", updates=4):
        moved = [_step(optimizer, weight, 1.0) for _ in range(6)]
    assert moved == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


def test_a_rate_that_falls_is_held() -> None:
    weight = nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1)
    moved = []
    with applying("hold_rate"):
        for _ in range(3):
            moved.append(_step(optimizer, weight, 1.0))
            scheduler.step()
    assert moved == pytest.approx([1.0, 1.0, 1.0])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)


@pytest.mark.parametrize(("decay", "applied"), [(0.5, 1), (0.0, 0)])
def test_without_decay_there_is_nothing_to_take_away(decay: float, applied: int) -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=1.0, weight_decay=decay)
    with applying("no_decay") as made:
        assert _step(optimizer, weight, 0.0) == 0.0
    assert made.intervention.applied == applied
    assert optimizer.param_groups[0]["weight_decay"] == decay


def test_gradients_are_clipped_as_torch_clips_them() -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))]
    twins = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))]
    for several in (weights, twins):
        for number, parameter in enumerate(several):
            parameter.grad = torch.full_like(parameter, 3.0 + number)
    nn.utils.clip_grad_norm_(twins, 1.0)
    with applying("clip", limit=1.0) as made:
        torch.optim.SGD(weights, lr=1.0).step()
    torch.optim.SGD(twins, lr=1.0).step()
    for parameter, twin in zip(weights, twins, strict=True):
        torch.testing.assert_close(parameter, twin)
    assert made.intervention.applied == 1


def test_small_gradients_are_not_clipped() -> None:
    weight = nn.Parameter(torch.zeros(3))
    with applying("clip", limit=10.0) as made:
        assert _step(torch.optim.SGD([weight], lr=1.0), weight, 1.0) == pytest.approx(1.0)
    assert made.intervention.applied == 0


def test_gradients_that_nobody_clears_are_cleared() -> None:
    weight = nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    with applying("clear"):
        _step(optimizer, weight, 1.0)
    assert weight.grad is None


def test_adam_in_the_place_of_an_optimizer_is_torchs_adam() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(4, 3))
    twin = nn.Parameter(weight.detach().clone())
    script, reference = torch.optim.SGD([weight], lr=9.0, momentum=0.9), torch.optim.Adam([twin], lr=1e-3)
    gradients = [torch.randn(4, 3) for _ in range(20)]
    for gradient in gradients:
        twin.grad = gradient.clone()
        reference.step()
    with applying("adam", rate=1e-3):
        for gradient in gradients:
            weight.grad = gradient.clone()
            script.step()
            assert torch.equal(weight.grad, gradient), "whoever reads or clears gradients finds them"
    torch.testing.assert_close(weight, twin)


def test_a_script_that_clips_clips_at_the_other_limit() -> None:
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.full_like(weight, 8.0)
    with applying("limit", limit=2.0) as made:
        nn.utils.clip_grad_norm_([weight], max_norm=1e-4)
    assert weight.grad is not None
    assert float(weight.grad) == pytest.approx(2.0)
    assert made.intervention.applied == 1


KINDS = [
    nn.RNN(3, 4, num_layers=2),
    nn.LSTM(3, 4, bidirectional=True),
    nn.GRU(3, 4),
    nn.LSTMCell(3, 4),
    nn.GRUCell(3, 4),
    nn.RNNCell(3, 4),
]


def _call(module: Any) -> None:
    is_cell = isinstance(module, nn.RNNCellBase)
    module(torch.zeros(2, 3) if is_cell else torch.zeros(5, 2, 3))


@pytest.mark.parametrize("module", KINDS, ids=lambda m: type(m).__name__)
def test_recurrent_weights_are_drawn_anew_gate_by_gate(module: Any) -> None:
    module.reset_parameters()
    with applying("orthogonal") as made:
        state = torch.get_rng_state()
        _call(module)
        assert torch.equal(torch.get_rng_state(), state), "the script's random numbers are its own"
        first = {name: p.detach().clone() for name, p in module.named_parameters()}
        _call(module)
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter, first[name]), "weights are written to once"
        if name.startswith("weight_hh"):
            for gate in parameter.split(4):
                torch.testing.assert_close(gate @ gate.T, torch.eye(4), atol=1e-5, rtol=0)
    assert made.intervention.applied >= 1


def test_gates_start_open() -> None:
    lstm: Any = nn.LSTM(3, 4)
    gru: Any = nn.GRU(3, 4)
    plain = nn.RNN(3, 4)
    with applying("memory", bias=1.0) as made:
        for module in (lstm, gru, plain):
            _call(module)
    for module in (lstm, gru):
        both = module.bias_ih_l0 + module.bias_hh_l0
        assert torch.equal(both[4:8], torch.ones(4))
    assert made.intervention.applied == 2


def test_gates_spread_over_the_lags() -> None:
    lstm: Any = nn.LSTM(3, 64)
    with applying("memory", lag=50):
        _call(lstm)
    bias = lstm.bias_ih_l0 + lstm.bias_hh_l0
    keeps = bias[64:128].detach()
    assert float(keeps.min()) >= 0
    assert float(keeps.max()) <= float(torch.tensor(49.0).log()) + 1e-6
    assert float(keeps.std()) > 0.3
    assert torch.equal(bias[:64], -keeps)


def test_only_a_recurrence_of_relu_starts_from_the_identity() -> None:
    relu: Any = nn.RNN(3, 4, nonlinearity="relu")
    tanh: Any = nn.RNN(3, 4)
    with applying("identity") as made:
        _call(relu)
        _call(tanh)
    assert torch.equal(relu.weight_hh_l0, torch.eye(4))
    assert not torch.equal(tanh.weight_hh_l0, torch.eye(4))
    assert made.intervention.applied == 1


def test_weights_that_were_learned_are_left_alone() -> None:
    module = nn.GRU(3, 4)
    late: Any = nn.GRU(3, 4)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with applying("fresh") as made:
        _call(module)
        module(torch.ones(5, 2, 3))[0].sum().backward()
        optimizer.step()
        before = late.weight_hh_l0.detach().clone()
        _call(late)
    assert torch.equal(late.weight_hh_l0, before)
    assert made.intervention.applied == 1


@pytest.mark.parametrize("packed", [False, True])
def test_numbers_that_a_module_is_given_are_standardized(packed: bool) -> None:
    torch.manual_seed(0)
    module = nn.GRU(3, 4)
    data = torch.randn(7, 6, 3) * 50 + 200
    given: Any = pack_sequence(list(data.unbind(1))) if packed else data
    seen: list[torch.Tensor] = []
    handle = module.register_forward_pre_hook(
        lambda _, args: seen.append(args[0].data if packed else args[0])
    )
    with applying("standardize") as made:
        module(given)
    handle.remove()
    rows = seen[0].flatten(0, -2)
    torch.testing.assert_close(rows.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(rows.std(0), torch.ones(3), atol=1e-4, rtol=0)
    assert made.intervention.applied == 1


@pytest.mark.parametrize("learns", [True, False])
def test_what_an_embedding_gives_is_not_data(learns: bool) -> None:
    module, table = nn.GRU(3, 4), nn.Embedding(5, 3)
    with applying("standardize") as made, torch.set_grad_enabled(learns):
        module(table(torch.zeros(7, 2, dtype=torch.long)))
    assert made.intervention.applied == 0


def test_outputs_are_normalized_and_states_are_not() -> None:
    module = nn.LSTM(3, 8)
    given = torch.randn(5, 2, 3)
    plain, (state, _) = module(given)
    with applying("normalize"):
        output, (same, _) = module(given)
    torch.testing.assert_close(output, nn.functional.layer_norm(plain, (8,)))
    assert torch.equal(state, same)


def test_a_repeat_moves_torchs_seeds_alone() -> None:
    def drawn() -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(3)
        return torch.rand(4), torch.rand(4, generator=torch.Generator().manual_seed(3))

    with applying("none"):
        first = drawn()
    with applying("none", repeat=1):
        second, again = drawn(), drawn()
    assert not torch.equal(first[0], second[0])
    assert torch.equal(second[0], again[0])
    assert torch.equal(first[1], second[1])


def test_checkpoints_of_a_trial_are_kept_apart(tmp_path: Path) -> None:
    place = tmp_path / "best.pt"
    torch.save({"a": 1}, place)
    with applying("none"):
        torch.save({"a": 2}, place)
        torch.save({"a": 3}, tmp_path / "new.pt")
        assert torch.load(place) == {"a": 2}
    assert torch.load(place) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["best.pt"]


def test_without_an_intervention_nothing_changes() -> None:
    weight = nn.Parameter(torch.zeros(3))
    with applying("none") as made:
        assert _step(torch.optim.SGD([weight], lr=0.5), weight, 1.0) == pytest.approx(0.5)
    assert made.intervention.applied == 0


def test_every_intervention_has_a_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    untested = {name for name in INTERVENTIONS if f'applying("{name}"' not in text}
    assert untested == {"xavier"}  # as orthogonal, but for what is drawn
