"""Other tools that watch a training, attached as their own documentation says: the arms of `overhead.py --peers`.

timed_training.py calls `attach` where the environment variable WATCHED_BY names one. They are installed by
`pip install -c constraints.txt -e '.[bench]'`; W&B works offline and writes into a folder that is given.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

After = Callable[[torch.Tensor], object]
"""Called with the loss after every update."""


def nothing(loss: torch.Tensor) -> None:
    """Watches nothing."""


def _torch_audit(every: int) -> Callable[[nn.Module, torch.optim.Optimizer], After]:
    """Its zero-touch mode, with the reporter, fail level and one-shot checks of its quick start."""

    def attach(net: nn.Module, optimizer: torch.optim.Optimizer) -> After:
        from torch_audit import autopatch
        from torch_audit.reporters.console import ConsoleReporter

        autopatch(
            net, optimizer=optimizer, every_n_steps=every, reporters=[ConsoleReporter()],
            fail_level="ERROR", run_static=True, run_init=True,
        )  # fmt: skip
        return nothing

    return attach


def _anomalies(net: nn.Module, optimizer: torch.optim.Optimizer) -> After:
    torch.autograd.set_detect_anomaly(True)
    return nothing


def _wandb(**options: Any) -> Callable[[nn.Module, torch.optim.Optimizer], After]:
    """`wandb.watch` with these options, and the loss logged at every step, which sends what was gathered."""

    def attach(net: nn.Module, optimizer: torch.optim.Optimizer) -> After:
        import wandb

        run = wandb.init(project="overhead", mode="offline")
        run.watch(net, **options)
        return lambda loss: run.log({"loss": loss.item()})

    return attach


PEERS: dict[str, Callable[[nn.Module, torch.optim.Optimizer], After]] = {
    "torch-audit, every 1000 steps (its default)": _torch_audit(1000),
    "torch-audit, every step": _torch_audit(1),
    "set_detect_anomaly(True)": _anomalies,
    'wandb.watch(log="all", log_freq=1000), its default frequency': _wandb(log="all", log_freq=1000),
    'wandb.watch(log="all", log_freq=1)': _wandb(log="all", log_freq=1),
}


def prefix(name: str, folder: Path) -> list[str]:
    """What stands before a command for this peer to watch it; it may write into the folder."""
    settings = {
        "WATCHED_BY": name,
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_ERROR_REPORTING": "false",
    }
    settings |= {f"WANDB_{kind}DIR": str(folder) for kind in ("", "CACHE_", "CONFIG_", "DATA_", "ARTIFACT_")}
    return ["env", *(f"{key}={value}" for key, value in settings.items())]


def attach(name: str, net: nn.Module, optimizer: torch.optim.Optimizer) -> After:
    """Lets the peer of this name watch."""
    return PEERS[name](net, optimizer)
