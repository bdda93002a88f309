"""What trainings print: read as it was printed, judged, and refused where no line of it tells a loss."""

import gzip
import io
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.errors import RunLogError
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.settings import Settings
from tests.cli.conftest import Run, run  # noqa: F401
from tests.foreign.curves import BEST, EPOCHS, HEALTHY, OVERFITTING
from tests.foreign.printers import BY_EPOCH, BY_STEP, Printer, keras, keys, printed

ALL = (*BY_EPOCH, *BY_STEP)


def named(printer: Printer) -> str:
    return printer.__name__


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., RunLog]:
    def read(text: str | bytes, *said: str) -> RunLog:
        path = tmp_path / "train.log"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        (found,) = pipeline.runs(path)
        return pipeline.read(found, Settings(map=said))

    return read


Read = Callable[..., RunLog]


@pytest.mark.parametrize("printer", ALL, ids=named)
def test_what_was_printed_is_read(read: Read, printer: Printer) -> None:
    log = read(printed(printer, OVERFITTING))
    assert log.imported is not None
    losses = OVERFITTING.epoch_losses() if printer in BY_EPOCH else list(OVERFITTING.train)
    held_out = [e.loss for e in log.evaluations]
    assert held_out[-EPOCHS:] == pytest.approx(list(OVERFITTING.val), abs=1e-3)
    assert len(held_out) == EPOCHS + (named(printer) == "rates")
    trained = [step.loss for step in log.steps if step.loss is not None]
    assert trained == pytest.approx(losses, abs=1e-3)
    if printer in BY_EPOCH:
        assert (log.imported.axis, log.imported.epochs) == ("epoch", EPOCHS)


@pytest.mark.parametrize("printer", ALL, ids=named)
def test_overfitting_is_found_where_it_began(read: Read, printer: Printer) -> None:
    report = pipeline.examine(read(printed(printer, OVERFITTING)), Settings())
    assert report.conditions.overfitting.verdict == "present"
    (finding,) = [f for f in report.findings if f.rule == "RD501"]
    assert f"evaluation {BEST} of {EPOCHS}" in finding.message, "one before the training is none of them"


@pytest.mark.parametrize("printer", ALL, ids=named)
def test_a_healthy_training_has_no_finding(read: Read, printer: Printer) -> None:
    report = pipeline.examine(read(printed(printer, HEALTHY)), Settings())
    assert not report.findings
    assert report.conditions.overfitting.verdict == "absent"


def test_keras_prints_a_line_an_epoch_where_it_draws_no_bar(read: Read) -> None:
    log = read(printed(lambda curves: keras(curves, verbose=2), OVERFITTING))
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val), abs=1e-3)


def test_a_bar_that_is_drawn_once_more_on_a_line_of_its_own_says_nothing_anew(read: Read) -> None:
    last = "Epoch 1: 100%|##| 9/9 [00:01<00:00, 9.00it/s, loss=0.4, val_loss=0.6]"
    states = [f"Epoch 1:  50%|# | 5/9 [00:01<00:01, 5.00it/s, loss={loss}]" for loss in (0.7, 0.6, 0.5, 0.5)]
    log = read("\r" + "\r".join([*states, last]) + f"\nmax_epochs=1 reached.\n{last}\n")
    assert [s.loss for s in log.steps if s.loss is not None] == [0.7, 0.6, 0.5, 0.4]
    assert [e.loss for e in log.evaluations] == [0.6]


KEYS = printed(keys, OVERFITTING)


@pytest.mark.parametrize(
    "content",
    [
        KEYS.encode("utf-16"),
        KEYS.replace("\n", "\r\n").encode("utf-16-le").join([b"\xff\xfe", b""]),
        KEYS.replace("Epoch", "Époque, epoch").encode("latin-1"),
        KEYS.replace("Epoch", "Époque, epoch").encode("utf-8-sig"),
        gzip.compress(KEYS.encode()),
        KEYS.replace("Epoch", "\x1b[1;32mEpoch\x1b[0m").encode(),
    ],
    ids=["utf-16", "windows", "latin-1", "utf-8", "gzip", "colours"],
)
def test_however_its_characters_are_written(read: Read, content: bytes) -> None:
    log = read(content)
    assert log.imported is not None
    assert (log.imported.axis, len(log.evaluations)) == ("epoch", EPOCHS)
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val), abs=1e-3)
    assert not log.truncated


