"""Trait: Lightning runs the loop: closures, gradient clipping, a scheduler and validation are its own."""

import logging
import warnings

import lightning
import torch
from task import say, sequences
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)
        self.seen = 0

    def loss(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.head(self.lstm(x)[0][:, -1]), y)

    def training_step(self, batch, _):
        loss = self.loss(batch)
        self.seen += 1
        say(self.seen, loss)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=0.01)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, step_size=3)]


torch.manual_seed(0)
torch.set_num_threads(1)
train = DataLoader(TensorDataset(*sequences(1600)), batch_size=32, shuffle=True)
valid = DataLoader(TensorDataset(*sequences(64)), batch_size=32)
trainer = lightning.Trainer(
    max_epochs=2,
    accelerator="cpu",
    gradient_clip_val=1.0,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Classifier(), train, valid)
