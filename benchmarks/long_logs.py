"""What `rnn-doctor diagnose` costs as a log grows from a thousand steps to a million: time of the CPU, and memory.

Logs by formula: a training loss that falls to a level, 50 evaluations, a gradient norm; as a run log of ours, as CSV,
as printed text and as TensorBoard events. Each is diagnosed in a process of its own, whose CPU time and largest memory
the kernel tells. Writes benchmarks/long_logs.md.
"""

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rnn_doctor.schema import reading

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "sample_logs" / "charlm_validated.jsonl"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
EVALUATIONS = 50
NOTHING = ("-c", "import rnn_doctor.pipeline, rnn_doctor.cli, rnn_doctor.cli.diagnose, numpy, pydantic")
"""What every diagnosis imports, and no more."""


def loss(k: int, n: int) -> float:
    """Of update k of n."""
    return 1 + 2 * math.exp(-5 * k / n) * (1 + 0.05 * math.sin(1.3 * k))


def norm(k: int) -> float:
    """Gradient norm of update k."""
    return 1 + 0.3 * math.sin(0.77 * k)


def validation(k: int, n: int) -> float:
    """Validation loss after update k of n."""
    return 1.1 + 2 * math.exp(-5 * k / n)


def run_log(path: Path, n: int) -> None:
    """As `record --steps all` would have written it: what the script built from a sample log, then the steps."""
    lines = [
        (json.loads(line)["record"], line) for line in SAMPLE.read_text(encoding="utf-8").splitlines(True)
    ]
    head = [line for kind, line in lines if kind not in ("step", "evaluation", "stop", "exit")]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(head)
        for k in range(1, n + 1):
            file.write(
                f'{{"record":"step","step":{k},"elapsed":{k * 0.02:.4f},"loss":{loss(k, n):.6g},'
                f'"grad_norm":{norm(k):.6g},"lr":[0.01],"optimizers":[0],"backwards":1}}\n'
            )
            if k % (n // EVALUATIONS) == 0:
                value = validation(k, n)
                file.write(f'{{"record":"evaluation","step":{k},"loss":{value:.6g},"batches":3}}\n')
        file.writelines(line for kind, line in lines if kind in ("stop", "exit"))


def table(path: Path, n: int) -> None:
    """As a CSV logger writes it."""
    with path.open("w", encoding="utf-8") as file:
        file.write("step,train_loss,grad_norm,val_loss\n")
        for k in range(1, n + 1):
            held_out = f"{validation(k, n):.6g}" if k % (n // EVALUATIONS) == 0 else ""
            file.write(f"{k},{loss(k, n):.6g},{norm(k):.6g},{held_out}\n")


def text(path: Path, n: int) -> None:
    """As a script prints it through logging."""
    with path.open("w", encoding="utf-8") as file:
        for k in range(1, n + 1):
            clock = f"2026-01-02 {k // 3600 % 24:02}:{k // 60 % 60:02}:{k % 60:02},{k % 1000:03}"
            file.write(
                f"{clock} - INFO - step {k}: loss {loss(k, n):.6g}, grad norm {norm(k):.6g}, {5 + k % 7}ms\n"
            )
            if k % (n // EVALUATIONS) == 0:
                file.write(f"{clock} - INFO - step {k}: val loss {validation(k, n):.6g}\n")


def events(path: Path, n: int) -> None:
    """As TensorBoard's writer writes it."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    def messages() -> Iterator[bytes]:
        yield Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString()
        for k in range(1, n + 1):
            values = {"train/loss": loss(k, n)}
            if k % (n // EVALUATIONS) == 0:
                values["val/loss"] = validation(k, n)
            for tag, value in values.items():
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                yield Event(wall_time=0.02 * k, step=k, summary=summary).SerializeToString()

    with path.open("wb") as file:
        writer = RecordWriter(file)
        for message in messages():
            writer.write(message)


KINDS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "run log": ("run.jsonl", run_log),
    "CSV": ("metrics.csv", table),
    "text": ("train.log", text),
    "TensorBoard": ("events.out.tfevents.0", events),
}


def cost(*arguments: str) -> tuple[float, float, float]:
    """CPU seconds, megabytes at most and wall seconds of a Python process."""
    begin = time.perf_counter()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)],
    )
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        raise SystemExit(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, time.perf_counter() - begin


def rows(folder: Path) -> Iterator[str]:
    """A line of the table for each log."""
    cpu, memory, wall = cost(*NOTHING)
    yield f"| imports alone | | | {cpu:.2f} | {wall:.2f} | {memory:.0f} |"
    for kind, (name, write) in KINDS.items():
        for n in SIZES:
            path = folder / name
            write(path, n)
            size = path.stat().st_size / 1e6
            cpu, memory, wall = cost("-m", "rnn_doctor", "diagnose", str(path))
            yield f"| {kind} | {n:,} | {size:.1f} MB | {cpu:.2f} | {wall:.2f} | {memory:.0f} |"
            print(kind, n, f"{cpu:.2f} s, {memory:.0f} MB", file=sys.stderr)
            path.unlink()


def main() -> None:
    """Measures, and writes the page."""
    assert reading.read(SAMPLE).steps
    with tempfile.TemporaryDirectory() as folder:
        lines = list(rows(Path(folder)))
    page = [
        "# Long logs",
        "",
        "What `rnn-doctor diagnose` costs as a log grows; made by `python benchmarks/long_logs.py`. Up to 16,384 steps",
        "all are kept; of longer logs blocks of consecutive steps",
        "([thinning.py](../rnn_doctor/schema/thinning.py)), so that the memory stays the same. Seconds of wall time",
        "are those of a machine that was busy with other work.",
        "",
        "| log | steps | size | CPU seconds | wall seconds | memory at most, MB |",
        "|---|---|---|---|---|---|",
        *lines,
    ]
    (ROOT / "benchmarks" / "long_logs.md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
