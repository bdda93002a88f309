"""A log of each format, made by the library that makes such logs: read, judged, and refused where it is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_doctor import observed, pipeline
from rnn_doctor.errors import RunLogError
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.settings import Settings
from tests.foreign.curves import BEST, EPOCHS, HEALTHY, OVERFITTING, STEPS
from tests.foreign.writers import WRITERS

Logs = Callable[[str, str], Path]
COUNTED_BY_EPOCH = ("keras_csv", "keras_json")
EVERY_FIFTH = ("lightning", "hugging_face")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The log of the overfitting or the healthy training in a format, written once."""
    made: dict[tuple[str, str], Path] = {}

    def make(name: str, health: str) -> Path:
        if (name, health) not in made:
            curves = OVERFITTING if health == "overfitting" else HEALTHY
            made[name, health] = WRITERS[name](tmp_path_factory.mktemp(name), curves)
        return made[name, health]

    return make


def only_run(path: Path) -> RunLog:
    """The log of the one training that lies there."""
    (run,) = pipeline.runs(path)
    return pipeline.read(run, Settings())


def examined(path: Path) -> Report:
    return pipeline.examine(only_run(path), Settings())


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_logged_is_read(logs: Logs, name: str) -> None:
    log = only_run(logs(name, "overfitting"))
    assert log.imported is not None
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val))
    if name in COUNTED_BY_EPOCH:
        assert (log.imported.axis, log.imported.epochs) == ("epoch", EPOCHS)
        assert [s.loss for s in log.steps] == pytest.approx(OVERFITTING.epoch_losses())
        assert [e.step for e in log.evaluations] == list(range(1, EPOCHS + 1))
        return
    every = 5 if name in EVERY_FIFTH else 1
    assert (log.imported.axis, log.imported.spacing) == ("update", every)
    assert [s.loss for s in log.steps] == pytest.approx(list(OVERFITTING.train[every - 1 :: every]))
    counted_from_0 = 1 if name == "lightning" else 0
    assert [e.step + counted_from_0 for e in log.evaluations] == [STEPS * k for k in range(1, EPOCHS + 1)]
    if name == "hugging_face":
        assert log.imported.epochs == EPOCHS
        assert [s.grad_norm for s in log.steps] == [1.0] * len(log.steps)
        assert log.steps[-1].lr == pytest.approx((5e-4,))


@pytest.mark.parametrize("name", WRITERS)
def test_overfitting_is_found_where_it_began(logs: Logs, name: str) -> None:
    report = examined(logs(name, "overfitting"))
    assert report.conditions.overfitting.verdict == "present"
    (finding,) = [f for f in report.findings if f.rule == "RD501"]
    assert f"evaluation {BEST} of {EPOCHS}" in finding.message
    if name in COUNTED_BY_EPOCH:
        assert f"after epoch {BEST}," in finding.message
    assert "early-stopping" in [remedy.id for remedy in report.remedies]


@pytest.mark.parametrize("name", WRITERS)
def test_a_healthy_training_has_no_finding_and_what_is_not_logged_no_verdict(logs: Logs, name: str) -> None:
    report = examined(logs(name, "healthy"))
    assert not report.findings
    assert report.conditions.overfitting.verdict == "absent"
    for condition in ("vanishing_gradients", "exploding_gradients", "slow_convergence"):
        assert getattr(report.conditions, condition).verdict == "not_assessed"
    assert "no gradients" in report.conditions.vanishing_gradients.reason


def test_gradient_norms_of_some_updates_do_not_show_that_there_was_no_spike(logs: Logs) -> None:
    report = examined(logs("hugging_face", "healthy"))
    assert "of one of 5 updates alone" in report.conditions.exploding_gradients.reason


def file_of(path: Path) -> Path:
    """The file to break: of a folder the one that is read."""
    if path.is_file():
        return path
    found = [p for p in path.rglob("*") if p.is_file() and not p.is_symlink()]
    kinds = ("tfevents", "metrics.csv", "trainer_state.json", ".wandb")
    return max((p for p in found if any(kind in p.name for kind in kinds)), key=lambda p: p.stat().st_size)


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_log_is_told(logs: Logs, name: str, tmp_path: Path) -> None:
    path = tmp_path / file_of(logs(name, "healthy")).name
    path.write_bytes(b"")
    with pytest.raises(RunLogError) as told:
        only_run(path)
    assert str(path) in told.value.message
    assert "empty" in told.value.message or "holds no numbers" in told.value.message
    assert told.value.exit_code == 2


@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_log_is_told(logs: Logs, name: str, tmp_path: Path) -> None:
    source = file_of(logs(name, "healthy"))
    path = tmp_path / source.name
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = b"\x07,\xff}{" * 8
    path.write_bytes(bytes(content))
    with pytest.raises(RunLogError) as told:
        only_run(path)
    assert str(path) in told.value.message
    assert told.value.hint
    assert told.value.exit_code == 2


@pytest.mark.parametrize("name", ["tensorboard", "lightning", "keras_csv", "json_lines", "wandb"])
def test_a_log_that_breaks_off_is_read_up_to_its_last_whole_row(
    logs: Logs, name: str, tmp_path: Path
) -> None:
    """Of a run that was killed or still runs; documents in JSON are written whole, or replaced."""
    source = file_of(logs(name, "overfitting"))
    path = tmp_path / source.name
    content = source.read_bytes()
    cut = int(len(content) * 0.6)
    path.write_bytes(content[:cut])
    log = only_run(path)
    if not log.truncated:  # the length of some rows hangs on the time of day: the cut was between two of them
        path.write_bytes(content[: cut - 1])
        log = only_run(path)
    assert log.truncated
    assert 0 < len(log.evaluations) < EPOCHS
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val[: len(log.evaluations)]))
    assert observed.observation(log).stopped == "the log breaks off within a row"


def test_scalars_of_tensorflow_and_keras_are_tensors(tmp_path: Path) -> None:
    """Keras's callback TensorBoard writes `epoch_loss` of training and validation into folders of their own."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for part, values in (("train", OVERFITTING.epoch_losses()), ("validation", list(OVERFITTING.val))):
        writer = EventFileWriter(str(tmp_path / part))
        for epoch, value in enumerate(values):
            writer.add_event(
                Event(wall_time=60.0 * epoch, step=epoch, summary=scalar_pb("epoch_loss", value))
            )
        writer.close()
    log = only_run(tmp_path)
    assert log.imported
    assert [(c.role, c.name) for c in log.imported.columns] == [
        ("train_loss", "train/epoch_loss"),
        ("val_loss", "validation/epoch_loss"),
    ]
    assert [s.loss for s in log.steps] == pytest.approx(OVERFITTING.epoch_losses())
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val))
    assert log.steps[-1].elapsed == 60.0 * (EPOCHS - 1)
