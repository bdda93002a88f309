"""Healthy ways to train in the everyday part: in what good scripts of beginners and of practitioners differ."""

from collections.abc import Callable

from ..habit import Habit
from ..task import Task

MEASURED = ("weather", "battery", "drivers")
"""Tasks that are given numbers of any size."""
TOKENS = ("manual", "glossary", "complaints", "wordclasses", "sorting", "cipher", "tongues")


def _of(*names: str) -> Callable[[Task], bool]:
    return lambda task: task.name in names


def _scores(task: Task) -> bool:
    return task.classes


def _numbers(task: Task) -> bool:
    return not task.classes


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 0.25", {"clip": 0.25}),
    Habit("clipped at 5", {"clip": 5.0}),
    Habit("clipped by value", {"clip": 0.5, "clip_kind": "value"}),
    Habit("warm-up", {"warm_up": 20}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("linear decay", {"schedule": "linear"}),
    Habit("late milestones", {"schedule": "late_milestones"}),
    Habit("patient plateau", {"schedule": "plateau"}),
    Habit("accumulation", {"accumulate": 2, "batch": 16}),
    Habit("accumulation of four", {"accumulate": 4, "batch": 8}),
    Habit("accumulation, not divided", {"accumulate": 2, "batch": 16, "divided": False, "rate": 0.5}),
    Habit("dropout", {"dropout": 0.2}),
    Habit("two layers", {"layers": 2}),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.2}),
    Habit("both directions", {"bidirectional": True}, _of("complaints")),
    Habit("frozen embedding", {"frozen": "embedding"}, _of(*TOKENS)),
    Habit("tied weights", {"tied": True}, _of("manual", "glossary")),
    Habit("state carried on", {"state": "carried"}, _of("manual")),
    Habit("learned first state", {"learned_start": True}, _of("battery")),
    Habit("layer norm", {"layer_norm": True}, _of("manual", "weather", "battery", "drivers", "tongues")),
    Habit("mean over time", {"pooling": "mean"}, _of("drivers", "tongues")),
    Habit("right tokens now and then", {"forcing": 0.5}, _of("sorting", "cipher")),
    Habit("smooth L1", {"regression": "huber"}, _numbers),
    Habit("mean absolute error", {"regression": "absolute"}, _numbers),
    Habit("label smoothing", {"smoothing": 0.1}, _scores),
    Habit("log_softmax and NLLLoss", {"output": "log_softmax"}, _scores),
    Habit("averaged weights", {"average": 0.99, "validate_every": 20}),
    Habit("slower recurrence", {"group_rate": 0.5}),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("L2 by hand", {"penalty": 1e-5}),
    Habit("noise on readings", {"jitter": 0.1}, _of(*MEASURED)),
    Habit("in order of time", {"order": "in_order"}),
    Habit("tiny batch", {"batch": 4}),
    Habit("small batch", {"batch": 16}),
    Habit("large batch", {"batch": 128}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 4", {"rate": 0.25}),
    Habit("rate / 2", {"rate": 0.5}),
    Habit("rate x 2", {"rate": 2.0}),
    Habit("rate x 5", {"rate": 5.0}),
    Habit("rate x 8", {"rate": 8.0}),
    Habit("validated", {"validate_every": 5}),
    Habit("validated after each epoch", {"validate_every": 50}),
    Habit("early stopping", {"validate_every": 10, "style": "early_stopping"}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("He", {"init": "he"}),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("uniform within a tenth", {"init": "small_uniform"}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, cells=("LSTM",)),
    Habit("padded to a fixed length", {"pad_to": 30}, _of("complaints")),
    Habit("small training set", {"samples": 800, "validate_every": 10}),
)
