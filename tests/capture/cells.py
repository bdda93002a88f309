"""Recurrent cells as people write them, each with the step that tells its exact Jacobian.

Shapes: x (T, B, N); a state is a tuple of tensors whose first axis is B.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

N, H = 3, 4
State = tuple[torch.Tensor, ...]


class Cell(nn.Module):
    """A recurrence over time whose steps are called one by one; the last state is read."""

    shapes: tuple[tuple[int, ...], ...] = ((H,),)
    """Of the tensors of a state, without the rows."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[State] = []
        self.head = nn.Linear(H, 2)

    def begin(self, rows: int) -> State:
        """The state before the first step."""
        return tuple(torch.zeros(rows, *shape) for shape in self.shapes)

    def step(self, x: torch.Tensor, state: State) -> State:
        """The state after an input. Shapes: x (B, N)."""
        raise NotImplementedError

    def inputs(self, xs: torch.Tensor) -> Any:
        """What each step is given, of the whole sequence."""
        return xs

    def parts(self) -> list[State]:
        """The tensors that hold the states on, as the graph has them."""
        return self.states

    def as_found(self, part: torch.Tensor) -> torch.Tensor:
        """A tensor of the state in the form in which it stands in the graph, before views."""
        return part

    def read(self, state: State) -> torch.Tensor:
        """What the loss reads of a state."""
        out: torch.Tensor = self.head(state[0])
        return out

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        """Shapes: (T, B, N) -> (B, 2)"""
        state, self.states = self.begin(xs.shape[1]), []
        for x in self.inputs(xs):
            state = self.step(x, state)
            self.states.append(state)
        return self.read(state)


CELLS: dict[str, Callable[[], Cell]] = {}


def cell(kind: type[Cell]) -> type[Cell]:
    """Notes a cell by its name."""
    CELLS[kind.__name__] = kind
    return kind


# ---------------------------------------------------------------- no weight carries the state on


@cell
class MinGru(Cell):
    def __init__(self) -> None:
        super().__init__()
        self.linear_z, self.linear_h = nn.Linear(N, H), nn.Linear(N, H)

    def step(self, x: torch.Tensor, state: State) -> State:
        z = torch.sigmoid(self.linear_z(x))
        return ((1 - z) * state[0] + z * self.linear_h(x),)


@cell
class MinGruByDifference(MinGru):
    def step(self, x: torch.Tensor, state: State) -> State:
        (h,) = state
        return (h + torch.sigmoid(self.linear_z(x)) * (self.linear_h(x) - h),)


@cell
class MinGruByLerp(MinGru):
    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.lerp(state[0], self.linear_h(x), torch.sigmoid(self.linear_z(x))),)


@cell
class GatedByAddcmul(MinGru):
    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.addcmul(self.linear_h(x), torch.sigmoid(self.linear_z(x)), state[0]),)


