"""How urgent a report is: a stack under a maximum over time, and what comes next as a second thing to be learned."""

from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from ..parts_common.layers import call, looked_up, recurrent_layer
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said
from .running import Run
from .starting import start

SHARE = 0.1
"""Of the second loss."""


class Answers(NamedTuple):
    """Scores of classes (B, C), and of the codes that follow (B, T, codes)."""

    urgency: Tensor
    codes: Tensor


class ReportModel(nn.Module):
    """One recurrence, two heads."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        width = s.hidden * (2 if s.bidirectional else 1)
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(s, task.embedding)
        self.dropout = nn.Dropout(s.dropout)
        self.fc = last_layer(s, width, task.outputs)
        self.fc_codes = nn.Linear(width, task.inputs)

    def forward(self, codes: Tensor, lengths: Tensor | None = None) -> Answers:
        """Shapes: codes (B, T) -> (B, C), (B, T, codes)"""
        s = self.setting
        out, _ = call(self.rnn, self.dropout(self.embedding(looked_up(codes, s))), None, s)
        out = handed_on(out, s)
        pooled = out.mean(1) if s.pooling == "mean" else out.amax(1)
        return Answers(said(self.fc(self.dropout(pooled)), s), self.fc_codes(out))


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = ReportModel(task, setting)
    start(model, setting)
    return model


def both(task: Task, answers: Answers, codes: Tensor, urgency: Tensor, setting: Setting) -> Tensor:
    """The sum of two losses."""
    second = F.cross_entropy(answers.codes[:, :-1].flatten(0, 1), codes[:, 1:].flatten())
    return loss_of(task, answers.urgency, urgency, setting) + SHARE * second


def main(run: Run) -> None:
    """Trains until it has had enough."""
    s, task = run.setting, run.task
    desk = Desk(run, build(task, s))
    codes, urgency, _ = run.load_data()
    held_codes, held_urgency, _ = run.load_valid()
    while True:
        desk.start_epoch()
        for rows in run.batches(len(codes)):
            batch, wanted = codes[rows], urgency[rows]
            if desk(both(task, desk.model(batch), batch, wanted, s)):
                desk.validate(lambda net: both(task, net(held_codes), held_codes, held_urgency, s))
                if desk.ended:
                    return
