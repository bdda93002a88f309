import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, loader, log, loss_call, lstm, measure, readout, steps, value_of, weight

NAMES = ("training_samples", "epochs_observed", "parameters_per_target")


def test_samples_and_passes() -> None:
    run = log(loader(samples=100, batch_size=16, given=21))
    assert value_of("training_samples", run) == 100
    assert value_of("epochs_observed", run) == pytest.approx(21 * 16 / 100)


def test_each_of_several_processes_is_given_a_share() -> None:
    run = log(loader(samples=100, batch_size=10, given=5)).model_copy(update={"ranks": 2})
    assert value_of("epochs_observed", run) == 1


def test_data_are_repeated_from_the_second_pass_on() -> None:
    def repeated(given: int | None) -> object:
        return value_of("data_repeated", log(steps([1.0]), loader(samples=100, batch_size=10, given=given)))

    assert (repeated(10), repeated(9)) == (True, False)
    assert repeated(None) is True
    assert value_of("data_repeated", log(steps([1.0]))) is True
    assert measure("data_repeated", log()).absent == "no training step was seen"


def test_passes_that_are_broken_off_repeat_what_a_loader_gives_first() -> None:
    """As Lightning's overfit_batches and limit_train_batches, or a `break` in the loop."""

    def repeated(shuffled: bool | None, passes: int) -> object:
        data = loader(samples=100, batch_size=10, given=4, passes=passes, shuffled=shuffled)
        return value_of("data_repeated", log(steps([1.0]), data))

    assert (repeated(False, 2), repeated(False, 1)) == (True, False)
    assert (repeated(True, 2), repeated(None, 2)) == (False, False)


def model() -> RunLog:
    """4096 weights in an optimizer, and 4096 outside."""
    return log(adam(), lstm(), weight(), weight(1, optimizer=None), loader(samples=64, batch_size=16))


def with_targets(shape: tuple[int, ...], last_share: float) -> RunLog:
    call = loss_call(target_shape=shape)
    return model().model_copy(update={"losses": (call,), "readouts": (readout(last_share=last_share),)})


def test_one_target_a_sequence() -> None:
    assert value_of("parameters_per_target", with_targets((16,), 1.0)) == 4096 / 64


def test_a_target_a_time_step() -> None:
    assert value_of("parameters_per_target", with_targets((320,), 0.05)) == 4096 / (64 * 20)


def test_a_loss_that_is_called_once_a_time_step() -> None:
    assert value_of("parameters_per_target", with_targets((16,), 0.05)) == 4096 / (64 * 20)


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert "by hand" in (measure(name, log(loss_call(), weight())).absent or "")
    assert "several" in (measure(name, log(loader(0), loader(1))).absent or "")
    assert "does not know" in (measure(name, log(loader(samples=None))).absent or "")


def test_targets_or_batches_that_were_not_seen() -> None:
    assert "not seen" in (measure("parameters_per_target", model()).absent or "")
    assert "not known" in (measure("epochs_observed", log(loader(batch_size=None, given=3))).absent or "")
    evaluating = log(loader(0), loader(1, trains=False, samples=7))
    assert value_of("training_samples", evaluating) == 1000