@cell
class MinGruAtOnce(MinGru):
    """Gates of the whole sequence first."""

    def inputs(self, xs: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return zip(torch.sigmoid(self.linear_z(xs)).unbind(), self.linear_h(xs).unbind(), strict=True)

    def step(self, x: Any, state: State) -> State:
        z, new = x
        return ((1 - z) * state[0] + z * new,)


@cell
class Sru(Cell):
    """Lei et al. 2018, without the vectors that look at the state."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Linear(N, 4 * H)

    def inputs(self, xs: torch.Tensor) -> Any:
        return self.w(xs)

    def step(self, x: torch.Tensor, state: State) -> State:
        new, f, _, _ = x.chunk(4, -1)
        f = torch.sigmoid(f)
        return (f * state[0] + (1 - f) * new,)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        state, self.states, outs = self.begin(xs.shape[1]), [], []
        for u in self.inputs(xs):
            state = self.step(u, state)
            self.states.append(state)
            r, skip = torch.sigmoid(u[..., 2 * H : 3 * H]), u[..., 3 * H :]
            outs.append(r * torch.tanh(state[0]) + (1 - r) * skip)
        out: torch.Tensor = self.head(torch.stack(outs)).mean(0)
        return out


@cell
class Qrnn(Cell):
    """Bradbury et al. 2016: gates by a convolution over time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(N, 3 * H, 2)

    def inputs(self, xs: torch.Tensor) -> Any:
        padded = F.pad(xs.permute(1, 2, 0), (1, 0))
        return self.conv(padded).permute(2, 0, 1)

    def step(self, x: torch.Tensor, state: State) -> State:
        z, f, _ = x.chunk(3, -1)
        f = torch.sigmoid(f)
        return (f * state[0] + (1 - f) * torch.tanh(z),)

    def read(self, state: State) -> torch.Tensor:
        out: torch.Tensor = self.head(state[0])
        return out


@cell
class SelectiveScan(Cell):
    """The reference loop of a Mamba block."""

    shapes = ((H, 3),)

    def __init__(self) -> None:
        super().__init__()
        self.in_proj, self.dt = nn.Linear(N, H), nn.Linear(H, H)
        self.bc = nn.Linear(H, 6)
        self.a_log = nn.Parameter(torch.log(torch.arange(1, 4).double().repeat(H, 1)))

    def inputs(self, xs: torch.Tensor) -> Any:
        u = F.silu(self.in_proj(xs))
        dt, (b, c) = F.softplus(self.dt(u)), self.bc(u).chunk(2, -1)
        kept = torch.exp(torch.einsum("tbd,dn->tbdn", dt, -torch.exp(self.a_log)))
        taken = torch.einsum("tbd,tbn,tbd->tbdn", dt, b, u)
        return [(kept[t], taken[t], c[t]) for t in range(len(xs))]

    def step(self, x: Any, state: State) -> State:
        kept, taken, _ = x
        return (kept * state[0] + taken,)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        state, self.states, ys = self.begin(xs.shape[1]), [], []
        for x in self.inputs(xs):
            state = self.step(x, state)
            self.states.append(state)
            ys.append(torch.einsum("bdn,bn->bd", state[0], x[2]))
        out: torch.Tensor = self.head(torch.stack(ys).mean(0))
        return out


@cell
class DiagonalSsm(Cell):
    """A state for each channel that decays by learned rates, the same at every step."""

    shapes = ((H, 3),)

    def __init__(self) -> None:
        super().__init__()
        self.proj, self.b = nn.Linear(N, H), nn.Parameter(torch.rand(H, 3) + 0.5)
        self.log_a = nn.Parameter(torch.rand(H, 3))

    def step(self, x: torch.Tensor, state: State) -> State:
        kept = torch.exp(-F.softplus(self.log_a))
        return (kept * state[0] + self.b * self.proj(x).unsqueeze(-1),)

    def read(self, state: State) -> torch.Tensor:
        out: torch.Tensor = self.head(state[0].sum(-1))
        return out


@cell
class LeakyIntegrator(Cell):
    """A membrane without spikes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(N, H)

    def step(self, x: torch.Tensor, state: State) -> State:
        return (0.9 * state[0] + self.fc(x),)


@cell
class Retention(Cell):
    """The recurrent form of a retention layer: fast weights that decay."""

    shapes = ((H, H),)

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(N, H), nn.Linear(N, H), nn.Linear(N, H)

    def step(self, x: torch.Tensor, state: State) -> State:
        return (0.95 * state[0] + self.k(x).unsqueeze(2) @ self.v(x).unsqueeze(1),)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        state, self.states, outs = self.begin(xs.shape[1]), [], []
        for x in xs:
            state = self.step(x, state)
            self.states.append(state)
            outs.append((self.q(x).unsqueeze(1) @ state[0]).squeeze(1))
        out: torch.Tensor = self.head(torch.stack(outs)).mean(0)
        return out


@cell
class FixedMatrix(Cell):
    """A linear memory whose matrix is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.u = nn.Linear(N, H)
        self.register_buffer("a", nn.init.orthogonal_(torch.empty(H, H, dtype=torch.float64)) * 0.9)

    def step(self, x: torch.Tensor, state: State) -> State:
        matrix: torch.Tensor = self.get_buffer("a")
        return (state[0] @ matrix + self.u(x),)


@cell
class InPlaceMinGru(MinGru):
    """Every state is written into one tensor and read from it."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        z, new = torch.sigmoid(self.linear_z(xs)), self.linear_h(xs)
        out = torch.zeros(len(xs) + 1, xs.shape[1], H)
        self.states = []
        for t in range(len(xs)):
            h = (1 - z[t]) * out[t].clone() + z[t] * new[t]
            out[t + 1] = h
            self.states.append((h,))
        read: torch.Tensor = self.head(out[1:]).mean(0)
        return read


# ---------------------------------------------------------------- a weight carries the state on


@cell
class IndRnn(Cell):
    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.u = nn.Linear(N, H), nn.Parameter(torch.rand(H))

    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.relu(self.i2h(x) + self.u * state[0]),)


class Elman(Cell):
    """An input layer and a recurrent one."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h = nn.Linear(N, H)
        self.h2h: Any = nn.Linear(H, H)

    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.tanh(self.i2h(x) + self.h2h(state[0])),)


