"""What a run log tells of its run as a whole: what ran, how much was seen, how it ended, whether that is enough."""

from __future__ import annotations

import math
import signal
from pathlib import PurePath
from typing import TYPE_CHECKING

from rnn_doctor.errors import ScriptError

if TYPE_CHECKING:
    from rnn_doctor.schema.report import NotAssessed, Observation, Report, Subject
    from rnn_doctor.schema.runlog import RunLog

ENOUGH_STEPS = 10
"""Below this a script that fails has shown too little. Spikes are measured against a running median from
step 6 on, and trends need some points after that; checks of single steps are complete at step 1."""
_STILL = "has a gradient of exactly 0 at every update seen, as where no state is handed on from step to step"
_UNREACHED = "is held by an optimizer and reached by no loss, as where detach(), data or numpy() cuts it off"
_FROZEN = "is frozen (requires_grad=False): a loop over frozen weights leaves no trace, and learns nothing"
_RELATIVE = "attempted relative import with no known parent package"
_NO_GPU = (
    "Torch not compiled with CUDA enabled",
    "Found no NVIDIA driver",
    "No CUDA GPUs are available",
    "torch.cuda.is_available() is False",
)
_SPELLED = 3
"""Names of weights in one message."""
FEWEST_STEPS = 2
"""Below this nothing can be said of what learning does: a run without findings is then no healthy run."""


def subject(log: RunLog) -> Subject:
    """What was examined, from the header and the records of what the script built."""
    from rnn_doctor.schema.imported import ForeignLog
    from rnn_doctor.schema.report import RecurrentLayer, Subject

    layers = [
        RecurrentLayer(
            name=m.name,
            kind=m.kind,
            hidden_size=m.hidden_size,
            num_layers=m.num_layers,
            bidirectional=m.bidirectional,
            location=m.location,
        )
        for m in log.modules.values()
    ]
    return Subject(
        script=log.header.script,
        imported=ForeignLog(**log.imported.model_dump(exclude={"record"})) if log.imported else None,
        arguments=log.header.arguments,
        python=log.header.python,
        torch=log.header.torch,
        platform=log.header.platform,
        ranks=log.ranks,
        recurrent=tuple(layers),
        optimizers=() if log.imported else tuple(o.kind for o in log.optimizers.values()),
        parameters=sum(math.prod(p.shape) for p in log.parameters.values() if p.trainable),
    )


def observation(log: RunLog) -> Observation:
    """How much was seen, and why no more."""
    from rnn_doctor.schema.report import Observation

    seconds = log.stop.seconds if log.stop else log.steps[-1].elapsed if log.steps else None
    probe = log.stop.probe_seconds if log.stop else None
    return Observation(
        steps=log.steps_seen or len(log.steps),
        evaluations=len(log.evaluations),
        stopped=_stopped(log),
        failed=failure(log) is not None or (log.stop is not None and log.stop.reason == "crash"),
        seconds=seconds,
        probe_seconds=probe,
        probe_share=probe / seconds if probe is not None and seconds else None,
        sensors_off=tuple(sorted({record.sensor for record in log.sensors_off})),
        one_batch=_one_batch(log),
    )


def _one_batch(log: RunLog) -> str | None:
    """What came of the arm of the script's own settings; None where it was not tried."""
    own = next((fit for fit in log.batch_fits if fit.arm == "own" and fit.losses), None)
    if own is None:
        return None
    updates = len(own.losses) - 1
    return (
        f"one fixed batch: loss {own.losses[0]:.3g} to {own.losses[-1]:.3g} in {updates} update"
        f"{'' if updates == 1 else 's'} by the script's own settings"
    )


def failure(log: RunLog) -> str | None:
    """How the script failed, as a clause; None when it ended well, or because it was stopped."""
    if log.crash:
        return f"it raised {_in_a_line(log.crash.error)}"  # the traceback was shown when it ran
    if log.exit is None or log.exit.reason != "ended" or not log.exit.code or _over(log):
        return None
    if log.exit.code > 0:
        return f"it ended with exit code {log.exit.code}"
    try:
        return f"it was killed by {signal.Signals(-log.exit.code).name}"
    except ValueError:
        return f"it was killed by signal {-log.exit.code}"


