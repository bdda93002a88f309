"""Healthy ways to train in the studies' part: in what good scripts of research and of courses differ."""

from ..habit import Habit, in_tasks, of_numbers, of_scores
from ..task import Task
from .planting import MEASURED

_DEEP = ("turbine", "splice", "bikes", "chorale", "movies", "walks", "naming", "beats", "slots")


def _torchs(task: Task) -> bool:
    return task.name != "beats"


HABITS = (
    Habit("plain", {}),
    Habit("no clipping", {"clip": None}),
    Habit("clipped at 0.3", {"clip": 0.3}),
    Habit("clipped at 10", {"clip": 10.0}),
    Habit("clipped by value", {"clip": 0.2, "clip_kind": "value"}),
    Habit("each parameter clipped", {"clip": 1.0, "clip_kind": "each"}),
    Habit("rescaled by hand", {"clip": 2.0, "clip_kind": "rescaled"}),
    Habit("one cycle", {"schedule": "one_cycle"}),
    Habit("cosine", {"schedule": "cosine"}),
    Habit("inverse root", {"schedule": "noam"}),
    Habit("slow steps", {"schedule": "slow_steps"}),
    Habit("slow decay", {"schedule": "slow_decay"}),
    Habit("triangles", {"schedule": "triangles"}),
    Habit("patient plateau", {"schedule": "patient"}),
    Habit("warm-up", {"warm_up": 25}),
    Habit("accumulation", {"accumulate": 2, "batch": 16}),
    Habit("accumulation of four, summed", {"accumulate": 4, "batch": 8, "divided": False, "rate": 0.5}),
    Habit("dropout", {"dropout": 0.15}, lambda task: task.name != "naming"),
    Habit("two layers", {"layers": 2}, in_tasks(*_DEEP)),
    Habit("two layers with dropout", {"layers": 2, "dropout": 0.1}, in_tasks(*_DEEP)),
    Habit("both directions", {"bidirectional": True}, in_tasks("movies", "calculator")),
    Habit("frozen embedding", {"frozen": "embedding"}, in_tasks("slots", "movies", "calculator")),
    Habit("tied weights", {"tied": True}, in_tasks("naming", "chorale")),
    Habit("state carried on", {"state": "carried"}, in_tasks("chorale")),
    Habit("learned first state", {"learned_start": True}, in_tasks("naming", "beats")),
    Habit("layer norm", {"layer_norm": True}, in_tasks("turbine", "splice", "chorale", "beats")),
    Habit("mean over time", {"pooling": "mean"}, in_tasks("turbine", "beats")),
    Habit("right steps now and then", {"forcing": 0.5}, in_tasks("walks", "calculator")),
    Habit("Huber's loss", {"regression": "huber"}, of_numbers),
    Habit("absolute error", {"regression": "absolute"}, of_numbers),
    Habit("label smoothing", {"smoothing": 0.1}, of_scores),
    Habit("logarithm of softmax first", {"output": "log_softmax"}, of_scores),
    Habit("one class against all", {"output": "one_against_all"}, of_scores),
    Habit("moving average of the weights", {"average": 0.98, "validate_every": 20}),
    Habit("slower recurrence", {"group_rate": 0.5}),
    Habit("penalty by hand", {"penalty": 1e-5}),
    Habit("weight decay", {"weight_decay": 1e-4}),
    Habit("noise on readings", {"jitter": 0.1}, in_tasks(*MEASURED)),
    Habit("words left out", {"words_left_out": 0.05}, in_tasks("slots", "movies")),
    Habit("gradients asked for", {"style": "autograd"}),
    Habit("asked for the loss", {"style": "closure"}, in_tasks("bikes")),
    Habit("half the bits", {"style": "bfloat16"}, in_tasks("beats")),
    Habit("gradients set to zero", {"clearing": "to_zero"}),
    Habit("in order", {"order": "in_order"}),
    Habit("tiny batch", {"batch": 6}),
    Habit("small batch", {"batch": 16}),
    Habit("large batch", {"batch": 96}),
    Habit("rate / 10", {"rate": 0.1}),
    Habit("rate / 4", {"rate": 0.25}),
    Habit("rate / 2", {"rate": 0.5}),
    Habit("rate x 3", {"rate": 3.0}),
    Habit("rate x 6", {"rate": 6.0}),
    Habit("validated", {"validate_every": 4}),
    Habit("validated now and then", {"validate_every": 25}),
    Habit("Xavier", {"init": "xavier"}),
    Habit("He", {"init": "he"}, _torchs),
    Habit("orthogonal", {"init": "orthogonal"}),
    Habit("open forget gate", {"gate": "forget", "gate_bias": 1.0}, cells=("LSTM",)),
    Habit("padded to a fixed length", {"pad_to": 20}, in_tasks("slots", "movies")),
    Habit("small training set", {"samples": 1000, "validate_every": 10}),
)