@cell
class Orthogonal(Elman):
    def __init__(self) -> None:
        super().__init__()
        self.h2h = parametrizations.orthogonal(nn.Linear(H, H))


@cell
class SpectralNorm(Elman):
    def __init__(self) -> None:
        super().__init__()
        self.h2h = parametrizations.spectral_norm(nn.Linear(H, H)).eval()


@cell
class WeightNorm(Elman):
    def __init__(self) -> None:
        super().__init__()
        self.h2h = parametrizations.weight_norm(nn.Linear(H, H))


@cell
class LowRank(Elman):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Parameter(torch.randn(H, 2) / 2), nn.Parameter(torch.randn(2, H) / 2)

    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.tanh(self.i2h(x) + state[0] @ (self.left @ self.right)),)


@cell
class Skew(Elman):
    """An antisymmetric matrix and Euler steps (Chang et al. 2019)."""

    def step(self, x: torch.Tensor, state: State) -> State:
        w = self.h2h.weight
        matrix = w - w.t() - 0.1 * torch.eye(H)
        return (state[0] + 0.1 * torch.tanh(self.i2h(x) + F.linear(state[0], matrix)),)


@cell
class Euler(Elman):
    def step(self, x: torch.Tensor, state: State) -> State:
        return (state[0] + 0.2 * (torch.tanh(self.i2h(x) + self.h2h(state[0])) - state[0]),)


@cell
class Einsum(Elman):
    def step(self, x: torch.Tensor, state: State) -> State:
        return (torch.tanh(self.i2h(x) + torch.einsum("bh,kh->bk", state[0], self.h2h.weight)),)


