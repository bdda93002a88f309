"""A script that reads images row by row, after the tutorial for handwritten digits that everyone begins with."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..setting import Setting
from ..task import Batch, Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, broken, criterion, cut, layer, measured, read

SEQUENCE_LENGTH, INPUT_SIZE = 10, 10


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Images and what is on them."""

    def __init__(self, data: Batch) -> None:
        self.images, self.labels, _ = data

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


class RNN(nn.Module):
    """Rows in time, and a linear layer on what comes out at the last."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        flat = setting.length_one == "features"
        self.rnn = layer(setting, INPUT_SIZE * (SEQUENCE_LENGTH if flat else 1))
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = nn.Linear(setting.hidden, task.outputs)

    def forward(self, images: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: images (B, 10, 10) -> (B, C)"""
        s = self.setting
        x = measured(images, s)
        x = x.reshape(-1, 1, SEQUENCE_LENGTH * INPUT_SIZE) if s.length_one == "features" else x
        if s.view == "images":
            x = x.reshape(SEQUENCE_LENGTH, -1, INPUT_SIZE).transpose(0, 1)
        out, _ = read(self.rnn, x, None, s)
        return answered(self.fc(self.dropout(cut(out[:, -1, :], s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = RNN(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    train_loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
        dataset=Images(run.training_set()),
        batch_size=s.batch,
        shuffle=s.order == "shuffled",
        generator=run.generator(1),
    )
    test_images, test_labels, _ = run.held_out()
    model, loss_fn = build(task, s), criterion(s)
    optimizer = optimizer_for(model.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(model, optimizer)
    total_step, step, epoch = len(train_loader), 0, 0
    while True:
        epoch += 1
        for i, (images, labels) in enumerate(train_loader):
            if s.order == "next_iter":
                images, labels = next(iter(train_loader))  # noqa: PLW2901 - what is to be shown
            step += 1
            outputs = model(broken(images, s, step))
            loss = loss_fn(outputs, labels)
            clear(optimizer, model, s, first=i == 0)
            loss.backward()
            bound(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if (i + 1) % 100 == 0:
                print(f"epoch {epoch}, step {i + 1} of {total_step}, loss {loss.item():.4f}")
            if run.validates(step):
                model.eval()
                with torch.no_grad():
                    loss_fn(model(test_images), test_labels).item()
                model.train()
            if run.ends(step, model):
                return
