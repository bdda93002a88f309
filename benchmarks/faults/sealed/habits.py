"""Healthy ways to train in the sealed part."""

from ..habit import Habit
from ..task import Task


def _layer(task: Task) -> bool:
    """Whether one of torch's recurrent modules reads whole sequences."""
    return task.network in ("pooled", "marked", "front", "residual", "normalizer")


def _one_way(task: Task) -> bool:
    return _layer(task) and task.read != "max"


def _scores(task: Task) -> bool:
    return task.classes and not task.binary


def _front(task: Task) -> bool:
    return task.tokens or task.network in ("marked", "front")


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped by value", {"clip": 0.3, "clip_kind": "value"}),
    Habit("each parameter clipped", {"clip": 0.5, "clip_kind": "each"}),
    Habit("clipped by hand", {"clip": 0.5, "clip_kind": "hand"}),
    Habit("clipped by hooks", {"clip": 0.5, "clip_kind": "hook"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("warm-up", {"warm_up": 30}),
    Habit("polynomial", {"schedule": "polynomial", "span": 1200}),
    Habit("moving average of weights", {"average": 0.95, "validate_every": 6}),
    Habit("accumulation", {"accumulate": 2, "batch": 16}),
    Habit("gradient noise", {"noise": 0.01}),
    Habit("label smoothing", {"smoothing": 0.15}, _scores),
    Habit("tied weights", {"tied": True}, lambda task: task.network == "speller"),
    Habit("frozen front", {"frozen": "embedding"}, _front),
    Habit("batches of any size", {"sizes": "mixed"}),
    Habit("batches of alike lengths", {"sizes": "bucketed"}, lambda task: task.padded),
    Habit("tiny batch", {"batch": 5}),
    Habit("large batch", {"batch": 100}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 4", {"rate": 0.25}),
    Habit("rate x 2.5", {"rate": 2.5}),
    Habit("rate x 5", {"rate": 5.0}),
    Habit("slow recurrence", {"group_rate": 0.3}),
    Habit("validated", {"validate_every": 7}),
    Habit("weight decay", {"weight_decay": 3e-4}),
    Habit("penalty by hand", {"penalty": 1e-5}),
    Habit("projections", {"projection": 12}, _layer, ("LSTM",)),
    Habit("two layers", {"layers": 2}, lambda task: task.network != "handmade"),
    Habit("three layers with dropout", {"layers": 3, "dropout": 0.1}, _layer),
    Habit("dropout", {"dropout": 0.25}),
    Habit("bidirectional", {"bidirectional": True}, lambda task: _one_way(task) and task.network != "marked"),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.5}, cells=("LSTM",)),
    Habit("patient update gate", {"gate": "update", "gate_bias": 1.0}, _layer, ("GRU",)),
    Habit("state carried on", {"state": "carried"}, lambda task: task.network == "speller"),
    Habit("small training set", {"samples": 1200, "validate_every": 10}),
)  # fmt: skip
