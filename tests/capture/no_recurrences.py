"""Networks without a recurrence over time, many of which look like one: the same weights or gates in a row.

Each builds a module that takes (T, B, N), T = 9.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

N, H, B = 3, 4, 5
NETWORKS: dict[str, Callable[[], nn.Module]] = {}


class Function(nn.Module):
    """Layers, and what is made of them."""

    def __init__(self, run: Callable[[Any, torch.Tensor], torch.Tensor], **layers: Any) -> None:
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        """Shapes: (T, B, N) -> any"""
        return self.run(self, xs)


def network(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Notes a network by its name."""
    NETWORKS[build.__name__] = build
    return build


@network
def perceptron() -> nn.Module:
    layers = [layer for _ in range(5) for layer in (nn.Linear(H, H), nn.ReLU())]
    net = nn.Sequential(nn.Linear(9 * N, H), *layers)
    return Function(lambda m, xs: m.net(xs.transpose(0, 1).flatten(1)), net=net)


@network
def convolutions() -> nn.Module:
    net = nn.Sequential(nn.Conv1d(N, H, 3, padding=1), nn.BatchNorm1d(H), nn.ReLU(), nn.Conv1d(H, H, 3))
    return Function(lambda m, xs: m.net(xs.permute(1, 2, 0)), net=net)


@network
def transformer() -> nn.Module:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(H, 2, 8), 3, enable_nested_tensor=False)
    return Function(lambda m, xs: m.encoder(m.embed(xs)), embed=nn.Linear(N, H), encoder=encoder)


@network
def transformer_of_one_layer_in_a_row() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.embed(xs)
        for _ in range(4):
            h = m.layer(h)
        out: torch.Tensor = h.mean(0)
        return out

    return Function(run, embed=nn.Linear(N, H), layer=nn.TransformerEncoderLayer(H, 2, 8))


@network
def residual_of_one_block_in_a_row() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.embed(xs[0])
        for _ in range(5):
            h = h + m.second(torch.relu(m.norm(m.first(h))))
        out: torch.Tensor = m.head(h)
        return out

    return Function(
        run, embed=nn.Linear(N, H), first=nn.Linear(H, H), norm=nn.BatchNorm1d(H), second=nn.Linear(H, H),
        head=nn.Linear(H, 2),
    )  # fmt: skip


@network
def images_of_one_block_in_a_row() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.stem(xs.permute(1, 2, 0).unsqueeze(-1))
        for _ in range(4):
            h = torch.relu(h + m.conv(h))
        out: torch.Tensor = h.mean((2, 3))
        return out

    return Function(run, stem=nn.Conv2d(N, H, 1), conv=nn.Conv2d(H, H, 3, padding=1))


@network
def fixed_point() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        x, z = xs[0], torch.zeros(B, H)
        for _ in range(6):
            z = torch.tanh(m.inject(x) + m.w(z))
        out: torch.Tensor = m.head(z)
        return out

    return Function(run, inject=nn.Linear(N, H), w=nn.Linear(H, H), head=nn.Linear(H, 2))


@network
def sparse_coding() -> nn.Module:
    """LISTA with one matrix: an optimizer, unrolled."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        given = m.encode(xs[0])
        z = F.softshrink(given, 0.1)
        for _ in range(5):
            z = F.softshrink(given + m.s(z), 0.1)
        out: torch.Tensor = m.decode(z) - xs[0]
        return out

    return Function(run, encode=nn.Linear(N, H), s=nn.Linear(H, H), decode=nn.Linear(H, N))


@network
def denoising() -> nn.Module:
    """A deterministic sampler, trained through all its steps."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        x = m.start(xs[0])
        for t in range(5, 0, -1):
            clock = m.clock(torch.full((B, 1), t / 5))
            x = 0.9 * x - 0.3 * m.out(torch.relu(m.net(x) + clock))
        out: torch.Tensor = x
        return out

    return Function(
        run, start=nn.Linear(N, H), clock=nn.Linear(1, H), net=nn.Linear(H, H), out=nn.Linear(H, H)
    )


@network
def fast_adaptation() -> nn.Module:
    """MAML: steps of gradient descent within the forward pass."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        weights = [m.first.weight, m.second.weight]
        for x in xs[:4]:
            loss = F.linear(torch.tanh(F.linear(x, weights[0])), weights[1]).square().mean()
            gradients = torch.autograd.grad(loss, weights, create_graph=True)
            weights = [w - 0.1 * g for w, g in zip(weights, gradients, strict=True)]
        return F.linear(torch.tanh(F.linear(xs[4], weights[0])), weights[1])

    return Function(run, first=nn.Linear(N, H), second=nn.Linear(H, 2))


@network
def modulated_layers() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        scales, shifts = m.film(xs[0]).chunk(2, 1)
        h = m.embed(xs[1])
        for layer, scale, shift in zip(m.layers, scales.chunk(4, 1), shifts.chunk(4, 1), strict=True):
            h = h + torch.relu(layer(h)) * (1 + scale) + shift
        out: torch.Tensor = h
        return out

    layers = nn.ModuleList([nn.Linear(H, H) for _ in range(4)])
    return Function(run, film=nn.Linear(N, 8 * H), embed=nn.Linear(N, H), layers=layers)


@network
def highways() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.embed(xs[0])
        for gate, layer in zip(m.gates, m.layers, strict=True):
            z = torch.sigmoid(gate(h))
            h = z * h + (1 - z) * torch.relu(layer(h))
        out: torch.Tensor = h
        return out

    gates, layers = (nn.ModuleList([nn.Linear(H, H) for _ in range(5)]) for _ in range(2))
    return Function(run, embed=nn.Linear(N, H), gates=gates, layers=layers)


@network
def chance_of_none() -> nn.Module:
    """A noisy or: shares are multiplied up."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        left = torch.ones(B, 2)
        for x in xs:
            left = left * (1 - torch.sigmoid(m.score(x)))
        return left

    return Function(run, score=nn.Linear(N, 2))


