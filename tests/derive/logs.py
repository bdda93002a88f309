"""Hand-made run logs: records with the fields that a test does not care about filled in."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.built import InitialWeights, Loader, Module, Optimizer, Parameter
from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.recurrence import LagGain, Readout
from rnn_doctor.schema.runlog import (
    Batch,
    Header,
    LossCall,
    NonFinite,
    Record,
    RunLog,
    Sample,
    Step,
)
from rnn_doctor.schema.signals import RUN, Measurement
from rnn_doctor.schema.validating import Evaluation
from rnn_doctor.schema.values import Location

HEADER = Header(
    record="header", schema_version=1, tool_version="0", script="train.py", python="3.11", torch="2.4",
    platform="test", started="2026-01-01T00:00:00Z", process=1,
)  # fmt: skip


def log(*records: Record | Iterable[Record]) -> RunLog:
    """The run log of these records, with a header before them."""
    flat: list[Record] = [HEADER]
    for record in records:
        if isinstance(record, Iterable) and not hasattr(record, "record"):
            flat += list(record)
        else:
            flat.append(record)  # type: ignore[arg-type]
    return assemble(flat)


def value_of(name: str, of: RunLog, subject: str = RUN, lag: int | None = None) -> bool | float | str | None:
    """The value of one signal on one subject."""
    return measure(name, of, subject, lag).value


def measure(name: str, of: RunLog, subject: str = RUN, lag: int | None = None) -> Measurement:
    """One signal on one subject; it must have a value or a reason, never both or neither."""
    found = signals(of, lag=lag).signals[name].measurements[subject]
    assert (found.value is None) == (found.absent is not None)
    return found


def at(line: int, file: str = "train.py") -> Location:
    return Location(file=file, line=line)


def steps(
    losses: Sequence[float | None] = (),
    norms: Sequence[float | None] = (),
    lr: Sequence[float] | float = 0.01,
    **fields: Any,
) -> list[Step]:
    """Consecutive steps of optimizer 0, as many as there are losses or norms."""
    count = max(len(losses), len(norms))
    rates = [lr] * count if isinstance(lr, int | float) else list(lr)
    return [
        Step(**{
            "record": "step", "step": k + 1, "elapsed": 0.1 * k, "lr": (rates[k],), "optimizers": (0,),
            "loss": losses[k] if losses else 1.0, "grad_norm": norms[k] if norms else 1.0, **fields,
        })
        for k in range(count)
    ]  # fmt: skip


def adam(number: int = 0, **fields: Any) -> Optimizer:
    return Optimizer(**{
        "record": "optimizer", "id": number, "kind": "Adam", "lr": (0.01,), "parameters": 4,
        "location": at(10 + number), **fields,
    })  # fmt: skip


def lstm(number: int = 0, name: str = "lstm", **fields: Any) -> Module:
    return Module(**{
        "record": "module", "id": number, "name": name, "kind": "LSTM", "input_size": 8, "hidden_size": 32,
        "location": at(20 + number), **fields,
    })  # fmt: skip


def weight(number: int = 0, name: str = "lstm.weight_hh_l0", **fields: Any) -> Parameter:
    """A recurrent weight matrix at PyTorch's default initialization, in optimizer 0, used by the loss."""
    return Parameter(**{
        "record": "parameter", "id": number, "name": name, "shape": (128, 32), "owner": "LSTM", "module": 0,
        "optimizer": 0, "used": True, "std": math.sqrt(1 / (3 * 32)), "mean": 0.0, **fields,
    })  # fmt: skip


def samples(
    at_steps: Sequence[int],
    displacement: Callable[[int], float] = lambda step: 0.01 * step,
    parameters: tuple[int, ...] = (0,),
    **fields: Any,
) -> list[Sample]:
    """Samples at these steps; every parameter has norm 1, and moves alike."""
    width = len(parameters)
    return [
        Sample(**{
            "record": "sample", "step": k, "parameters": parameters, "grad_norm": (0.5,) * width,
            "weight_norm": (1.0,) * width, "update_norm": (0.01,) * width,
            "displacement": (displacement(k),) * width, "stale_norm": 0.0, **fields,
        })
        for k in at_steps
    ]  # fmt: skip


def batch(step: int = 1, module: int = 0, **fields: Any) -> Batch:
    return Batch(**{
        "record": "batch", "step": step, "module": module, "time": 20, "batch": 16, "features": 8,
        "mean": 0.1, "std": 1.0, "absmax": 3.0, "constant_share": 0.0, "drive": 0.0, **fields,
    })  # fmt: skip


def readout(step: int = 1, module: int = 0, **fields: Any) -> Readout:
    return Readout(**{
        "record": "readout", "step": step, "module": module, "time": 20, "batch": 16, "last_share": 1.0,
        "top_row_share": 0.1, **fields,
    })  # fmt: skip


def loader(number: int = 0, **fields: Any) -> Loader:
    return Loader(**{
        "record": "loader", "id": number, "samples": 1000, "batch_size": 32, "shuffled": True, "trains": True,
        **fields,
    })  # fmt: skip


def loss_call(function: str = "cross_entropy", step: int = 1, **fields: Any) -> LossCall:
    return LossCall(**{
        "record": "loss", "step": step, "site": 0, "function": function, "location": at(30),
        "input_shape": (16, 4), "target_shape": (16,), **fields,
    })  # fmt: skip


LOSS = "{} at train.py:30"
"""Name of the subject of a loss call above."""


def evaluations(losses: Sequence[float | None], every: int = 5, **fields: Any) -> list[Evaluation]:
    """One evaluation after every so many updates."""
    return [
        Evaluation(**{
            "record": "evaluation", "step": every * (k + 1), "loss": loss, "batches": 4, "loader": 1, **fields,
        })
        for k, loss in enumerate(losses)
    ]  # fmt: skip


def not_finite(step: int, what: str = "loss", subject: str = "train.py:30", **fields: Any) -> NonFinite:
    return NonFinite(**{"record": "non_finite", "step": step, "what": what, "subject": subject, **fields})


def initial(asymmetry: float = 0.98, module: int = 0, **fields: Any) -> InitialWeights:
    return InitialWeights(**{
        "record": "initial_weights", "module": module, "asymmetry": asymmetry, "hidden_gain": 0.577,
        "input_gain": 0.3, **fields,
    })  # fmt: skip


def lag_profile(decades_a_step: float = -0.2, longest: int = 30, **fields: Any) -> LagGain:
    lags = tuple(range(longest + 1))
    return LagGain(**{
        "record": "lag_gain", "step": 1, "module": 0, "lags": lags,
        "decades": tuple(decades_a_step * lag for lag in lags), "rows": 8, **fields,
    })  # fmt: skip