def test_cut_at_any_byte_it_is_read_up_to_there_or_told(read: Read) -> None:
    content = printed(BY_STEP[7], OVERFITTING).encode()
    seen = set()
    for end in range(0, len(content), 997):
        try:
            log = read(content[:end])
        except RunLogError as error:
            seen.add(error.exit_code)
            continue
        seen.add(-1)
        found = [e.loss for e in log.evaluations]
        assert found == pytest.approx(list(OVERFITTING.val[: len(found)]), abs=1e-3)
    assert seen == {2, -1}
    packed = gzip.compress(KEYS.encode())
    log = read(packed[: len(packed) // 2])
    assert log.truncated
    assert 0 < len(log.evaluations) < EPOCHS


def test_of_a_last_line_without_an_end_what_is_whole_is_read(read: Read) -> None:
    for text, expected in (("", 0.5), ("epoch 3 loss 0.4 acc 0.9", 0.4), ("epoch 3 loss 0.4", 0.5)):
        log = read("epoch 1 loss 0.7\nepoch 2 loss 0.5\n" + text)
        assert log.steps[-1].loss == expected
        assert log.truncated == bool(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dear reader,\nthis is no log.\n", "no two of its lines tell a loss"),
        ("seed: 3\nworkers: 4\n", "no two of its lines tell a loss"),
        ("Epoch 1\nEpoch 2\n", "no two of its lines tell a loss"),
        ("step 1 objective 3.0\nstep 2 objective 2.0\n", "no column of the text log is known as a loss"),
    ],
)
def test_a_text_without_a_loss_is_told(read: Read, text: str, said: str) -> None:
    with pytest.raises(RunLogError) as told:
        read(text)
    assert said in told.value.message
    assert told.value.exit_code == 2
    assert told.value.hint


def test_the_user_names_the_loss_that_has_an_unusual_name(read: Read) -> None:
    lines = [f"objective: {3 - k / 10:.1f}\n" for k in range(5)]
    log = read("workers: 4\nseed: 1\n" + "".join(lines), "train_loss=objective")
    assert [s.loss for s in log.steps if s.loss is not None] == pytest.approx([3.0, 2.9, 2.8, 2.7, 2.6])
    log = read("".join(f"iter {k} surrogate 0.{k} held out 1.{k}\n" for k in range(5)), "val_loss=held out",
               "train_loss=surrogate")  # fmt: skip
    assert [e.loss for e in log.evaluations] == [1.0, 1.1, 1.2, 1.3, 1.4]


def test_a_loss_that_is_not_finite_is_kept(read: Read) -> None:
    log = read("epoch 1 loss 0.5\nepoch 2 loss nan\nepoch 3 loss -inf\n")
    assert str([s.loss for s in log.steps]) == "[0.5, nan, -inf]"


def test_a_file_that_every_run_appends_to_holds_the_last_one(read: Read) -> None:
    log = read(KEYS + printed(keys, HEALTHY))
    assert [e.loss for e in log.evaluations] == pytest.approx(list(HEALTHY.val), abs=1e-3)
    assert log.imported is not None
    assert "2 trainings one after another" in log.imported.doubts[0]


def test_settings_in_json_may_come_before(read: Read) -> None:
    assert len(read('{"lr": 0.1, "epochs": 3}\n' + KEYS).evaluations) == EPOCHS


def test_memory_holds_no_line_of_any_length(read: Read) -> None:
    log = read("x" * 200_000 + "\n" + KEYS)
    assert len(log.evaluations) == EPOCHS


def test_perplexities_are_read_as_their_logarithms_and_that_is_said(read: Read) -> None:
    rows = enumerate(zip(OVERFITTING.epoch_losses(), OVERFITTING.val, strict=True))
    log = read(
        "".join(f"epoch {k} ppl {math.exp(a):.6f} valid ppl {math.exp(b):.6f}\n" for k, (a, b) in rows)
    )
    assert [s.loss for s in log.steps] == pytest.approx(OVERFITTING.epoch_losses(), abs=1e-5)
    assert [e.loss for e in log.evaluations] == pytest.approx(list(OVERFITTING.val), abs=1e-5)
    assert log.imported is not None
    assert log.imported.doubts == (
        "the training loss is the logarithm of 'ppl'",
        "the validation loss is the logarithm of 'valid ppl'",
    )


def test_a_perplexity_that_overflowed_hides_no_overfitting(read: Read) -> None:
    rows = zip(range(EPOCHS), OVERFITTING.epoch_losses(), OVERFITTING.val, strict=True)
    text = "".join(
        f"epoch {k} ppl {math.exp(a):.6f} valid ppl {'inf' if k in (0, 1, 22) else math.exp(b)}\n"
        for k, a, b in rows
    )
    report = pipeline.examine(read(text), Settings())
    assert report.conditions.overfitting.verdict == "present"


def test_bits_are_read_as_nats_and_a_loss_comes_before_both(read: Read) -> None:
    log = read("step 1 bpc 2.0 val_bpc 1.0\nstep 2 bpc 1.0 val_bpc 1.0\n")
    assert [s.loss for s in log.steps if s.loss] == pytest.approx([2 * math.log(2), math.log(2)])
    log = read("step 1 bpc 2.0 loss 0.3 ppl 0\nstep 2 bpc 1.0 loss 0.2 ppl 0\n")
    assert [s.loss for s in log.steps] == [0.3, 0.2]
    assert log.imported is not None
    assert not log.imported.doubts


def test_of_accuracies_alone_nothing_is_judged_and_that_is_said(read: Read) -> None:
    log = read("".join(f"epoch {k} acc 0.{k} val_acc 0.{k}\n" for k in range(1, 9)))
    report = pipeline.examine(log, Settings())
    assert not report.findings
    verdicts = [getattr(report.conditions, each).verdict for each in type(report.conditions).model_fields]
    assert verdicts == ["not_assessed"] * 4
    assert "no validation loss" in report.conditions.overfitting.reason
    assert log.imported is not None
    assert "it tells no loss, but 'acc', 'val_acc'" in log.imported.doubts[0]


def test_standard_input_is_read_as_a_file(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(KEYS.encode())))
    result = run("diagnose", "-", "--fail-on", "never")
    assert result.code == 0
    assert "<stdin>: text log counted by epoch; train_loss = loss, val_loss = val_loss" in result.out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    empty = run("diagnose", "-")
    assert (empty.code, "<stdin>: the file is empty" in empty.err) == (2, True)


def test_in_a_folder_what_was_printed_counts_where_there_is_no_other_log(tmp_path: Path) -> None:
    for name in ("a/slurm-1.out", "b/train.log", "b/requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("torch>=2\n" if "req" in name else KEYS)
    assert [Path(str(each.name)).name for each in pipeline.runs(tmp_path)] == ["slurm-1.out", "train.log"]
    (tmp_path / "a" / "metrics.csv").write_text("epoch,loss\n1,0.5\n2,0.4\n")
    assert [Path(str(each.name)).name for each in pipeline.runs(tmp_path)] == ["metrics.csv"]
