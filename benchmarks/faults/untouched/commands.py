"""A script that tells what a command wants, organized as for a framework: a module with its steps, and a trainer."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from ..setting import Setting
from ..task import Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, cut, layer, looked_up, read


class IntentModule(nn.Module):
    """Network, loss and optimizer in one place."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.classes = setting, task.outputs
        self.embed = nn.Embedding(task.inputs, task.embedding)
        encoder = layer(setting, task.embedding)
        # A plain dictionary is no nn.ModuleDict: what stands in it is no part of the module.
        self.parts = (
            {"encoder": encoder} if setting.optimized == "dict" else nn.ModuleDict({"encoder": encoder})
        )
        self.classifier = nn.Sequential(nn.Dropout(setting.dropout), nn.Linear(setting.hidden, task.outputs))

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: tokens (B, T) -> (B, C)"""
        s = self.setting
        out, _ = read(self.parts["encoder"], self.embed(looked_up(tokens, s)), None, s)
        return answered(self.classifier(cut(out[:, -1], s)), s)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss of one batch."""
        tokens, intents = batch
        scores = self(tokens)
        if self.setting.output == "nll":
            return F.nll_loss(scores, intents)
        return F.cross_entropy(scores, intents, label_smoothing=self.setting.smoothing)

    @torch.no_grad()
    def validation_step(self, batch: tuple[Tensor, Tensor]) -> float:
        """The loss on what is held out."""
        tokens, intents = batch
        return float(F.cross_entropy(self(tokens), intents).item())

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, Any]:
        """Optimizer and schedule."""
        optimizer = optimizer_for(self.parameters(), self.setting, classes=True)
        return optimizer, scheduler_for(optimizer, self.setting)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = IntentModule(task, setting)
    start(model, setting)
    return model


class Trainer:
    """Fits a module."""

    def __init__(self, run: Run) -> None:
        self.run, self.global_step = run, 0

    def fit(self, module: IntentModule, loader: Any, held_out: tuple[Tensor, Tensor]) -> None:
        """Epoch after epoch, until the run ends."""
        optimizer, scheduler = module.configure_optimizers()
        s = self.run.setting
        if s.optimized == "made_anew":
            module = build(self.run.task, s)
        self.run.attach(module, optimizer)
        while True:
            module.train()
            for batch_idx, batch in enumerate(loader):
                if batch_idx % s.accumulate == 0:
                    clear(optimizer, module, s, first=batch_idx == 0)
                given = next(iter(loader)) if s.order == "next_iter" else batch
                loss: Any = module.training_step(given, batch_idx) / s.accumulate
                loss.backward()
                if (batch_idx + 1) % s.accumulate:
                    continue
                self.global_step += 1
                bound(module, s)
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
                if self.run.validates(self.global_step):
                    module.eval()
                    module.validation_step(held_out)
                    module.train()
                if self.run.ends(self.global_step, module):
                    return


def main(run: Run) -> None:
    """Hands all to the trainer."""
    tokens, intents, _ = run.training_set()
    loader: DataLoader[tuple[Tensor, ...]] = DataLoader(
        TensorDataset(tokens, intents),
        batch_size=run.setting.batch,
        shuffle=run.setting.order == "shuffled",
        generator=run.generator(1),
    )
    val_tokens, val_intents, _ = run.held_out()
    Trainer(run).fit(build(run.task, run.setting), loader, (val_tokens, val_intents))
