"""What the graph of a loss tells."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe import graph

B, N, H = 4, 3, 5


def weight(*shape: int) -> torch.Tensor:
    return (torch.randn(*shape) * 0.3).requires_grad_(True)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_leaves_are_all_parameters_once() -> None:
    a, b, alone = weight(H, H), weight(H), weight(H)
    loss = (torch.randn(B, H) @ a.t() + b).sum() + (a * 2).sum()
    found = graph.leaves(loss)
    assert {id(leaf) for leaf in found.used} == {id(a), id(b)}
    assert len(found.used) == 2
    assert found.weightless == []
    assert alone.requires_grad
    assert graph.leaves(torch.zeros(())) == graph.Leaves([], [])


@pytest.mark.parametrize("zero", [0.0, 0, torch.tensor(0.0), torch.zeros(B, 1)])
def test_a_term_weighted_by_zero_uses_nothing(zero: float | torch.Tensor) -> None:
    body, head, side = weight(H, H), weight(H, 1), weight(H, 1)
    features = torch.randn(B, H) @ body
    loss = (features @ head).mean() + (zero * (features @ side).square()).mean()
    found = graph.leaves(loss)
    assert {id(leaf) for leaf in found.used} == {id(body), id(head)}
    assert [id(leaf) for leaf in found.weightless] == [id(side)]


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_of_one_zero_is_its_bias(bias: bool) -> None:
    """As scripts learn where a state or a memory begins."""
    start = nn.Linear(1, H, bias=bias)
    found = graph.leaves((start(torch.tensor([[0.0]])) + weight(1, H)).sum())
    assert [id(leaf) for leaf in found.weightless] == [id(start.weight)]
    assert (id(start.bias) in {id(leaf) for leaf in found.used}) is bias


@pytest.mark.parametrize("given", [torch.zeros(1, H), torch.zeros(B, H), torch.ones(1, H)])
def test_a_layer_of_a_state_or_of_data_is_used(given: torch.Tensor) -> None:
    layer = nn.Linear(H, N)
    found = graph.leaves(layer(given).sum())
    assert {id(leaf) for leaf in found.used} == {id(layer.weight), id(layer.bias)}


@pytest.mark.parametrize("weighted", [1e-9, torch.eye(H)[:, :1], torch.zeros((), requires_grad=True)])
def test_other_factors_are_no_weight_of_zero(weighted: float | torch.Tensor) -> None:
    """A gate that learns begins at 0 and opens."""
    side = weight(H, 1)
    found = graph.leaves((side * weighted).sum())
    assert id(side) in {id(leaf) for leaf in found.used}
    assert found.weightless == []


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


@pytest.mark.parametrize(
    ("make", "paired"),
    [
        (lambda q, y: (y[:, None, :] - q[:, :, None]).abs().mean(), True),
        (lambda q, y: (q.unsqueeze(2) - y.unsqueeze(1)).square().mean(), True),
        (lambda q, y: (q[:, :, None] - y[:, :1, None]).square().mean(), True),
        (lambda q, y: (q[:, 0, None] - y[:, 0]).square().mean(), False),  # (B, 1) against (B,)
        (lambda q, y: (q.mean(1, keepdim=True) - y[:, 0]).square().mean(), False),
    ],
)
def test_pairs_that_an_axis_was_put_in_for(
    make: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], paired: bool
) -> None:
    found = graph.difference(make(torch.randn(B, N) @ weight(N, N), torch.randn(B, H)))
    assert found is not None
    assert found.paired is paired


SPREAD: list[Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = [
    lambda p, y: (p - y).square().mean().sqrt(),
    lambda p, y: torch.norm(p - y),
    lambda p, y: ((p - y) * (p - y)).mean(),
    lambda p, y: (p - y).cosh().log().mean(),
    lambda p, y: ((y - p) / (y.abs() + 1)).abs().mean(),
    lambda p, y: torch.max(0.9 * (y - p), 0.1 * (p - y)).mean(),
    lambda p, y: -(p.sigmoid().log() * y + (-p).sigmoid().log() * (1 - y)).mean(),
    lambda p, y: (p.square() * y).mean() + p.abs().mean(),
]


@pytest.mark.parametrize("make", SPREAD)
def test_losses_of_any_form_that_spread_over_pairs(
    make: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    y, x, w = torch.rand(B), torch.randn(B, N), weight(N, 1)
    found = graph.spread(make(x @ w, y))
    assert found is not None
    assert (found.prediction_shape, found.result_shape, found.paired) == ((B, 1), (B, B), False)
    turned = graph.spread(make((x @ w).squeeze(1), y.unsqueeze(1)))
    assert turned is not None
    assert turned.prediction_shape == (B,)
    assert graph.spread(make((x @ w).squeeze(1), y)) is None
    assert graph.spread(make(x @ w, y.unsqueeze(1))) is None


@pytest.mark.parametrize(
    "make",
    [
        # The sets at risk of a survival model, and pairs that are ranked.
        lambda p, y: ((y[:, None] >= y) * p.squeeze(1).exp()).sum(1).log().mean(),
        lambda p, y: ((y[:, None] >= y) * p.exp()).sum(1).log().mean(),
        lambda p, y: torch.relu(1 - torch.sign(y[:, None] - y) * (p - p.t())).mean(),
        lambda p, y: torch.logsumexp(p.t() + (y[:, None] >= y).float(), 1).mean(),
        # Quantiles of each answer, and frequencies of which a network is made.
        lambda p, y: (p - torch.rand(B + 2)).abs().mean(),
        lambda p, y: ((p * y).sin() @ weight(B, 1)).mean(),
        lambda p, y: (p * y[:1]).mean(),
    ],
)
def test_pairs_that_are_meant(make: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
    assert graph.spread(make(torch.randn(B, N) @ weight(N, 1), torch.rand(B))) is None


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