@cell
class Heads(Elman):
    """Two heads of two units, each with a matrix of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(2, 2, 2) / 2)

    def step(self, x: torch.Tensor, state: State) -> State:
        heads = state[0].view(-1, 2, 2).transpose(0, 1)
        driven = self.i2h(x).view(-1, 2, 2).transpose(0, 1)
        return (torch.tanh(torch.baddbmm(driven, heads, self.w)).transpose(0, 1).reshape(-1, H),)

    def parts(self) -> list[State]:
        """The tensors that hold the states on, as the graph has them."""
        return self.states

    def as_found(self, part: torch.Tensor) -> torch.Tensor:
        return part.view(-1, 2, 2).transpose(0, 1)


@cell
class Vmapped(Elman):
    def step(self, x: torch.Tensor, state: State) -> State:
        def one(x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.i2h(x) + self.h2h(h))

        return (torch.vmap(one)(x, state[0]),)


@cell
class Clockwork(Elman):
    """Units that are updated every first or every second step (Koutnik et al. 2014)."""

    def inputs(self, xs: torch.Tensor) -> Any:
        return enumerate(xs)

    def step(self, x: Any, state: State) -> State:
        t, now = x
        ticks = torch.arange(H) % 2 <= t % 2
        new = torch.tanh(self.i2h(now) + self.h2h(state[0]))
        return (torch.where(ticks, new, state[0]),)


@cell
class Narx(Elman):
    """The state of three steps ago is read as well."""

    shapes = ((H,), (H,), (H,))

    def __init__(self) -> None:
        super().__init__()
        self.far = nn.Linear(H, H)

    def step(self, x: torch.Tensor, state: State) -> State:
        new = torch.tanh(self.i2h(x) + self.h2h(state[0]) + state[2])
        return (new, self.far(state[0]), state[1])


@cell
class Lmu(Cell):
    """A memory with fixed matrices beside a nonlinear state (Voelker et al. 2019)."""

    shapes = ((H,), (3,))

    def __init__(self) -> None:
        super().__init__()
        self.e_x, self.e_h, self.e_m = nn.Linear(N, 1), nn.Linear(H, 1), nn.Linear(3, 1)
        self.w_x, self.w_h, self.w_m = nn.Linear(N, H), nn.Linear(H, H), nn.Linear(3, H)
        self.register_buffer("a", nn.init.orthogonal_(torch.empty(3, 3, dtype=torch.float64)) * 0.9)
        self.register_buffer("b", torch.ones(1, 3, dtype=torch.float64))

    def step(self, x: torch.Tensor, state: State) -> State:
        h, m = state
        u = self.e_x(x) + self.e_h(h) + self.e_m(m)
        m = m @ self.get_buffer("a") + u @ self.get_buffer("b")
        return (torch.tanh(self.w_x(x) + self.w_h(h) + self.w_m(m)), m)


class Lstm(Cell):
    """h and c."""

    shapes: tuple[tuple[int, ...], ...] = ((H,), (H,))

    def __init__(self) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H)

    def gates(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Shapes: (B, 4 * H)"""
        return self.x2h(x) + self.h2h(h)  # type: ignore[no-any-return]

    def step(self, x: torch.Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = self.gates(x, h).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return (o.sigmoid() * c.tanh(), c)


@cell
class Multiplicative(Lstm):
    """Krause et al. 2016."""

    def __init__(self) -> None:
        super().__init__()
        self.m_x, self.m_h = nn.Linear(N, H), nn.Linear(H, H)

    def gates(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return self.x2h(x) + self.h2h(self.m_x(x) * self.m_h(h))  # type: ignore[no-any-return]


@cell
class NormedLstm(Lstm):
    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(4 * H), nn.LayerNorm(4 * H), nn.LayerNorm(H)])

    def step(self, x: torch.Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = (self.norms[0](self.x2h(x)) + self.norms[1](self.h2h(h))).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return (o.sigmoid() * self.norms[2](c).tanh(), c)


@cell
class Peephole(Lstm):
    def __init__(self) -> None:
        super().__init__()
        self.p_i, self.p_f, self.p_o = (nn.Parameter(torch.randn(H) / 2) for _ in range(3))

    def step(self, x: torch.Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = self.gates(x, h).chunk(4, 1)
        c = (f + self.p_f * c).sigmoid() * c + (i + self.p_i * c).sigmoid() * g.tanh()
        return ((o + self.p_o * c).sigmoid() * c.tanh(), c)


@cell
class StackedState(Lstm):
    """h and c in one tensor."""

    shapes = ((2, H),)

    def step(self, x: torch.Tensor, state: State) -> State:
        self.held.append(super().step(x, state[0].unbind(1)))
        return (torch.stack(self.held[-1], 1),)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        self.held: list[State] = []
        return super().forward(xs)

    def parts(self) -> list[State]:
        return self.held

    def read(self, state: State) -> torch.Tensor:
        out: torch.Tensor = self.head(state[0][:, 0])
        return out


@cell
class ConvLstm(Cell):
    """States of 2 channels and 3 x 3 pixels."""

    shapes = ((2, 3, 3), (2, 3, 3))

    def __init__(self) -> None:
        super().__init__()
        self.spread, self.conv = nn.Linear(N, 9), nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Linear(18, 2)

    def step(self, x: torch.Tensor, state: State) -> State:
        h, c = state
        image = self.spread(x).view(-1, 1, 3, 3)
        i, f, g, o = self.conv(torch.cat([image, h], 1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return (o.sigmoid() * c.tanh(), c)

    def read(self, state: State) -> torch.Tensor:
        out: torch.Tensor = self.head(state[0].flatten(1))
        return out


@cell
class Attending(Elman):
    """A memory is looked at by the state, and what is found joins the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.mix = nn.Linear(H, H), nn.Linear(H, H)
        self.memory = nn.Parameter(torch.randn(5, H))

    def step(self, x: torch.Tensor, state: State) -> State:
        share = (self.query(state[0]) @ self.memory.t()).softmax(1)
        return (torch.tanh(self.i2h(x) + self.h2h(state[0]) + self.mix(share @ self.memory)),)


@cell
class Queue(Elman):
    """The states stand in a deque, an attribute of the module."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        self.queue = deque([self.begin(xs.shape[1])], maxlen=2)
        self.states = []
        for x in xs:
            self.queue.append(self.step(x, self.queue[-1]))
            self.states.append(self.queue[-1])
        return self.read(self.queue[-1])


@cell
class InPlaceElman(Elman):
    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        out, self.states = torch.zeros(xs.shape[1], len(xs) + 1, H), []
        for t, x in enumerate(xs):
            (h,) = self.step(x, (out[:, t].clone(),))
            out[:, t + 1] = h
            self.states.append((h,))
        read: torch.Tensor = self.head(out[:, 1:]).mean(1)
        return read


@cell
class Dictionary(Elman):
    """States by name and time, stacked in the end."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        kept = {"h": [self.begin(xs.shape[1])]}
        for x in xs:
            kept["h"].append(self.step(x, kept["h"][-1]))
        self.states = kept["h"][1:]
        out: torch.Tensor = self.head(torch.stack([h for (h,) in self.states])).mean(0)
        return out