def _in_a_line(error: str) -> str:
    """The first line of an exception, with the one that follows where it holds no more than the name.

    Of a SyntaxError the first tells the place, and the last what is wrong.
    """
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    if not lines:
        return "an exception"
    if lines[0].startswith('File "'):
        return f"{lines[-1]} ({lines[0].removeprefix('File ')})"
    return f"{lines[0]} {lines[1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def _over(log: RunLog) -> bool:
    """Whether the script had nothing more to show when it ended, so that how it ended is not held against it."""
    if log.early_validation and log.early_validation.judged_no_more:
        return True  # its epoch was ended early
    if log.stop is None or log.exit is None or log.exit.code is None:
        return False
    # After the probe's last word a signal is ours, to a process that would not end.
    return log.stop.reason in ("steps", "time", "interrupted") or log.exit.code < 0


def too_little(log: RunLog, report: Report) -> bool:
    """Whether the script failed before enough steps, or one update shows nothing.

    A fault that is certain needs no more steps, and often is what the script failed of.
    """
    if log.imported:
        return max(len(log.steps), len(log.evaluations)) < FEWEST_STEPS
    if failure(log) and len(log.steps) < ENOUGH_STEPS and not certain(report):
        return True
    return len(log.steps) < FEWEST_STEPS and not report.findings


def certain(report: Report) -> bool:
    """Whether an error was found that was read off, and not inferred from what some steps showed."""
    return any(f.severity == "error" and f.confidence.word == "certain" for f in report.findings)


def require_training(log: RunLog) -> None:
    """Nothing, where the log holds an update and a recurrent network.

    Raises: ScriptError: it does not; says what was seen instead.
    """
    script, failed = log.header.script, failure(log)
    if not log.steps:
        if failed:
            raise ScriptError(f"{script} made no update: {failed}{crash_place(log)}", _advice(log))
        if log.exit and log.exit.reason == "no_step":
            raise ScriptError(
                f"{script} made no update within the start limit; seen: {seen(log)}",
                "raise --start-limit if it prepares its data for longer",
            )
        if early := first_update_unfinished(log):
            raise early
        if log.exit and log.exit.reason == "hung":
            raise ScriptError(
                f"{script} had not finished its first update when the time limit came; seen: {seen(log)}",
                "raise --time-limit; an update of LBFGS takes up to 20 backward passes",
            )
        raise ScriptError(
            f"{script} made no update that could be seen; seen: {seen(log)}",
            "pass the arguments that make it train; an update is optimizer.step(), or a change of weights "
            "by hand after a backward pass",
        )
    if not log.modules:
        raise ScriptError(
            f"no recurrent network was seen in {script}; seen: {seen(log)}{unlearned(log)}",
            "rnn-doctor judges torch.nn.RNN, LSTM, GRU, their cells, loops written by hand over the steps of a "
            "sequence, and scans by cumsum, cumprod or logcumsumexp; where a compiler, reentrant checkpointing, a "
            "Fourier transform or a kernel of your own hides the steps, run the plain loop; where the state is made "
            "anew at every step, or the weights are frozen, gradients see no loop: hand the state on, thaw the weights",
        )


def first_update_unfinished(log: RunLog) -> ScriptError | None:
    """The error to raise where backward passes were seen, and no update was complete when the watch ended."""
    if log.steps or log.stop is None or not log.stop.backwards or failure(log):
        return None
    if log.stop.reason == "script_end":
        return ScriptError(
            f"{log.header.script} made no update in {log.stop.backwards} backward passes; seen: {seen(log)}",
            "an update is optimizer.step(), or a change of weights by hand after a backward pass",
        )
    return ScriptError(
        f"{log.header.script} was still within its first update when the time limit came, after "
        f"{log.stop.backwards} backward passes; seen: {seen(log)}",
        "raise --time-limit; an update of LBFGS takes up to 20 backward passes",
    )


def _advice(log: RunLog) -> str:
    if log.crash and "Weights only load failed" in log.crash.error:
        return "since torch 2.6 torch.load needs weights_only=False for whole objects, if you trust the file"
    if log.crash and _RELATIVE in log.crash.error and log.header.script.endswith(".py"):
        path = PurePath(log.header.script).with_suffix("")
        parts = path.parts[-2:] if path.is_absolute() or ".." in path.parts else path.parts
        return f"run it as the part of a package that it is, from the folder above that: -m {'.'.join(parts)}"
    if log.crash and any(said in log.crash.error for said in _NO_GPU):
        return "PyTorch finds no GPU here: give the arguments that make it train on the CPU, or run this where one is"
    return "run it on its own until it trains"


