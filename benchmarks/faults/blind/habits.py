"""Healthy ways to train in the blind part; others than habits.py has, or in other measure."""

from ..habit import Habit
from ..task import Task


def _one_module(task: Task) -> bool:
    return task.network in ("pipeline", "packed")


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped by value", {"clip": 0.5, "clip_kind": "value"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("warm restarts", {"schedule": "restarts"}),
    Habit("linear decay", {"schedule": "linear"}),
    Habit("accumulation", {"accumulate": 4, "batch": 10}),
    Habit("dropout", {"dropout": 0.3}),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.15}, lambda task: task.network != "translator"),
    Habit("three layers", {"layers": 3}, _one_module),
    Habit("frozen embedding", {"frozen": "embedding"}, lambda task: task.tokens),
    Habit("tiny batch", {"batch": 4}),
    Habit("large batch", {"batch": 128}),
    Habit("rate / 8", {"rate": 0.125}),
    Habit("rate / 2", {"rate": 0.5}),
    Habit("rate x 2", {"rate": 2.0}),
    Habit("rate x 6", {"rate": 6.0}),
    Habit("validated", {"validate_every": 5}),
    Habit("bidirectional", {"bidirectional": True}, _one_module),
    Habit("weight decay", {"weight_decay": 5e-4}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("wide open forget gate", {"gate": "forget", "gate_bias": 2.0}, _one_module),
    Habit("label smoothing", {"smoothing": 0.1}, lambda task: task.classes and not task.binary),
    Habit("summed loss, clipped", {"reduction": "sum"}),
    Habit("state carried on", {"state": "carried"}, lambda task: task.network == "loop"),
    Habit("smaller training set", {"samples": 1000, "validate_every": 8}),
)  # fmt: skip
