"""What the graph of a loss tells."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe import graph

T, B, N, H = 6, 4, 3, 5


def weight(*shape: int) -> torch.Tensor:
    return (torch.randn(*shape) * 0.3).requires_grad_(True)


def found(loss: torch.Tensor, named: dict[str, torch.Tensor]) -> dict[str, int]:
    """Names of the recurrent weights with their uses."""
    names = {id(tensor): name for name, tensor in named.items()}
    return {names[id(tensor)]: uses for tensor, uses in graph.recurrent(graph.leaves(loss))}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_leaves_are_all_parameters_once_with_their_users() -> None:
    a, b, alone = weight(H, H), weight(H), weight(H)
    loss = (torch.randn(B, H) @ a.t() + b).sum() + (a * 2).sum()
    leaves = {id(leaf.tensor): len(leaf.users) for leaf in graph.leaves(loss)}
    assert leaves == {id(a): 2, id(b): 1}
    assert id(alone) not in leaves
    assert graph.leaves(torch.zeros(())) == []


def linear_layers() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    i2h, h2h = nn.Linear(N, H), nn.Linear(H, H)
    h = torch.zeros(B, H)
    for _ in range(T):
        h = torch.tanh(i2h(torch.randn(B, N)) + h2h(h))
    return h.sum(), {"i2h": i2h.weight, "h2h": h2h.weight}


def raw_tensors() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    w_x, w_h, w_o = weight(N, H), weight(H, H), weight(H, 2)
    h, loss = torch.zeros(B, H), torch.zeros(())
    for _ in range(T):
        h = torch.tanh(torch.randn(B, N) @ w_x + h @ w_h)
        loss = loss + (h @ w_o).square().mean()
    return loss, {"w_x": w_x, "h2h": w_h, "w_o": w_o}


def column_vectors() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    w_x, w_h = weight(H, N), weight(H, H)
    h = torch.zeros(H, 1)
    for _ in range(T):
        h = torch.tanh(torch.mm(w_x, torch.randn(N, 1)) + torch.mm(w_h, h))
    return h.sum(), {"w_x": w_x, "h2h": w_h}


def lstm_by_hand() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    w_x, w_h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H)
    h, c = torch.zeros(B, H), torch.zeros(B, H)
    for _ in range(T):
        i, f, g, o = (w_x(torch.randn(B, N)) + w_h(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h.sum(), {"w_x": w_x.weight, "h2h": w_h.weight}


def input_transformed_at_once() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    w_x, w_h = weight(N, H), weight(H, H)
    driven, h = torch.randn(T, B, N) @ w_x, torch.zeros(B, H)
    for t in range(T):
        h = torch.tanh(driven[t] + h @ w_h)
    return h.sum(), {"w_x": w_x, "h2h": w_h}


@pytest.mark.parametrize(
    "cell", [linear_layers, raw_tensors, column_vectors, lstm_by_hand, input_transformed_at_once]
)
def test_the_recurrent_weight_is_told_from_the_input_weight(
    cell: Callable[[], tuple[torch.Tensor, dict[str, torch.Tensor]]],
) -> None:
    loss, named = cell()
    assert found(loss, named) == {"h2h": T}


def test_four_gates_with_a_layer_each() -> None:
    gates = {name: nn.Linear(N + H, H) for name in "ifgo"}
    h, c = torch.zeros(B, H), torch.zeros(B, H)
    for _ in range(T):
        joined = torch.cat([torch.randn(B, N), h], 1)
        c = gates["f"](joined).sigmoid() * c + gates["i"](joined).sigmoid() * gates["g"](joined).tanh()
        h = gates["o"](joined).sigmoid() * c.tanh()
    assert found(h.sum(), {name: layer.weight for name, layer in gates.items()}) == dict.fromkeys("ifgo", T)


def test_two_layers_are_both_recurrent() -> None:
    named = {"x1": weight(N, H), "h1": weight(H, H), "x2": weight(H, H), "h2": weight(H, H)}
    first, second = torch.zeros(B, H), torch.zeros(B, H)
    for _ in range(T):
        first = torch.tanh(torch.randn(B, N) @ named["x1"] + first @ named["h1"])
        second = torch.tanh(first @ named["x2"] + second @ named["h2"])
    assert found(second.sum(), named) == {"h1": T, "h2": T}


def test_a_decoder_with_attention() -> None:
    memory = torch.randn(7, B, H)
    named = {"score": weight(2 * H, 1), "mix": weight(2 * H, H), "out": weight(H, 3)}
    h, loss = torch.zeros(B, H), torch.zeros(())
    for _ in range(T):
        pairs = torch.cat([memory, h.expand_as(memory)], 2)
        share = (pairs @ named["score"]).softmax(0)
        h = torch.tanh(torch.cat([(share * memory).sum(0), h], 1) @ named["mix"])
        loss = loss + (h @ named["out"]).square().sum()
    # What attends with the state feeds the state: the score is applied in a row as well.
    assert found(loss, named) == {"score": T, "mix": T}


def test_a_layer_applied_to_many_things_independently_is_not_recurrent() -> None:
    shared, depth = nn.Linear(N, H), nn.Sequential(*[nn.Linear(H, H) for _ in range(8)])
    parts = torch.stack([shared(torch.randn(B, N)).relu() for _ in range(T)])
    assert graph.recurrent(graph.leaves(depth(parts.mean(0)).sum())) == []


def test_a_deep_network_without_sharing_is_not_recurrent() -> None:
    net = nn.Sequential(*[layer for _ in range(10) for layer in (nn.Linear(H, H), nn.ReLU())])
    assert graph.recurrent(graph.leaves(net(torch.randn(B, H)).sum())) == []


def test_a_fused_module_is_not_a_hand_written_recurrence() -> None:
    output, _ = nn.LSTM(N, H, 2)(torch.randn(T, B, N))
    assert graph.recurrent(graph.leaves(output.sum())) == []


def test_a_graph_of_many_steps_is_walked_without_recursion() -> None:
    w_h, h = weight(H, H), torch.zeros(1, H)
    for _ in range(3000):
        h = torch.tanh(h @ w_h)
    assert found(h.sum(), {"h2h": w_h}) == {"h2h": 3000}


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: x.softmax(1), "softmax"),
        (lambda x: x.log_softmax(1), "log_softmax"),
        (lambda x: x.sigmoid().squeeze(0), "sigmoid"),
        (lambda x: x.relu().view(-1).unsqueeze(1), "relu"),
        (lambda x: torch.tanh(x).t()[:, -1], "tanh"),
        (lambda x: torch.stack([x.softmax(1), x.softmax(1)]), "softmax"),
        (lambda x: x * 2, None),
        (lambda x: x.softmax(1) + 1, None),
        (lambda x: x, None),
    ],
)
def test_head(make: Callable[[torch.Tensor], torch.Tensor], name: str | None) -> None:
    assert graph.head(make(weight(B, H))) == name


def test_head_of_a_constant() -> None:
    assert graph.head(torch.ones(2)) is None


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (lambda loss: loss / 4, 4.0),
        (lambda loss: loss / torch.tensor(8.0), 8.0),
        (lambda loss: loss * 0.25, 4.0),
        (lambda loss: loss * (1 / 3), 3.0),
        (lambda loss: loss, 1.0),
        (lambda loss: loss + 1, 1.0),
        (lambda loss: loss * 0, 1.0),
        (lambda loss: loss / (loss + 1), 1.0),
    ],
)
def test_divisor(make: Callable[[torch.Tensor], torch.Tensor], number: float) -> None:
    loss = weight(3).square().sum()
    assert graph.divisor(make(loss)) == pytest.approx(number)


@pytest.mark.parametrize(
    ("make", "result"),
    [
        (lambda p, y: ((p - y) ** 2).mean(), (B, 1)),
        (lambda p, y: (y - p).pow(2).sum() / 3, (B, 1)),
        (lambda p, y: (p - y).abs().mean(), (B, 1)),
        (lambda p, y: ((p - y.squeeze(1)) ** 2).mean(), (B, B)),
        (lambda p, y: 0.5 * ((p - y.squeeze(1)) ** 2).mean(), (B, B)),
    ],
)
def test_difference(
    make: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], result: tuple[int, ...]
) -> None:
    prediction = torch.randn(B, N) @ weight(N, 1)
    assert graph.difference(make(prediction, torch.randn(B, 1))) == graph.Difference((B, 1), result, None)


def test_difference_names_the_head() -> None:
    prediction = (torch.randn(B, N) @ weight(N, 1)).sigmoid()
    found_ = graph.difference((prediction - torch.ones(B, 1)).square().mean())
    assert found_ is not None
    assert found_.head == "sigmoid"


@pytest.mark.parametrize(
    "make",
    [
        lambda p, q: ((p - q) ** 2).mean(),  # both sides learn: no target
        lambda p, q: p.mean() + q.mean(),
        lambda p, q: p.exp().mean(),
        lambda p, q: nn.functional.mse_loss(p, q.detach()),
    ],
)
def test_no_difference(make: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
    assert graph.difference(make(weight(B, 1), weight(B, 1))) is None