def seen(log: RunLog) -> str:
    """What the log holds, in a few words."""
    modules = [
        f"{m.kind} '{m.name}'{f' ({m.location.file}:{m.location.line})' if m.location else ''}"
        for m in log.modules.values()
    ]
    optimizers = [o.kind for o in log.optimizers.values()]
    updates = f"{len(log.steps) or 'no'} update{'' if len(log.steps) == 1 else 's'}"
    return ", ".join([*(modules or ["no recurrent network"]), *(optimizers or ["no optimizer"]), updates])


def unlearned(log: RunLog) -> str:
    """What optimized weight matrices, if any, tell of a recurrence that is there and learns nothing, as a clause.

    Those that the loss depends on and whose gradient is exactly 0 may be applied to a state of zeros at every step;
    those that it does not depend on may have made what was cut off from its graph; those that are frozen may have been
    applied in a loop that leaves no graph.
    """
    gradients: dict[int, float] = {}
    for sample in log.samples:
        for number, norm in zip(sample.parameters, sample.grad_norm, strict=True):
            gradients[number] = max(gradients.get(number, 0.0), math.inf if norm is None else norm)
    held = [
        p for p in log.parameters.values() if p.trainable and p.optimizer is not None and len(p.shape) > 1
    ]
    still = [p.name for p in held if p.used and gradients.get(p.id) == 0]
    unused = [p.name for p in held if p.used is False]
    frozen = [
        p.name
        for p in log.parameters.values()
        if not p.trainable and len(p.shape) > 1 and p.owner != "Embedding"
    ]
    return _clause(still, _STILL) + _clause(unused, _UNREACHED) + _clause(frozen, _FROZEN)


def _clause(names: list[str], what: str) -> str:
    """`; net.weight has ...`, or `; each of net.weight, ... has ...`."""
    if not names:
        return ""
    more = f" and {len(names) - _SPELLED} more" if len(names) > _SPELLED else ""
    each = "each of " if len(names) > 1 else ""
    return f"; {each}{', '.join(names[:_SPELLED])}{more} {what}"


def crash_place(log: RunLog) -> str:
    """` at file:line` of the exception that ended the script, or nothing where it is not known."""
    place = log.crash.location if log.crash else None
    return f" at {place.file}:{place.line}" if place else ""


def _stopped(log: RunLog) -> str:
    if log.imported:
        return "the log breaks off within a row" if log.truncated else "that is all the log holds"
    failed = failure(log)
    if failed:
        return f"the script failed: {failed}{crash_place(log)}"
    if log.stop:
        return {
            "steps": "the requested number of steps was reached",
            "time": "the time limit was reached",
            "script_end": "the script ended",
            "crash": "the script failed",
            "interrupted": "it was interrupted",
        }[log.stop.reason]
    if log.early_validation and log.early_validation.outcome == "ended":
        return "the requested number of steps was reached"
    if log.exit:
        return {
            "ended": "the script's process ended",
            "hung": "no update followed within the time limit, and the script was ended",
            "no_step": "no further step came",
            "interrupted": "it was interrupted",
        }[log.exit.reason]
    return "the log breaks off (the process was killed or still runs, or the disk was full)"


def limits(log: RunLog) -> tuple[NotAssessed, ...]:
    """What limits the whole examination: few steps, sensors that failed, ranks that disagree."""
    from rnn_doctor.schema.report import NotAssessed

    found = [
        NotAssessed(what=f"sensor {off.sensor}", reason=f"it failed at step {off.step}: {off.error}")
        for off in log.sensors_off
    ]
    found += [
        NotAssessed(what="one fixed batch", reason=fit.absent)
        for fit in log.batch_fits
        if fit.arm == "own" and fit.absent
    ]
    if log.imported:
        return ()  # each signal says what it lacks
    if len(log.steps) < ENOUGH_STEPS:
        seen_only = "1 update was" if len(log.steps) == 1 else f"{len(log.steps)} updates were"
        reason = f"only {seen_only} seen; what needs no more is judged"
        found.insert(0, NotAssessed(what="development over the steps", reason=reason))
    return tuple(found)
