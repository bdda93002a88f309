"""The other tools, each attached as its own documentation says, with what it warns of by name.

A follower is made before the first update, told of every backward pass, update and validation, and asked at the end.
"""

import contextlib
import io
import math
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Follower:
    """Does nothing: what a tool does not need."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer
        self.alarms: set[str] = set()

    def backward(self, step: int, loss: float) -> None:
        """After `loss.backward()`."""

    def update(self, step: int, loss: float) -> None:
        """After `optimizer.step()`."""

    def validated(self, step: int, loss: float) -> None:
        """After a validation."""

    def end(self) -> None:
        """When the training is over, or has failed."""

    def rate(self) -> float:
        """The learning rate of the first group."""
        return float(self.optimizer.param_groups[0]["lr"])


class AnomalyDetection(Follower):
    """`torch.autograd.set_detect_anomaly(True)`: the training ends with an error, which the caller tells it."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        super().__init__(model, optimizer)
        torch.autograd.set_detect_anomaly(True)

    def failed(self, error: Exception) -> None:
        """What the training ended with."""
        if "nan values" in str(error):
            self.alarms.add("anomaly")


class TorchAudit(Follower):
    """Its zero-touch mode at every step, with the one-shot checks of its quick start."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        from torch_audit import autopatch

        super().__init__(model, optimizer)
        self.auditor = autopatch(
            model, optimizer=optimizer, every_n_steps=1, reporters=[self], fail_level="FATAL",
            run_static=True, run_init=True,
        )  # fmt: skip

    def end(self) -> None:
        """It reports when it is finished."""
        self.auditor.finish(report=True)

    def report(self, result: Any) -> None:
        """Called by it; more than information is an alarm."""
        self.alarms |= {f.rule_id for f in result.findings if f.severity.name != "INFO"}


class TrainTools(Follower):
    """Its monitor of gradients after every backward pass; batches are inspected at the network's entrance.

    Without the clipping norm of its quick start, which would make a warning of every batch that is clipped.
    """

    _KINDS = (
        "non-finite gradients",
        "vanished",
        "is very large",
        "ratio is high",
        "ratio is tiny",
        "no gradients",
    )

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        from traintools import BatchInspector, GradientHealthMonitor

        super().__init__(model, optimizer)
        self.monitor, self.inspector = GradientHealthMonitor(), BatchInspector()
        model.register_forward_pre_hook(self._batch)

    def _batch(self, model: nn.Module, inputs: Any) -> None:
        if model.training and inputs[0].is_floating_point():
            for warning in self.inspector.inspect(inputs[0]).warnings:
                self.alarms.add(
                    next(k for k in ("non-finite", "exceeds", "constant", "empty") if k in warning)
                )

    def backward(self, step: int, loss: float) -> None:
        """Inspects the gradients."""
        for warning in self.monitor.inspect(self.model, step=step, lr=self.rate()).warnings:
            self.alarms.add(next(kind for kind in self._KINDS if kind in warning))


class TrainingDoctor(Follower):
    """`Doctor.log` at every update, with what it can use; diagnoses of more than information are alarms."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        from training_doctor import Doctor

        super().__init__(model, optimizer)
        self.doctor = Doctor()
        self.norm = 0.0

    def backward(self, step: int, loss: float) -> None:
        """Takes the norm before it is clipped."""
        self.norm = norm(self.model)

    def update(self, step: int, loss: float) -> None:
        """Logs."""
        self._told(self.doctor.log(step=step, loss=loss, lr=self.rate(), grad_norm=self.norm))

    def validated(self, step: int, loss: float) -> None:
        """Logs."""
        self._told(self.doctor.log(step=step, eval_loss=loss))

    def _told(self, diagnoses: Any) -> None:
        self.alarms |= {d.problem for d in diagnoses if d.severity.name != "INFO"}


