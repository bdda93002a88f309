"""Healthy ways to train in the untouched part."""

from ..habit import Habit
from ..task import Task


def _layers(task: Task) -> bool:
    return task.name not in ("walkers", "thermostat")


def _scheduled(task: Task) -> bool:
    """Whether every optimizer of it has a schedule: weights that are moved by hand have none."""
    return task.name != "glyphs"


def _grouped(task: Task) -> bool:
    return task.name in ("messages", "commands")


def _both_ways(task: Task) -> bool:
    return task.name in ("messages", "entities")


def _scores(task: Task) -> bool:
    return task.classes and not task.binary


def _read_on(task: Task) -> bool:
    return task.name == "glyphs"


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 0.25", {"clip": 0.25}),
    Habit("clipped at 10", {"clip": 10.0}),
    Habit("clipped by value", {"clip": 0.4, "clip_kind": "value"}),
    Habit("one cycle", {"schedule": "one_cycle"}, _scheduled),
    Habit("cosine", {"schedule": "cosine"}, _scheduled),
    Habit("linear", {"schedule": "linear"}, _scheduled),
    Habit("halved late", {"schedule": "halving"}, _scheduled),
    Habit("warm-up", {"warm_up": 25}, _scheduled),
    Habit("accumulation", {"accumulate": 4, "batch": 8}, _grouped),
    Habit("dropout", {"dropout": 0.25}, lambda task: task.name not in ("walkers", "thermostat")),
    Habit("two layers", {"layers": 2}, _layers),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.15}, lambda t: _layers(t) and t.name != "ward"),
    Habit("three layers", {"layers": 3}, _layers),
    Habit("both directions", {"bidirectional": True}, _both_ways),
    Habit("frozen embedding", {"frozen": "embedding"}, lambda task: task.tokens),
    Habit("tied weights", {"tied": True}, _read_on),
    Habit("state carried on", {"state": "carried"}, _read_on),
    Habit("state carried on, in few rows", {"state": "carried", "batch": 16}, _read_on),
    Habit("own digits now and then", {"forcing": 0.5}, lambda task: task.name == "clock"),
    Habit("absolute error", {"regression": "absolute"}, lambda task: task.name == "walkers"),
    Habit("smooth absolute error", {"regression": "huber"}, lambda task: task.name == "electricity"),
    Habit("padded to one length", {"pad_to": 30}, lambda task: task.name == "messages"),
    Habit("tiny batch", {"batch": 7}),
    Habit("large batch", {"batch": 120}),
    Habit("rate / 5", {"rate": 0.2}),
    Habit("rate / 2.5", {"rate": 0.4}),
    Habit("rate x 1.5", {"rate": 1.5}),
    Habit("rate x 3", {"rate": 3.0}),
    Habit("validated", {"validate_every": 8}),
    Habit("weight decay", {"weight_decay": 2e-4}, _scheduled),
    Habit("label smoothing", {"smoothing": 0.1}, _scores),
    Habit("Xavier", {"init": "xavier"}),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, cells=("LSTM",)),
    Habit("small training set", {"samples": 1000, "validate_every": 10}),
)  # fmt: skip
