"""Four small tasks and one small network: the material of the threshold measurements in this folder."""

import pydoc_data.topics
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELLS: dict[str, type[nn.RNNBase]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}

_TEXT = "\n".join(pydoc_data.topics.topics.values())[:200_000]
_CHARACTERS = sorted(set(_TEXT))
_CODES = torch.tensor([_CHARACTERS.index(c) for c in _TEXT])


@dataclass(frozen=True)
class Task:
    """A task: sizes, whether inputs are tokens, whether the target stands at the last step alone."""

    name: str
    inputs: int
    outputs: int
    tokens: bool
    last: bool

    def batch(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs (n, T, I) or (n, T) and targets of n fresh sequences."""
        return globals()[f"_{self.name}"](n, generator)  # type: ignore[no-any-return]

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy for tokens, mean squared error otherwise."""
        if self.tokens:
            return F.cross_entropy(out.reshape(-1, self.outputs), target.reshape(-1))
        return F.mse_loss(out, target)


TASKS = (
    Task("adding", 2, 1, tokens=False, last=True),
    Task("recall", 16, 8, tokens=True, last=True),
    Task("sine", 1, 1, tokens=False, last=False),
    Task("text", len(_CHARACTERS), len(_CHARACTERS), tokens=True, last=False),
)


class Net(nn.Module):
    """Embedding for tokens, one recurrent layer, a linear head."""

    def __init__(self, task: Task, cell: str, hidden: int, scale: float = 1.0) -> None:
        super().__init__()
        self.embed = nn.Embedding(task.inputs, 16) if task.tokens else None
        self.rnn = CELLS[cell](16 if task.tokens else task.inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, task.outputs)
        self.last, self.scale = task.last, scale

    def features(self, x: Tensor) -> Tensor:
        """What the recurrent layer is given."""
        return (x if self.embed is None else self.embed(x)) * self.scale

    def forward(self, x: Tensor) -> Tensor:
        """The answer at the last step, or at every step."""
        out = self.rnn(self.features(x))[0]
        answer: Tensor = self.head(out[:, -1] if self.last else out)
        return answer


def _adding(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    steps = 30
    value, mark, row = torch.rand(n, steps, generator=g), torch.zeros(n, steps), torch.arange(n)
    mark[row, torch.randint(0, steps // 2, (n,), generator=g)] = 1
    mark[row, torch.randint(steps // 2, steps, (n,), generator=g)] = 1
    return torch.stack([value, mark], -1), (value * mark).sum(1, keepdim=True)


def _recall(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    symbol = torch.randint(0, 8, (n,), generator=g)
    x = torch.randint(8, 16, (n, 16), generator=g)
    x[:, 0] = symbol
    return x, symbol


def _sine(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    pitch, phase = torch.rand(n, 1, generator=g) * 0.5 + 0.1, torch.rand(n, 1, generator=g) * 6.28
    wave = torch.sin(pitch * torch.arange(31) + phase) + 0.05 * torch.randn(n, 31, generator=g)
    return wave[:, :-1, None], wave[:, 1:, None]


def _text(n: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    starts = torch.randint(0, len(_CODES) - 31, (n,), generator=g)
    x = torch.stack([_CODES[s : s + 31] for s in starts])
    return x[:, :-1], x[:, 1:]