class TorchMortem(Follower):
    """Its autopsy with every collector; findings that are warnings or critical, without their layers."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        from torchmortem import Autopsy

        super().__init__(model, optimizer)
        self.autopsy = Autopsy(model, optimizer=optimizer)
        self.autopsy.attach()

    def update(self, step: int, loss: float) -> None:
        """One step."""
        self.autopsy.step(loss=loss)

    def end(self) -> None:
        """The autopsy itself."""
        self.autopsy.detach()
        report = self.autopsy.get_report()
        for finding in report.findings if report else ():
            if finding.severity.name != "INFO":
                self.alarms.add(re.sub(r" in \S+$", "", finding.title))


class TorchDiag(Follower):
    """`check_gradients` after every backward pass."""

    def backward(self, step: int, loss: float) -> None:
        """Checks; what it prints is thrown away."""
        from torchdiag import check_gradients

        with contextlib.redirect_stdout(io.StringIO()):
            found = check_gradients(self.model)
        self.alarms |= {layer["status"] for layer in found.values() if layer["status"] != "OK"}


class GradSnitch(Follower):
    """`watch(model, optimizer)`, logged after every backward pass."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        import gradsnitch

        super().__init__(model, optimizer)
        self.monitor = gradsnitch.watch(model, optimizer)
        self.validation: float | None = None

    def backward(self, step: int, loss: float) -> None:
        """Logs, with the validation since the last."""
        self.monitor.log(step, loss, val_loss=self.validation)
        self.validation = None

    def validated(self, step: int, loss: float) -> None:
        """Kept for the next."""
        self.validation = loss

    def end(self) -> None:
        """Its verdicts; the update ratio has two, of one number."""
        with contextlib.redirect_stdout(io.StringIO()):
            found = self.monitor.report()
        for finding in found:
            high = " high" if finding.code == "GS008" and "too high" in finding.name else ""
            self.alarms.add(finding.code + high)


class Curves(Follower):
    """For tools that read a log: loss, gradient norm, learning rate and validation loss by step."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        super().__init__(model, optimizer)
        self.rows: list[dict[str, float]] = []
        self.norm = 0.0

    def backward(self, step: int, loss: float) -> None:
        """Takes the norm before it is clipped."""
        self.norm = norm(self.model)

    def update(self, step: int, loss: float) -> None:
        """A row."""
        self.rows.append({"step": step, "loss": loss, "grad_norm": self.norm, "lr": self.rate()})

    def validated(self, step: int, loss: float) -> None:
        """Into the row of its step."""
        if self.rows:
            self.rows[-1]["eval_loss"] = loss


class TrainSpotter(Curves):
    """All its detectors, on the log as its readers would give it."""

    def end(self) -> None:
        """Warnings and errors."""
        from trainspotter.detectors import run_all
        from trainspotter.model import Run

        names = {"loss": "train/loss", "eval_loss": "eval/loss", "grad_norm": "grad_norm", "lr": "lr"}
        run = Run()
        for row in self.rows:
            for key, name in names.items():
                if key in row:
                    run.add_point(name, int(row["step"]), row[key])
        run.finalize()
        self.alarms |= {f.title for f in run_all(run) if f.severity != "info"}


class TrainProof(Curves):
    """`check_records`, as `trainproof epoch` calls it with a log."""

    def end(self) -> None:
        """Warnings and failures."""
        from trainproof.epoch import check_records

        found = check_records(self.rows)["findings"]
        self.alarms |= {f["id"] for f in found if f["level"] in ("WARN", "FAIL")}


def norm(model: nn.Module) -> float:
    """The global norm of the gradients."""
    squares = [float(p.grad.double().square().sum()) for p in model.parameters() if p.grad is not None]
    return math.sqrt(sum(squares)) if math.isfinite(sum(squares)) else math.inf


Start = Callable[[nn.Module, torch.optim.Optimizer], Follower]
TOOLS: dict[str, tuple[str | None, Start]] = {
    "anomaly detection": (None, AnomalyDetection),
    "torch-audit": ("torch_audit", TorchAudit),
    "torchmortem": ("torchmortem", TorchMortem),
    "traintools": ("traintools", TrainTools),
    "training-doctor": ("training_doctor", TrainingDoctor),
    "torchdiag": ("torchdiag", TorchDiag),
    "gradsnitch": ("gradsnitch", GradSnitch),
    "trainspotter": ("trainspotter", TrainSpotter),
    "trainproof": ("trainproof", TrainProof),
}
"""The module that has to be installed for it, and how it is attached."""
ALONE = ("anomaly detection", "torch-audit", "torchmortem")
"""Those that change or hook what runs, and so get a training of their own; the others only read, and share one."""
