"""Healthy ways to train in the unseen part."""

from ..habit import Habit
from ..task import Task


def _layer(task: Task) -> bool:
    """Whether one of torch's recurrent modules reads whole sequences."""
    return task.network not in ("spelled", "agent")


def _one_way(task: Task) -> bool:
    return _layer(task) and task.network not in ("letters", "words")


def _stacked(task: Task) -> bool:
    return task.network != "spelled"


def _scores(task: Task) -> bool:
    return task.classes and not task.binary and task.network not in ("agent", "speech")


def _fixed(task: Task) -> bool:
    """Whether there is a training set; an agent meets the world."""
    return task.network != "agent"


def _tokens(task: Task) -> bool:
    return task.tokens and task.network != "spelled"


def _front(task: Task) -> bool:
    return _tokens(task) or task.network in ("customers", "speech")


def _dropped(task: Task) -> bool:
    return task.network not in ("spelled", "forecaster")


def _read_last(task: Task) -> bool:
    return task.network in ("spelled", "siamese", "customers")


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 5", {"clip": 5.0}),
    Habit("clipped by value", {"clip": 0.2, "clip_kind": "value"}),
    Habit("normalized gradients", {"clip": 0.7, "clip_kind": "scaled"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("warm-up, then inverse root", {"schedule": "noam"}),
    Habit("triangles", {"schedule": "triangles"}),
    Habit("warm restarts", {"schedule": "restarts"}),
    Habit("halved now and then", {"schedule": "halving"}),
    Habit("linear warm-up", {"schedule": "warm"}),
    Habit("accumulation", {"accumulate": 4, "batch": 8}),
    Habit("dropout", {"dropout": 0.2}, _dropped),
    Habit("much dropout", {"dropout": 0.4}, _dropped),
    Habit("tied weights", {"tied": True}, lambda task: task.network == "words"),
    Habit("state carried on", {"state": "carried"}, lambda task: task.network == "words"),
    Habit("learned initial state", {"learned_start": True}, lambda task: task.network == "words"),
    Habit("scheduled sampling", {"forcing": 0.6}, lambda task: task.network == "teacher"),
    Habit("mean pooling", {"pooling": "mean"}, lambda task: task.network == "pooling"),
    Habit("final state", {"pooling": "last"}, lambda task: task.network == "pooling"),
    Habit("padded to one length", {"pad_to": 24}, lambda task: task.network in ("pooling", "teacher")),
    Habit("words left out", {"words_left_out": 0.1}, lambda task: task.name in ("reviews", "sentences")),
    Habit("noise on inputs", {"jitter": 0.1}, lambda task: not task.tokens and task.network != "customers"),
    Habit("absolute error", {"regression": "absolute"}, lambda task: task.network == "forecaster"),
    Habit("smooth absolute error", {"regression": "huber"}, lambda task: not task.classes),
    Habit("layer normalization", {"layer_norm": True}, lambda task: task.network in ("forecaster", "customers")),
    Habit("frozen front", {"frozen": "embedding"}, _front),
    Habit("tiny batch", {"batch": 6}),
    Habit("large batch", {"batch": 112}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 3", {"rate": 0.33}),
    Habit("rate x 2", {"rate": 2.0}),
    Habit("rate x 4", {"rate": 4.0}),
    Habit("validated", {"validate_every": 6}),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("small penalty of absolutes", {"penalty": 1e-5, "penalty_kind": "absolute"}),
    Habit("label smoothing", {"smoothing": 0.1}, _scores),
    Habit("summed loss, clipped", {"reduction": "sum"}, _scores),
    Habit("two layers", {"layers": 2}, _stacked),
    Habit("three layers", {"layers": 3}, _stacked),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.2}, _layer),
    Habit("bidirectional", {"bidirectional": True}, _one_way),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("narrow uniform", {"init": "uniform", "gain": 0.1}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, cells=("LSTM",)),
    Habit("wide open forget gate", {"gate": "forget", "gate_bias": 3.0}, _read_last, ("LSTM",)),
    Habit("in 64 bits", {"double": True}),
    Habit("small training set", {"samples": 1000, "validate_every": 8}, _fixed),
)  # fmt: skip
