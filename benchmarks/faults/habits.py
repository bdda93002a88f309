"""Healthy ways to train that are often called ill."""

from .habit import Habit
from .task import Task


def _layer(task: Task) -> bool:
    return task.network == "layer"


def _text(task: Task) -> bool:
    return task.name in ("characters", "words")


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("always clipped", {"clip": 0.1}),
    Habit("warm-up", {"warm_up": 40}),
    Habit("cosine schedule", {"schedule": "cosine"}),
    Habit("accumulation", {"accumulate": 3, "batch": 12}),
    Habit("dropout", {"dropout": 0.2}),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.1}, _layer),
    Habit("frozen embedding", {"frozen": "embedding"}, lambda task: task.tokens),
    Habit("tied weights", {"tied": True}, _text),
    Habit("tiny batch", {"batch": 3}),
    Habit("large batch", {"batch": 96}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 3", {"rate": 0.3}),
    Habit("rate x 3", {"rate": 3.0}),
    Habit("rate x 10", {"rate": 10.0}),
    Habit("validated", {"validate_every": 4}),
    Habit(
        "bidirectional",
        {"bidirectional": True},
        lambda task: (_layer(task) and task.padded) or task.name == "tagging",
    ),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("orthogonal", {"init": "orthogonal"}, _layer),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, _layer),
    Habit("state carried on", {"state": "carried"}, _text),
    Habit("fixed training set", {"samples": 2000, "validate_every": 10}),
)
