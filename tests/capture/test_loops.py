"""Hand-written recurrences: found in the graph, and their backward gain against autograd on the states themselves."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.recurrence import cut_states, loop_gain, loops
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from tests.capture.records import Observation, observed

T, B, N, H = 7, 4, 3, 5


class Written(NamedTuple):
    """A recurrence that was run by hand: its loss, named weights, and its states as the loop held them."""

    loss: torch.Tensor
    named: dict[str, torch.Tensor]
    states: Sequence[tuple[torch.Tensor, ...]]


@pytest.fixture(autouse=True)
def _double() -> object:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def weight(*shape: int) -> torch.Tensor:
    return (torch.randn(*shape) * 0.3).requires_grad_(True)


def of(loss: torch.Tensor, named: dict[str, torch.Tensor] | None = None) -> tuple[Unrolled, list[loops.Loop]]:
    unrolled = Unrolled(loss)
    return unrolled, loops.find(unrolled, lambda _: False, lambda weights: str(id(weights[0])))


def found(written: Written) -> dict[str, int]:
    """Names of the recurrent weights with how often they are applied in a row."""
    names = {id(tensor): name for name, tensor in written.named.items()}
    return {names[id(w)]: loop.steps for loop in of(written.loss)[1] for w in loop.weights}


def linear_layers() -> Written:
    i2h, h2h = nn.Linear(N, H), nn.Linear(H, H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = torch.tanh(i2h(torch.randn(B, N)) + h2h(h))
        states.append((h,))
    return Written(h.sum(), {"i2h": i2h.weight, "h2h": h2h.weight}, states)


def raw_tensors() -> Written:
    w_x, w_h, w_o = weight(N, H), weight(H, H), weight(H, 2)
    h, loss, states = torch.zeros(B, H), torch.zeros(()), []
    for _ in range(T):
        h = torch.tanh(torch.randn(B, N) @ w_x + h @ w_h)
        loss = loss + (h @ w_o).square().mean()
        states.append((h,))
    return Written(loss, {"w_x": w_x, "h2h": w_h, "w_o": w_o}, states)


def transposed_once() -> Written:
    w_x, w_h = weight(H, N), weight(H, H)
    by_input, by_state = w_x.t(), w_h.t()
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = torch.tanh(torch.randn(B, N) @ by_input + h @ by_state)
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x, "h2h": w_h}, states)


def column_vectors() -> Written:
    w_x, w_h = weight(H, N), weight(H, H)
    h, states = torch.zeros(H, 1), []
    for _ in range(T):
        h = torch.tanh(torch.mm(w_x, torch.randn(N, 1)) + torch.mm(w_h, h))
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x, "h2h": w_h}, states)


def single_vectors() -> Written:
    i2h, h2h = nn.Linear(N, H), nn.Linear(H, H)
    h, states = torch.zeros(H), []
    for _ in range(T):
        h = torch.tanh(i2h(torch.randn(N)) + h2h(h))
        states.append((h,))
    return Written(h.sum(), {"i2h": i2h.weight, "h2h": h2h.weight}, states)


def joined_with_the_input() -> Written:
    cell, head = nn.Linear(N + H, H), nn.Linear(H, 2)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = torch.tanh(cell(torch.cat([torch.randn(B, N), h], 1)))
        states.append((h,))
    return Written(head(h).square().sum(), {"h2h": cell.weight, "head": head.weight}, states)


def lstm_by_hand() -> Written:
    w_x, w_h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H)
    h, c, states, loss = torch.zeros(B, H), torch.zeros(B, H), [], torch.zeros(())
    for _ in range(T):
        i, f, g, o = (w_x(torch.randn(B, N)) + w_h(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append((h, c))
        loss = loss + h.square().sum()
    return Written(loss, {"w_x": w_x.weight, "h2h": w_h.weight}, states)


def input_transformed_at_once() -> Written:
    w_x, w_h = weight(N, H), weight(H, H)
    driven, h, states = torch.randn(T, B, N) @ w_x, torch.zeros(B, H), []
    for t in range(T):
        h = torch.tanh(driven[t] + h @ w_h)
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x, "h2h": w_h}, states)


def residual() -> Written:
    w_x, w_h = weight(N, H), weight(H, H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = h + torch.tanh(torch.randn(B, N) @ w_x + h @ w_h)
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x, "h2h": w_h}, states)


def normalized() -> Written:
    w_x, w_h, norm = weight(N, H), weight(H, H), nn.LayerNorm(H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = norm(torch.relu(torch.randn(B, N) @ w_x + h @ w_h))
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x, "h2h": w_h}, states)


def gru_by_hand() -> Written:
    w_x, w_h = nn.Linear(N, 3 * H), nn.Linear(H, 3 * H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        (r, z, n), (hr, hz, hn) = w_x(torch.randn(B, N)).chunk(3, 1), w_h(h).chunk(3, 1)
        r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
        h = (1 - z) * torch.tanh(n + r * hn) + z * h
        states.append((h,))
    return Written(h.sum(), {"w_x": w_x.weight, "h2h": w_h.weight}, states)


def four_gates() -> Written:
    gates = {name: nn.Linear(N + H, H) for name in "ifgo"}
    h, c, states = torch.zeros(B, H), torch.zeros(B, H), []
    for _ in range(T):
        joined = torch.cat([torch.randn(B, N), h], 1)
        c = gates["f"](joined).sigmoid() * c + gates["i"](joined).sigmoid() * gates["g"](joined).tanh()
        h = gates["o"](joined).sigmoid() * c.tanh()
        states.append((h, c))
    return Written(h.sum(), {name: layer.weight for name, layer in gates.items()}, states)


def reset_before_the_product() -> Written:
    gates = {name: nn.Linear(N + H, H) for name in "rzn"}
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        x = torch.randn(B, N)
        joined = torch.cat([x, h], 1)
        r, z = gates["r"](joined).sigmoid(), gates["z"](joined).sigmoid()
        n = gates["n"](torch.cat([x, r * h], 1)).tanh()
        h = (1 - z) * h + z * n
        states.append((h,))
    return Written(h.sum(), {name: layer.weight for name, layer in gates.items()}, states)


def two_matrices() -> Written:
    first, second = nn.Linear(H, 3 * H + 1), nn.Linear(3 * H + 1, H)
    h, states = torch.randn(B, H), []
    for _ in range(T):
        h = h + second(torch.relu(first(h)))
        states.append((h,))
    return Written(h.sum(), {"first": first.weight, "second": second.weight}, states)


SINGLE = [
    linear_layers, raw_tensors, transposed_once, column_vectors, single_vectors, joined_with_the_input,
    lstm_by_hand, gru_by_hand, input_transformed_at_once, residual, normalized,
]  # fmt: skip
SEVERAL = [four_gates, reset_before_the_product, two_matrices]


@pytest.mark.parametrize("cell", SINGLE)
def test_the_recurrent_weight_is_told_from_those_of_input_and_output(cell: Callable[[], Written]) -> None:
    assert found(cell()) == {"h2h": T}


def test_a_matrix_made_of_weights_that_are_kept_positive() -> None:
    """Excitatory and inhibitory units: the outgoing weights of each have one sign."""
    i2h, w_h, h = nn.Linear(N, H), weight(H, H), torch.zeros(B, H)
    signs = torch.where(torch.arange(H) < H - 1, 1.0, -1.0) * (1 - torch.eye(H))
    for _ in range(T):
        h = torch.relu(0.8 * h + 0.2 * (i2h(torch.randn(B, N)) + nn.functional.linear(h, w_h.abs() * signs)))
    assert found(Written(h.sum(), {"i2h": i2h.weight, "h2h": w_h}, ())) == {"h2h": T}


def test_the_weights_of_several_gates_are_one_recurrence() -> None:
    assert found(four_gates()) == dict.fromkeys("ifgo", T)
    # The reset gate's product reaches the next state through the candidate's alone.
    assert found(reset_before_the_product()) == dict.fromkeys("zn", T)
    assert found(two_matrices()) == {"first": T, "second": T}
    assert len(of(four_gates().loss)[1]) == 1


@pytest.mark.parametrize("cell", [*SINGLE, *SEVERAL])
def test_the_gain_is_that_of_autograd_on_the_states_themselves(cell: Callable[[], Written]) -> None:
    written = cell()
    unrolled, (loop,) = of(written.loss)
    assert loop_gain.absent(unrolled, loop) is None
    fields = loop_gain.gain(unrolled, loop)
    assert fields["lags"] == list(range(T))
    # The tensors of a state stand in the order of the graph; the cotangents are drawn in it.
    last = [unrolled.nodes[number] for number, _ in loop.states[-1]]
    order = sorted(range(len(last)), key=lambda k: last.index(written.states[-1][k].grad_fn))
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(1 if fields["rows"] > 1 else 2):
        ends = [written.states[-1][k] for k in order]
        total = sum(((h * torch.randn(h.shape, generator=generator)).sum() for h in ends), torch.zeros(()))
        flat = [state[k] for state in written.states[::-1] for k in order]
        gradients = torch.autograd.grad(total, flat, retain_graph=True)
        squares = [
            (g.square().sum(-1) if fields["rows"] > 1 else g.square().sum().reshape(1)) for g in gradients
        ]
        norms = torch.stack(squares).reshape(T, len(order), -1).sum(1).sqrt()
        samples += (norms / norms[0]).log10().t().tolist()
    assert fields["rows"] in (1, B)
    expected = torch.tensor(samples).median(0).values
    assert torch.allclose(torch.tensor(fields["decades"]), expected, rtol=0, atol=1e-10)
    assert fields["decades"][-1] != 0


@pytest.mark.parametrize("cell", [*SINGLE, *SEVERAL])
def test_where_autograd_starts_from_tensors_alone_the_gain_is_the_same(
    cell: Callable[[], Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = cell()
    unrolled, (loop,) = of(written.loss)
    assert loop_gain.STARTS_WITHIN
    within = loop_gain.gain(unrolled, loop)
    monkeypatch.setattr(loop_gain, "STARTS_WITHIN", False)
    from_loss = loop_gain.gain(unrolled, loop)
    assert from_loss["decades"] == pytest.approx(within["decades"], rel=1e-12, abs=1e-12)
    # Its hooks are gone: the script's gradients are those of an untouched graph.
    weights = list(written.named.values())
    gradients = torch.autograd.grad(written.loss, weights, retain_graph=True)
    torch.manual_seed(0)
    alone = cell()
    untouched = torch.autograd.grad(alone.loss, list(alone.named.values()))
    assert all(torch.equal(a, b) for a, b in zip(gradients, untouched, strict=True))


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
def test_a_known_jacobian(scale: float) -> None:
    rotation = nn.init.orthogonal_(torch.empty(H, H)) * scale
    rotation.requires_grad_(True)
    h = torch.randn(B, H)
    for _ in range(30):
        h = h @ rotation + torch.randn(B, H)
    unrolled, (loop,) = of(h.sum())
    fields = loop_gain.gain(unrolled, loop)
    slope = (fields["decades"][-1] - fields["decades"][1]) / (fields["lags"][-1] - 1)
    assert slope == pytest.approx(torch.tensor(scale).log10().item(), rel=1e-9, abs=1e-12)
    assert loop.linear


def test_two_layers_that_take_turns_are_one_recurrence_of_their_module() -> None:
    named = {"x1": weight(N, H), "h1": weight(H, H), "x2": weight(H, H), "h2": weight(H, H)}
    first, second, states = torch.zeros(B, H), torch.zeros(B, H), []
    for _ in range(T):
        first = torch.tanh(torch.randn(B, N) @ named["x1"] + first @ named["h1"])
        second = torch.tanh(first @ named["x2"] + second @ named["h2"])
        states.append((first, second))
    assert found(Written(second.sum(), named, states)) == {"h1": T, "h2": T}
    unrolled = Unrolled(second.sum())
    (loop,) = loops.find(unrolled, lambda _: False, lambda _: "one module")
    assert {unrolled.nodes[number] for number, _ in loop.states[-1]} == {first.grad_fn, second.grad_fn}
    fields = loop_gain.gain(unrolled, loop)
    assert len(fields["lags"]) == T


def test_encoder_and_decoder_in_one_module_are_two_recurrences() -> None:
    encode, decode = weight(H, H), weight(H, H)
    h = torch.randn(B, H)
    for steps, w in ((T, encode), (T + 2, decode)):
        for _ in range(steps):
            h = torch.tanh(h @ w)
    (loop,) = loops.find(Unrolled(h.sum()), lambda _: False, lambda _: "one module")
    assert loop.steps == T + 2
    assert [id(w) for w in loop.weights] == [id(decode)]


def test_a_decoder_with_attention() -> None:
    memory = torch.randn(7, B, H)
    named = {"score": weight(2 * H, 1), "mix": weight(2 * H, H), "out": weight(H, 3)}
    h, loss, states = torch.zeros(B, H), torch.zeros(()), []
    for _ in range(T):
        pairs = torch.cat([memory, h.expand_as(memory)], 2)
        share = (pairs @ named["score"]).softmax(0)
        h = torch.tanh(torch.cat([(share * memory).sum(0), h], 1) @ named["mix"])
        loss = loss + (h @ named["out"]).square().sum()
        states.append((h,))
    # The score looks at the state and does not make it.
    assert found(Written(loss, named, states)) == {"mix": T}


def test_the_state_is_told_from_an_output_that_is_fed_back() -> None:
    v, w = weight(H, 1 + H), weight(1, H)
    h, out = torch.zeros(H, 1), torch.randn(1, 1)
    outputs = torch.zeros(1, 0)
    for _ in range(T):
        h = torch.tanh(v @ torch.vstack([out, h]))
        out = w @ h
        outputs = torch.hstack([outputs, out])
    unrolled, (loop,) = of(outputs.square().sum())
    assert (loop.hidden_size, loop.axis, loop.steps) == (H, -2, T)
    assert [id(each) for each in loop.weights] == [id(v)]
    assert loop_gain.absent(unrolled, loop) is None

    # Read from a tensor that grows, the output of every step is part of the state.
    h, outputs = torch.zeros(H, 1), torch.randn(1, 1)
    for _ in range(T):
        h = torch.tanh(v @ torch.vstack([outputs[:, -1:], h]))
        outputs = torch.hstack([outputs, w @ h])
    unrolled, (loop,) = of(outputs.square().sum())
    assert (loop.hidden_size, loop.steps) == (H, T)
    assert "not the same form" in str(loop_gain.absent(unrolled, loop))


def test_a_weight_that_is_set_anew_in_a_module_of_torchs_is_no_recurrence_of_its_own() -> None:
    rnn = nn.RNN(N, H)
    raw = nn.Parameter(rnn.get_parameter("weight_hh_l0").detach())
    del rnn._parameters["weight_hh_l0"]
    rnn.weight_hh_l0 = nn.functional.dropout(raw, 0.2)
    rnn._flat_weights = [getattr(rnn, name) for name in rnn._flat_weights_names]
    own = {id(p) for p in rnn.parameters()}
    unrolled = Unrolled(rnn(torch.randn(T, B, N))[0].sum())
    assert [loop.steps for loop in loops.find(unrolled, lambda _: False, lambda _: "")] == [T]
    assert loops.find(unrolled, lambda weight: id(weight) in own, lambda _: "") == []


def no_recurrences() -> dict[str, Callable[[], torch.Tensor]]:
    def shared_layer() -> torch.Tensor:
        shared, depth = nn.Linear(N, H), nn.Sequential(*[nn.Linear(H, H) for _ in range(8)])
        parts = torch.stack([shared(torch.randn(B, N)).relu() for _ in range(T)])
        total: torch.Tensor = depth(parts.mean(0)).sum()
        return total

    def deep_network() -> torch.Tensor:
        net = nn.Sequential(*[layer for _ in range(10) for layer in (nn.Linear(H, H), nn.ReLU())])
        total: torch.Tensor = net(torch.randn(B, H)).sum()
        return total

    def fused_module() -> torch.Tensor:
        # In single precision; in double its kernel leaves each step in the graph.
        module, x = nn.LSTM(N, H, 2, dtype=torch.float32), torch.randn(T, B, N, dtype=torch.float32)
        total: torch.Tensor = module(x)[0].sum()
        return total

    def random_field() -> torch.Tensor:
        transitions, scores = weight(H, H), nn.Linear(N, H)(torch.randn(T, N))
        alpha = scores[0]
        for score in scores[1:]:
            alpha = torch.logsumexp(alpha.unsqueeze(0) + transitions + score.unsqueeze(1), 1)
        return torch.logsumexp(alpha, 0)

    def attention_over_a_given_state() -> torch.Tensor:
        score, query = nn.Linear(2 * H, 1), torch.randn(B, H)
        memory = torch.randn(7, B, H)
        for _ in range(T):
            share = score(torch.cat([memory, query.expand_as(memory)], 2)).softmax(0)
            query = (share * memory).sum(0)
        return query.sum()

    every = (shared_layer, deep_network, fused_module, random_field, attention_over_a_given_state)
    return {f.__name__: f for f in every}


@pytest.mark.parametrize("name", no_recurrences())
def test_no_recurrence(name: str) -> None:
    assert of(no_recurrences()[name]())[1] == []


def test_a_graph_of_many_steps_is_walked_without_recursion() -> None:
    w_h, h = weight(H, H), torch.zeros(1, H)
    for _ in range(3000):
        h = torch.tanh(h @ w_h)
    unrolled, (loop,) = of(h.sum())
    assert loop.steps == 3000
    fields = loop_gain.gain(unrolled, loop)
    assert fields["lags"][-1] == 2999


def test_a_graph_beyond_the_bound_is_not_asked() -> None:
    w_h, h = weight(H, H), torch.zeros(1, H)
    for _ in range(11_000):
        h = torch.tanh(h @ w_h)
    unrolled, (loop,) = of(h.sum())
    assert "too many operations" in str(loop_gain.absent(unrolled, loop))


def test_a_function_of_the_script_on_the_way_is_not_run_once_more() -> None:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
            return gradient

    w_h, h = weight(H, H), torch.randn(B, H)
    for _ in range(T):
        h = Own.apply(torch.tanh(h @ w_h))  # type: ignore[no-untyped-call]
    unrolled, (loop,) = of(h.sum())
    assert "autograd.Function" in str(loop_gain.absent(unrolled, loop))


@pytest.mark.parametrize(
    ("cell", "linear"),
    [(linear_layers, False), (lstm_by_hand, False), (gru_by_hand, False), (residual, False)],
)
def test_a_nonlinearity_is_seen(cell: Callable[[], Written], linear: bool) -> None:
    assert [loop.linear for loop in of(cell().loss)[1]] == [linear]


def test_a_recurrence_without_nonlinearity() -> None:
    i2h, i2o = nn.Linear(N + H, H), nn.Linear(N + H, 2)
    h = torch.zeros(B, H)
    for _ in range(T):
        joined = torch.cat([torch.randn(B, N), h], 1)
        h = nn.functional.dropout(i2h(joined), 0.2) * 0.9
        out = i2o(joined).log_softmax(1)
    (loop,) = of(out.sum())[1]
    assert (loop.linear, loop.steps, loop.hidden_size) == (True, T - 1, H)


# ---------------------------------------------------------------- cut off at every step


def cut(loss: torch.Tensor) -> list[cut_states.Cut]:
    return cut_states.find(Unrolled(loss), lambda _: False, lambda weights: str(id(weights[0])))


def detached_layers(h: torch.Tensor, let_go: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    i2h, h2h, head = nn.Linear(N, H), nn.Linear(H, H), nn.Linear(H, 2)
    loss = torch.zeros(())
    for _ in range(T):
        h = torch.tanh(i2h(torch.randn(B, N)) + h2h(let_go(h)))
        loss = loss + head(h).square().mean()
    return loss


@pytest.mark.parametrize(
    "let_go",
    [
        lambda h: h.detach(),
        lambda h: h.data,
        lambda h: h.detach().clone(),
        lambda h: torch.tensor(h.tolist()),
    ],
    ids=["detach", "data", "clone", "anew"],
)
def test_a_state_that_is_cut_off_at_every_step(let_go: Callable[[torch.Tensor], torch.Tensor]) -> None:
    torch.set_default_dtype(torch.float64)
    loss = detached_layers(torch.zeros(B, H), let_go)
    assert of(loss)[1] == []
    (only,) = cut(loss)
    assert (only.applied, only.cut, only.hidden_size) == (T, T - 1, H)
    assert only.weights[0].shape == (H, H)


def test_a_cut_state_that_is_joined_with_the_input() -> None:
    cell, head, h, loss = nn.Linear(N + H, H), nn.Linear(H, 2), torch.zeros(B, H), torch.zeros(())
    for _ in range(T):
        h = torch.tanh(cell(torch.cat([torch.randn(B, N), h.detach()], 1)))
        loss = loss + head(h).square().mean()
    (only,) = cut(loss)
    assert (only.cut, only.hidden_size, only.weights[0].shape) == (T - 1, H, (H, N + H))


def test_the_cut_state_of_an_lstm() -> None:
    w_x, w_h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H)
    h, c, loss = torch.zeros(B, H), torch.zeros(B, H), torch.zeros(())
    for _ in range(T):
        i, f, g, o = (w_x(torch.randn(B, N)) + w_h(h.detach())).chunk(4, 1)
        c = f.sigmoid() * c.detach() + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        loss = loss + h.square().sum()
    (only,) = cut(loss)
    assert (only.cut, only.hidden_size) == (T - 1, H)


@pytest.mark.parametrize(("h_kept", "c_kept"), [(True, False), (False, True)])
def test_an_lstm_that_hands_one_part_of_its_state_on_is_not_cut_off(h_kept: bool, c_kept: bool) -> None:
    w_x, w_h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H)
    h, c, loss = torch.zeros(B, H), torch.zeros(B, H), torch.zeros(())
    for _ in range(T):
        i, f, g, o = (w_x(torch.randn(B, N)) + w_h(h if h_kept else h.detach())).chunk(4, 1)
        c = f.sigmoid() * (c if c_kept else c.detach()) + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        loss = loss + h.square().sum()
    assert cut(loss) == []


@pytest.mark.parametrize("cell", [*SINGLE, *SEVERAL])
def test_a_state_that_is_handed_on_is_not_cut_off(cell: Callable[[], Written]) -> None:
    assert cut(cell().loss) == []


@pytest.mark.parametrize("name", no_recurrences())
def test_without_a_recurrence_nothing_is_cut_off(name: str) -> None:
    assert cut(no_recurrences()[name]()) == []


def test_a_forecast_that_is_fed_back_is_no_cut_state() -> None:
    net = nn.Sequential(nn.Linear(H, 4 * H), nn.Tanh(), nn.Linear(4 * H, H))
    x, loss = torch.randn(B, H), torch.zeros(())
    for _ in range(T):
        x = net(x.detach())
        loss = loss + x.square().mean()
    assert cut(loss) == []


# ---------------------------------------------------------------- within a training


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2h, self.head = nn.Linear(N, H), nn.Linear(H, H), nn.Linear(H, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[1], H)
        for x_t in x:
            h = torch.tanh(self.i2h(x_t) + self.h2h(h))
        out: torch.Tensor = self.head(h)
        return out


def train() -> list[torch.Tensor]:
    torch.manual_seed(1)
    net = Cell()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(3):
        loss = net(torch.randn(T, B, N)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    return [*net.parameters(), *gradients, torch.get_rng_state()]


def watched() -> tuple[Observation, list[torch.Tensor]]:
    with observed() as records:
        left = train()
    assert records.of("sensor_off") == []
    return records, left


def test_a_training_is_left_bit_identical() -> None:
    _, left = watched()
    alone = train()
    assert len(left) == 13
    assert all(torch.equal(a, b) for a, b in zip(left, alone, strict=True))


def test_a_hand_written_cell_leaves_its_records() -> None:
    records, _ = watched()
    (module,) = records.of("module")
    assert (module["name"], module["kind"], module["hidden_size"]) == ("Cell", "custom", H)
    assert (module["location"]["function"], module["location"]["code"]) == ("train", "net = Cell()")
    (loop,) = records.of("loop")
    assert loop == {"record": "loop", "step": 1, "module": 0, "steps": T, "states": 1, "linear": False}
    (gain,) = records.of("lag_gain")
    assert (gain["module"], gain["lags"], gain["rows"]) == (0, list(range(T)), B)
    assert gain["decades"] == sorted(gain["decades"], reverse=True)
    assert len(gain["samples"]) == B
    (flow,) = records.of("state_flow")
    assert (flow["calls"], flow["attached"], flow["length"]) == (T, T - 1, T)


def custom_modules(build: Callable[[], tuple[list[torch.Tensor], torch.Tensor]]) -> list[dict[str, Any]]:
    with observed() as records:
        parameters, loss = build()
        optimizer = torch.optim.SGD(parameters, lr=0.01)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert records.of("sensor_off") == []
    return records.of("module")


def test_a_cell_within_a_network_is_named_and_placed_by_itself() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = nn.ModuleList([Cell() for _ in range(2)])

    kept = []  # a network that is gone has no names

    def build() -> tuple[list[torch.Tensor], torch.Tensor]:
        net = Network()
        kept.append(net)
        loss = torch.stack([cell(torch.randn(T, B, N)).sum() for cell in net.cells]).sum()
        return list(net.parameters()), loss

    modules = custom_modules(build)
    assert {m["name"] for m in modules} == {"cells.0", "cells.1"}
    assert {m["location"]["code"] for m in modules} == {
        "self.cells = nn.ModuleList([Cell() for _ in range(2)])"
    }


def test_a_container_of_torchs_is_placed_by_the_module_that_holds_it() -> None:
    class Gates(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gates = nn.ModuleDict({"z": nn.Linear(N + H, H), "n": nn.Linear(N + H, H)})

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(xs.shape[1], H)
            for x in xs:
                joined = torch.cat([x, h], 1)
                z = self.gates["z"](joined).sigmoid()
                h = (1 - z) * h + z * self.gates["n"](joined).tanh()
            return h

    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = Gates()

    kept: list[nn.Module] = []

    def alone() -> tuple[list[torch.Tensor], torch.Tensor]:
        net = Gates()
        kept.append(net)
        return list(net.parameters()), net(torch.randn(T, B, N)).sum()

    def held() -> tuple[list[torch.Tensor], torch.Tensor]:
        net = Holder()
        kept.append(net)
        return list(net.parameters()), net.cell(torch.randn(T, B, N)).sum()

    for build, name, code in ((alone, "gates", "net = Gates()"), (held, "cell.gates", "self.cell = Gates()")):
        (module,) = custom_modules(build)
        assert module["name"].endswith(name)
        assert module["location"]["code"] == code


def test_bare_tensors_have_a_name_and_no_place() -> None:
    def build() -> tuple[list[torch.Tensor], torch.Tensor]:
        written = raw_tensors()
        return list(written.named.values()), written.loss

    (module,) = custom_modules(build)
    assert (module["name"], module["hidden_size"]) == (f"tensor {H}x{H}", H)
    assert "location" not in module


def test_a_cut_state_leaves_its_records() -> None:
    with observed() as records:
        loss = detached_layers(torch.zeros(B, H), lambda h: h.detach())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer = torch.optim.SGD([weight(2, 2)], lr=0.01)
        optimizer.step()
    assert records.of("sensor_off") == []
    (flow,) = records.of("state_flow")
    assert (flow["calls"], flow["detached"], flow["fresh"], flow["length"]) == (T, T - 1, 1, 1)
    assert records.of("lag_gain") == []
    assert "cut off" in records.of("loop")[0]["absent"]


def test_a_gradient_hook_of_the_script_is_called_by_its_own_backward_pass_alone() -> None:
    calls = []
    with observed() as records:
        w_h, h = weight(H, H), torch.randn(B, H)
        for _ in range(T):
            h = torch.tanh(torch.randn(B, H) + h @ w_h)
            h.register_hook(lambda g: calls.append(g.norm()))  # type: ignore[no-untyped-call]
        h.sum().backward()  # type: ignore[no-untyped-call]
    assert len(calls) == T
    assert records.of("sensor_off") == []
    assert records.of("lag_gain") == []
    assert "hooks" in records.of("loop")[0]["absent"]


def test_a_gradient_hook_elsewhere_does_no_harm() -> None:
    calls = []
    with observed() as records:
        w_h, h = weight(H, H), torch.randn(B, H)
        for _ in range(T):
            h = torch.tanh(torch.randn(B, H) + h @ w_h)
        out = h * 2
        out.register_hook(lambda g: calls.append(g.norm()))  # type: ignore[no-untyped-call]
        out.sum().backward()  # type: ignore[no-untyped-call]
    assert len(calls) == 1
    assert records.of("lag_gain")


def test_a_module_that_was_not_seen_to_be_built_is_no_hand_written_one() -> None:
    gru = nn.GRU(N, H)  # as from a file
    with observed() as records:
        gru(torch.randn(T, B, N))[0].sum().backward()
    assert records.of("sensor_off") == []
    assert [m["kind"] for m in records.of("module")] == ["GRU"]
    assert records.of("loop") == []


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell])
def test_a_cell_of_torchs_whose_state_takes_a_detour(kind: Any) -> None:
    with observed() as records:
        cell, norm = kind(N, H), nn.LayerNorm(H)
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.01)
        h = torch.zeros(B, H)
        for x in torch.randn(T, B, N):
            h = norm(cell(x, h))
        h.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert records.of("sensor_off") == []
    (module,) = records.of("module")
    assert module["kind"] == kind.__name__
    (flow,) = records.of("state_flow")
    assert (flow["calls"], flow["attached"], flow["length"]) == (T, T - 1, T)
    (gain,) = records.of("lag_gain")
    assert gain["lags"] == list(range(T))
    assert gain["decades"][-1] != 0


def zoneout(new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
    mask = (torch.rand_like(new) < 0.3).to(new)
    return mask * old + (1 - mask) * new


def attended(new: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    memory = torch.randn(5, B, H)
    share = (memory * new).sum(-1, keepdim=True).softmax(0)
    return new + (share * memory).sum(0)


DETOURS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "dropout": lambda new, _: nn.functional.dropout(new, 0.3),
    "zoneout": zoneout,
    "residual": lambda new, old: new + old,
    "attention": attended,
    "scaled": lambda new, _: new * 0.9,
}


@pytest.mark.parametrize("name", DETOURS)
@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_the_gain_of_a_state_that_is_changed_on_its_way(kind: Any, name: str) -> None:
    with observed() as records:
        cell = kind(N, H)
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.01)
        h = c = torch.zeros(B, H)
        for x in torch.randn(T, B, N):
            old = h
            if kind is nn.LSTMCell:
                h, c = cell(x, (h, c))
            else:
                h = cell(x, h)
            h = DETOURS[name](h, old)
        h.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert records.of("sensor_off") == []
    (flow,) = records.of("state_flow")
    assert (flow["fresh"], flow["attached"], flow["length"]) == (1, T - 1, T)
    (gain,) = records.of("lag_gain")
    assert gain["lags"] in (list(range(T)), list(range(T - 1)))  # the first step may lack a term
    assert gain["decades"][-1] not in (0, float("-inf"))


def test_a_way_that_is_not_found_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_doctor.capture.probe.recurrence.unrolled.LARGEST", 20)
    with observed() as records:
        cell, h = nn.RNNCell(N, H), torch.zeros(B, H)
        for x in torch.randn(T, B, N):
            h = nn.functional.dropout(cell(x, h), 0.3)
        h.square().sum().backward()  # type: ignore[no-untyped-call]
    assert records.of("sensor_off") == []
    assert records.of("lag_gain") == []
    (loop,) = records.of("loop")
    assert "does not show how" in loop["absent"]


def test_a_reset_now_and_then_is_no_detour() -> None:
    with observed() as records:
        cell = nn.GRUCell(N, H)
        h = torch.zeros(B, H)
        for t, x in enumerate(torch.randn(T, B, N)):
            h = cell(x, h * 0 if t == 3 else h)
        h.square().sum().backward()  # type: ignore[no-untyped-call]
    assert records.of("sensor_off") == []
    assert records.of("loop") == []
    assert len(records.of("lag_gain")) == 1


# ---------------------------------------------------------------- TorchScript


class Scripted(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.i2h, self.h2h = nn.Linear(3, hidden), nn.Linear(hidden, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros([x.size(1), self.hidden], dtype=x.dtype)
        for t in range(x.size(0)):
            h = torch.tanh(self.i2h(x[t]) + self.h2h(h))
        return h


class Output(nn.Module):
    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.rnn(x)[0]
        return output


def scripted(build: Callable[[], nn.Module]) -> Observation:
    torch.set_default_dtype(torch.float32)
    with observed() as records:
        module = torch.jit.script(build())
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
        for _ in range(4):
            loss = module(torch.randn(T, B, N))[-1].square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_hand_written_cell_in_torchscript_is_seen_before_it_is_compiled() -> None:
    records = scripted(lambda: Scripted(H))
    (module,) = records.of("module")
    assert (module["kind"], module["hidden_size"]) == ("custom", H)
    assert [(g["step"], g["lags"][-1]) for g in records.of("lag_gain")] == [(1, T - 1)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU])
def test_a_module_in_torchscript_whose_kernel_leaves_its_steps_in_the_graph(kind: Any) -> None:
    records = scripted(lambda: Output(kind(N, H)))
    (module,) = records.of("module")
    assert module["called"] is False
    (gain,) = records.of("lag_gain")
    assert (gain["module"], gain["lags"]) == (module["id"], list(range(T)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("rnn", "reason"), [(nn.LSTM, "no time steps"), (lambda i, h: nn.GRU(i, h, 2), "layers")]
)
def test_a_module_in_torchscript_whose_gain_is_missing_says_why(rnn: Any, reason: str) -> None:
    records = scripted(lambda: Output(rnn(N, H)))
    assert records.of("lag_gain") == []
    assert reason in records.of("loop")[0]["absent"]