@network
def layers_of_paint() -> nn.Module:
    """Volume rendering from back to front."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        colour = torch.zeros(B, 3)
        for x in xs:
            opacity = torch.sigmoid(m.opacity(x))
            colour = (1 - opacity) * colour + opacity * m.colour(x)
        return colour

    return Function(run, opacity=nn.Linear(N, 1), colour=nn.Linear(N, 3))


@network
def hidden_markov_model() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        seen = (xs[..., 0] * 2).long().clamp(0, 2)
        moves, emits = m.moves.softmax(1), m.emits.softmax(1)
        alpha = torch.full((B, H), 1 / H)
        for x in seen:
            alpha = (alpha.unsqueeze(2) * moves).sum(1) * emits[:, x].t()
        return alpha.sum(1).log()

    return Function(run, moves=nn.Parameter(torch.randn(H, H)), emits=nn.Parameter(torch.randn(H, 3)))


@network
def polynomial() -> nn.Module:
    """Clenshaw's rule: the argument is computed anew in each term."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        x, one, two = m.embed(xs[0]), torch.zeros(B, H), torch.zeros(B, H)
        for c in m.c:
            one, two = c + 2 * x * one - two, one
        return one

    return Function(run, embed=nn.Linear(N, H), c=nn.Parameter(torch.randn(6, H)))


@network
def horner() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        x, total = m.embed(xs[0]), torch.zeros(B, H)
        for c in m.c:
            total = total * torch.tanh(x) + c
        return total

    return Function(run, embed=nn.Linear(N, H), c=nn.Parameter(torch.randn(6, H)))


@network
def set_of_parts() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(B, H)
        for x in xs:
            total = total + torch.relu(m.embed(x))
        out: torch.Tensor = m.head(total)
        return out

    return Function(run, embed=nn.Linear(N, H), head=nn.Linear(H, 2))


@network
def discounted_loss() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(())
        for x in xs:
            total = 0.9 * total + m.embed(x).square().mean()
        return total

    return Function(run, embed=nn.Linear(N, H))


@network
def discounted_returns() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        values, returns = m.value(xs).squeeze(-1), torch.zeros(B)
        for value in values.flip(0):
            returns = value + 0.99 * returns
        return returns

    return Function(run, value=nn.Linear(N, 1))


@network
def graph_diffusion() -> nn.Module:
    """APPNP: a fixed matrix in a row, and the same input."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        start = m.embed(xs[0])
        h, near = start, torch.softmax(torch.eye(B), 1)
        for _ in range(5):
            h = 0.9 * (near @ h) + 0.1 * start
        out: torch.Tensor = h
        return out

    return Function(run, embed=nn.Linear(N, H))


@network
def sorting() -> nn.Module:
    """Differentiable swaps: the numbers themselves drive the gates."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        a = m.score(xs[0])
        for k in range(6):
            b = a.roll(1 if k % 2 else -1, 1)
            swap = torch.sigmoid(b - a)
            a = swap * a + (1 - swap) * b
        out: torch.Tensor = a
        return out

    return Function(run, score=nn.Linear(N, H))


@network
def linear_attention() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(xs).chunk(3, -1)
        memory = torch.einsum("tbd,tbe->tbde", k.exp(), v).cumsum(0)
        out: torch.Tensor = torch.einsum("tbd,tbde->tbe", q.exp(), memory)
        return out

    return Function(run, qkv=nn.Linear(N, 3 * H))


@network
def integrated_twice() -> nn.Module:
    """A path from its accelerations."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = m.acceleration(xs).cumsum(0).cumsum(0)
        return out

    return Function(run, acceleration=nn.Linear(N, 2))


@network
def volume_rendering() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        opacity = torch.sigmoid(m.opacity(xs))
        share = opacity * torch.exp(-opacity.cumsum(0))
        out: torch.Tensor = (share * m.colour(xs)).sum(0)
        return out

    return Function(run, opacity=nn.Linear(N, 1), colour=nn.Linear(N, 3))


@network
def spectral_filter() -> nn.Module:
    """A Fourier operator."""

    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.embed(xs)
        for _ in range(3):
            h = h + torch.fft.irfft(torch.fft.rfft(h, dim=0) * m.kernel, n=9, dim=0)
        out: torch.Tensor = h
        return out

    return Function(run, embed=nn.Linear(N, H), kernel=nn.Parameter(torch.randn(5, 1, H)))


@network
def sinkhorn() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        scores = m.score(xs[0])
        for _ in range(5):
            scores = scores - scores.logsumexp(0, keepdim=True)
            scores = scores - scores.logsumexp(1, keepdim=True)
        out: torch.Tensor = scores.exp()
        return out

    return Function(run, score=nn.Linear(N, H))


@network
def coupling_flow() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        left, right = m.embed(xs[0]).chunk(2, 1)
        for layer in m.layers:
            scale, shift = layer(left).chunk(2, 1)
            left, right = right * torch.tanh(scale).exp() + shift, left
        return torch.cat([left, right], 1)

    layers = nn.ModuleList([nn.Linear(H // 2, H) for _ in range(6)])
    return Function(run, embed=nn.Linear(N, H), layers=layers)


@network
def activation_by_hand() -> nn.Module:
    def run(m: Any, xs: torch.Tensor) -> torch.Tensor:
        h = m.embed(xs)
        for layer in m.layers:
            h = layer(0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h * h * h))))
        out: torch.Tensor = h
        return out

    return Function(run, embed=nn.Linear(N, H), layers=nn.ModuleList([nn.Linear(H, H) for _ in range(4)]))
