"""Healthy ways to train in the reported part."""

from ..habit import Habit
from ..task import Task

_TEXTS = ("generation", "nextword")
_BY_HAND = ("origins",)


def _layers(task: Task) -> bool:
    return task.name not in _BY_HAND


def _torchs(task: Task) -> bool:
    return task.name not in _BY_HAND


def _both_ways(task: Task) -> bool:
    return task.name in ("sentiment", "pos")


def _scores(task: Task) -> bool:
    return task.classes and not task.binary


def _numbers(task: Task) -> bool:
    return not task.classes


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 0.5", {"clip": 0.5}),
    Habit("clipped at 5", {"clip": 5.0}),
    Habit("clipped by value", {"clip": 0.5, "clip_kind": "value"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("halved late", {"schedule": "step_late"}),
    Habit("a little less each time", {"schedule": "slow_exponential"}),
    Habit("warm-up", {"warm_up": 30}),
    Habit("accumulation", {"accumulate": 2, "batch": 16}),
    Habit("accumulation of four", {"accumulate": 4, "batch": 8}),
    Habit("dropout", {"dropout": 0.2}),
    Habit("two layers", {"layers": 2}, _layers),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.2}, _layers),
    Habit("three layers", {"layers": 3}, lambda t: _layers(t) and t.name not in ("waves", "translation")),
    Habit("both directions", {"bidirectional": True}, _both_ways),
    Habit("both directions, two layers", {"bidirectional": True, "layers": 2}, _both_ways),
    Habit("frozen embedding", {"frozen": "embedding"}, lambda t: t.tokens and t.name != "origins"),
    Habit("tied weights", {"tied": True}, lambda t: t.name in _TEXTS),
    Habit("state carried on", {"state": "carried"}, lambda t: t.name == "nextword"),
    Habit("its own words now and then", {"forcing": 0.5}, lambda t: t.name == "translation"),
    Habit("smooth absolute error", {"regression": "huber"}, _numbers),
    Habit("label smoothing", {"smoothing": 0.1}, lambda t: _scores(t) and t.name != "origins"),
    Habit("tiny batch", {"batch": 6}),
    Habit("small batch", {"batch": 16}),
    Habit("large batch", {"batch": 128}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 5", {"rate": 0.2}),
    Habit("rate / 2.5", {"rate": 0.4}),
    Habit("rate x 2", {"rate": 2.0}),
    Habit("rate x 4", {"rate": 4.0}),
    Habit("rate x 8", {"rate": 8.0}),
    Habit("validated", {"validate_every": 6}),
    Habit("validated now and then", {"validate_every": 20}),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("Xavier", {"init": "xavier"}, _torchs),
    Habit("orthogonal", {"init": "orthogonal"}, _torchs),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, _torchs, cells=("LSTM",)),
    Habit("small training set", {"samples": 900, "validate_every": 10}),
)
