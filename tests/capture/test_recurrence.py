"""The recurrent modules and the weights they start from."""

from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.naming import Naming
from rnn_doctor.capture.probe.sensors.recurrence import Recurrences, initial_weights
from tests.capture.records import Records, observed


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("module", "layers", "forgets"),
    [
        (nn.LSTM(7, 64, 2, bidirectional=True), [(0, False), (0, True), (1, False), (1, True)], True),
        (nn.LSTM(7, 64, proj_size=5), [(0, False)], True),
        (nn.GRU(7, 64), [(0, False)], True),
        (nn.RNN(7, 64, 3, nonlinearity="relu"), [(0, False), (1, False), (2, False)], False),
        (nn.LSTMCell(7, 64), [(0, False)], True),
        (nn.GRUCell(7, 64), [(0, False)], True),
        (nn.RNNCell(7, 64), [(0, False)], False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_the_default_initialization_is_healthy(
    module: nn.Module, layers: list[tuple[int, bool]], forgets: bool
) -> None:
    found = initial_weights(module)
    assert [(w["layer"], w["reverse"]) for w in found] == layers
    for weights in found:
        assert weights["asymmetry"] > 0.95
        # Uniform within 1/sqrt(H): the gain is the square root of columns / 3 H.
        assert weights["hidden_gain"] == pytest.approx(
            3**-0.5 * ((5 / 64) ** 0.5 if getattr(module, "proj_size", 0) else 1), rel=0.1
        )
        assert ("forget_bias" in weights) == forgets
        assert abs(weights.get("forget_bias", 0.0)) < 0.1


def test_the_gain_of_the_input_weights() -> None:
    gru = nn.GRU(9, 4)
    with torch.no_grad():
        gru.get_parameter("weight_ih_l0").fill_(0.5)
    assert initial_weights(gru)[0]["input_gain"] == pytest.approx(1.5)


def test_orthogonal_and_identity_are_no_symmetry() -> None:
    rnn = nn.RNN(3, 16)
    with torch.no_grad():
        nn.init.orthogonal_(rnn.get_parameter("weight_hh_l0"))
    found = initial_weights(rnn)[0]
    assert found["hidden_gain"] == pytest.approx(1.0, rel=1e-5)
    assert found["asymmetry"] > 0.9
    with torch.no_grad():
        nn.init.eye_(rnn.get_parameter("weight_hh_l0"))
        nn.init.zeros_(rnn.get_parameter("weight_ih_l0"))
    assert initial_weights(rnn)[0]["asymmetry"] > 0.9


@pytest.mark.parametrize(
    ("fill", "kurtosis"), [(None, -1.2), (nn.init.normal_, 0.0), (nn.init.orthogonal_, 0.0)]
)
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_the_distribution_that_weights_were_drawn_from(kind: Any, fill: Any, kurtosis: float) -> None:
    module = kind(3, 64)
    weight = module.weight_hh_l0
    for block in weight.chunk(len(weight) // 64) if fill else ():
        fill(block)
    found = initial_weights(module)[0]
    assert found["kurtosis"] == pytest.approx(kurtosis, abs=0.15)
    assert 1 <= found["gate_spread"] < 1.06
    with torch.no_grad():
        weight[:64] *= 2
    twice = initial_weights(module)[0]["gate_spread"]
    assert twice == pytest.approx(2.0, rel=0.06) if kind is not nn.RNN else twice == 1.0


def test_of_sparse_weights_those_that_are_set_are_told() -> None:
    torch.manual_seed(0)
    rnn = nn.RNN(3, 64)
    with torch.no_grad():
        nn.init.sparse_(rnn.all_weights[0][1], 0.9, std=0.01)
    found = initial_weights(rnn)[0]
    assert found["filled"] == pytest.approx(0.1, abs=0.02)
    assert found["kurtosis"] == pytest.approx(0.0, abs=0.6)
    with torch.no_grad():
        nn.init.eye_(rnn.all_weights[0][1])
    assert "kurtosis" not in initial_weights(rnn)[0], "one value has no distribution"
    with torch.no_grad():
        nn.init.normal_(rnn.all_weights[0][1])[0, :3] = 0  # a few zeros are no sparse start
    assert "filled" not in initial_weights(rnn)[0]


def test_equal_units_are() -> None:
    lstm = nn.LSTM(3, 16)
    with torch.no_grad():
        for weight in lstm.parameters():
            nn.init.constant_(weight, 0.3)
    assert initial_weights(lstm)[0]["asymmetry"] == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        for weight in lstm.parameters():
            nn.init.zeros_(weight)
    assert initial_weights(lstm)[0]["asymmetry"] == 0.0
    # A symmetry of units, not of gates: rows that differ by gate alone.
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0"):
            weight = lstm.get_parameter(name)
            weight.copy_(torch.randn(4, 1, weight.shape[1]).expand(4, 16, -1).reshape(64, -1))
    assert initial_weights(lstm)[0]["asymmetry"] == pytest.approx(0.0, abs=1e-5)


def test_one_unit_cannot_be_like_another() -> None:
    assert initial_weights(nn.RNN(1, 1))[0]["asymmetry"] == 1.0


@pytest.mark.parametrize(("module", "gates"), [(nn.LSTM(2, 3), 4), (nn.GRU(2, 3), 3)])
def test_the_bias_of_the_gate_that_keeps_the_state(module: nn.RNNBase, gates: int) -> None:
    with torch.no_grad():
        for name in ("bias_ih_l0", "bias_hh_l0"):
            nn.init.zeros_(module.get_parameter(name))
            module.get_parameter(name).view(gates, 3)[1] = torch.tensor([0.5, 1.0, 1.5])
    assert initial_weights(module)[0]["forget_bias"] == pytest.approx(2.0)


def test_without_biases_there_is_none() -> None:
    assert "forget_bias" not in initial_weights(nn.LSTM(2, 3, bias=False))[0]


def described(module: nn.Module, **more: Any) -> dict[str, Any]:
    records = Records()
    recurrences = Recurrences(records, Naming())
    recurrences.built(module, {"file": "train.py", "line": 3})
    assert recurrences.number(module) == 0
    assert recurrences.number(module) == 0
    (record,) = records.of("module")
    return record


def test_descriptions() -> None:
    record = described(nn.GRU(3, 5, 2, batch_first=True, dropout=0.1, bidirectional=True))
    assert record == {
        "record": "module", "id": 0, "name": "GRU", "kind": "GRU", "input_size": 3, "hidden_size": 5,
        "num_layers": 2, "bidirectional": True, "batch_first": True, "dropout": 0.1, "proj_size": 0,
        "called": True, "location": {"file": "train.py", "line": 3},
    }  # fmt: skip
    assert described(nn.RNN(1, 1, nonlinearity="relu"))["nonlinearity"] == "relu"
    assert described(nn.LSTMCell(1, 2))["kind"] == "LSTMCell"

    class Own(nn.LSTM):
        pass

    assert described(Own(1, 2))["kind"] == "LSTM"


def test_a_frozen_module_that_is_trained_after_all_is_said_so() -> None:
    records = Records()
    recurrences = Recurrences(records, Naming())
    module = nn.GRU(2, 3)
    recurrences.built(module, None)
    numbers = [recurrences.number(module, frozen=frozen) for frozen in (True, True, False, True, False)]
    assert numbers == [0] * 5
    assert [m.get("frozen", False) for m in records.of("module")] == [True, False]
    assert len(records.of("initial_weights")) == 1


@pytest.mark.parametrize("frozen", [True, False])
def test_training_and_validation_of_a_frozen_network_are_told_apart(frozen: bool) -> None:
    reservoir, head = nn.RNN(3, 8).requires_grad_(not frozen), nn.Linear(8, 1)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(4):
            head(reservoir(torch.randn(5, 2, 3))[0]).square().mean().backward()
            optimizer.step()
        with torch.no_grad():
            head(reservoir(torch.randn(5, 2, 3))[0]).square().mean()
    (module,) = records.of("module")
    assert module.get("frozen", False) is frozen
    assert len(records.of("evaluation")) == 1
    assert bool(records.of("lag_gain")) is not frozen
    assert len(records.steps) == 4


def test_a_frozen_layer_over_a_trained_one_hands_gradients_on() -> None:
    embed, frozen, head = nn.Embedding(5, 3), nn.GRU(3, 8).requires_grad_(False), nn.Linear(8, 1)
    optimizer = torch.optim.SGD([*embed.parameters(), *head.parameters()], lr=0.1)
    with observed() as records:
        head(frozen(embed(torch.randint(0, 5, (6, 2))))[0]).square().mean().backward()
        optimizer.step()
    assert [m.get("frozen", False) for m in records.of("module")] == [False]
    assert records.of("lag_gain")


def test_a_module_in_the_place_of_one_that_is_gone_is_another() -> None:
    # Python reuses addresses at once: cross-validation builds one model a fold.
    records = Records()
    recurrences = Recurrences(records, Naming())
    for fold in range(20):
        module = nn.GRU(2, fold + 1)
        recurrences.built(module, None)
        assert recurrences.number(module) == fold
        del module
    assert [m["hidden_size"] for m in records.of("module")] == list(range(1, 21))
    assert recurrences.built_modules() == []


def test_a_hidden_module_that_is_called_after_all_is_said_so() -> None:
    records = Records()
    recurrences = Recurrences(records, Naming())
    module = nn.GRU(2, 3)
    recurrences.built(module, None)
    numbers = [recurrences.number(module, called) for called in (False, False, True, True)]
    assert numbers == [0, 0, 0, 0]
    assert [m["called"] for m in records.of("module")] == [False, True]
    assert len(records.of("initial_weights")) == 1
