"""What a remedy of overfitting would act on, and what is in use already."""

import pytest

from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.wiring import Mode
from tests.derive.logs import log, lstm, measure, steps, value_of, weight


def _loss(function: str, smoothing: float | None = None) -> LossCall:
    return LossCall(
        record="loss", step=1, site=0, function=function, input_shape=(4, 3), label_smoothing=smoothing
    )


@pytest.mark.parametrize(
    ("function", "classes"), [("cross_entropy", True), ("nll_loss", True), ("mse_loss", False)]
)
def test_what_compares_scores_with_classes(function: str, classes: bool) -> None:
    assert value_of("is_classification", log(_loss(function))) is classes


def test_label_smoothing_in_use() -> None:
    assert value_of("smooths_labels", log(_loss("cross_entropy"))) is False
    assert value_of("smooths_labels", log(_loss("cross_entropy", 0.1))) is True


def test_the_vocabulary_is_that_of_the_largest_table_that_is_trained() -> None:
    words = weight(1, "embed.weight", shape=(9000, 50), owner="Embedding")
    frozen = weight(2, "other.weight", shape=(40000, 50), owner="Embedding", trainable=False)
    assert value_of("vocabulary", log(weight(), words, frozen)) == 9000
    assert value_of("vocabulary", log(weight())) == 0


def test_dropout_in_use() -> None:
    mode = Mode(record="mode", step=1, names=("drop",), kinds=("dropout",), training=(True,))
    assert value_of("drops_units", log(lstm(), steps([1.0]))) is False
    assert value_of("drops_units", log(lstm(), steps([1.0]), mode)) is True
    assert (
        value_of("drops_units", log(lstm(dropout=0.2), steps([1.0]))) is False
    )  # one layer: it does nothing
    assert value_of("drops_units", log(lstm(dropout=0.2, num_layers=2), steps([1.0]))) is True


def test_absent() -> None:
    for name in ("is_classification", "smooths_labels", "vocabulary", "drops_units"):
        assert measure(name, log()).absent
