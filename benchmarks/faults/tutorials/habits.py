"""Healthy ways to train in the tutorials' part."""

from ..habit import Habit
from ..task import Task

_BY_HAND = ("plant",)
_CELLS = ("plant", "novel")


def _torchs(task: Task) -> bool:
    return task.name not in _BY_HAND


def _layers(task: Task) -> bool:
    return task.name not in (*_BY_HAND, "chatbot", "documents", "anomaly")


def _both_ways(task: Task) -> bool:
    return task.name in ("pixelrows", "spotting", "tweets", "places", "documents")


def _scores(task: Task) -> bool:
    return task.classes and not task.binary


def _numbers(task: Task) -> bool:
    return not task.classes


def _normed(task: Task) -> bool:
    return task.name in ("pixelrows", "spotting", "wearable")


def _closures(task: Task) -> bool:
    return task.name in ("prices", "novel")


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 0.25", {"clip": 0.25}),
    Habit("clipped at 5", {"clip": 5.0}),
    Habit("each gradient clamped", {"clip": 0.1, "clip_kind": "clamped"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("warm restarts", {"schedule": "warm_restarts"}),
    Habit("warm-up, then cosine", {"schedule": "warm_then_cosine"}),
    Habit("patient plateau", {"schedule": "patient_plateau"}),
    Habit("warm-up", {"warm_up": 30}),
    Habit("accumulation", {"accumulate": 2, "batch": 16}),
    Habit("accumulation of four, summed", {"accumulate": 4, "batch": 8, "divided": False, "rate": 0.5}),
    Habit("dropout", {"dropout": 0.15}),
    Habit("two layers", {"layers": 2}, _layers),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.15}, _layers),
    Habit("four layers with shortcuts", {"layers": 4, "pooling": "shortcut"}, lambda t: t.name == "wearable"),
    Habit("both directions", {"bidirectional": True}, _both_ways),
    Habit("frozen embedding", {"frozen": "embedding"}, lambda t: t.tokens and t.name != "novel"),
    Habit("tied weights", {"tied": True}, lambda t: t.name == "tunes"),
    Habit("state carried on", {"state": "carried"}, lambda t: t.name == "tunes"),
    Habit("learned first state", {"learned_start": True}, lambda t: t.name == "plant"),
    Habit("layer norm", {"layer_norm": True}, _normed),
    Habit("scheduled sampling", {"forcing": 0.7}, lambda t: t.name == "chatbot"),
    Habit("Huber's loss", {"regression": "huber"}, _numbers),
    Habit("absolute error", {"regression": "absolute"}, lambda t: t.name in ("plant", "anomaly")),
    Habit("label smoothing", {"smoothing": 0.1}, _scores),
    Habit("logarithm of softmax first", {"output": "log_softmax"}, _scores),
    Habit("moving average of the weights", {"average": 0.98, "validate_every": 20}),
    Habit("the last layer faster", {"group_rate": 2.0}),
    Habit("penalty by hand", {"penalty": 1e-5}),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("asked for the loss", {"style": "closure"}, _closures),
    Habit("half the bits", {"style": "bfloat16"}, lambda t: t.name in _BY_HAND),
    Habit("in order", {"order": "in_order"}),
    Habit("tiny batch", {"batch": 6}),
    Habit("small batch", {"batch": 16}),
    Habit("large batch", {"batch": 96}),
    Habit("rate / 8", {"rate": 0.125}),
    Habit("rate / 4", {"rate": 0.25}),
    Habit("rate / 2", {"rate": 0.5}),
    Habit("rate x 3", {"rate": 3.0}),
    Habit("rate x 6", {"rate": 6.0}),
    Habit("validated", {"validate_every": 5}),
    Habit("validated now and then", {"validate_every": 25}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("Kaiming", {"init": "kaiming"}, _torchs),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, cells=("LSTM",)),
    Habit("small training set", {"samples": 1000, "validate_every": 10}, lambda t: t.name != "tunes"),
)
