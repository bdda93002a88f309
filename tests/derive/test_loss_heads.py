import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.runlog import LossCall
from tests.derive.logs import LOSS, at, log, loss_call, value_of


def values(call: LossCall) -> dict[str, bool | float | str | None]:
    """All signals that speak of one loss call."""
    found = signals(log(call)).signals
    return {
        name: measured.value
        for name, s in found.items()
        if s.by == "loss"
        for measured in s.measurements.values()
    }


@pytest.mark.parametrize(
    ("call", "claim", "name"),
    [
        (loss_call(head="softmax"), "softmax_before_cross_entropy", "softmax"),
        (loss_call(simplex_share=1.0), "softmax_before_cross_entropy", "softmax"),
        (loss_call(head="log_softmax"), "log_softmax_twice", "log_softmax"),
        (loss_call(log_simplex_share=1.0), "log_softmax_twice", "log_softmax"),
        (
            loss_call("binary_cross_entropy_with_logits", head="sigmoid"),
            "sigmoid_before_bce_logits",
            "sigmoid",
        ),
    ],
)
def test_activation_that_the_loss_repeats(call: LossCall, claim: str, name: str) -> None:
    found = values(call)
    assert found["activation_repeated"] is True
    assert str(found["activation_repeated_name"]).split()[0] == name
    claims = {"softmax_before_cross_entropy", "log_softmax_twice", "sigmoid_before_bce_logits"}
    assert {c for c in claims if found[c]} == {claim}


@pytest.mark.parametrize(
    "call",
    [
        loss_call(simplex_share=0.0, log_simplex_share=0.0),
        loss_call(simplex_share=0.9),
        loss_call("nll_loss", head="log_softmax", log_simplex_share=1.0),
        loss_call("binary_cross_entropy", head="sigmoid"),
        loss_call("mse_loss", head="sigmoid", target_minimum=0.0, target_maximum=1.0),
        loss_call("mse_loss", head="relu", target_minimum=0.0, target_maximum=9.0),
        loss_call("mse_loss", head="tanh", target_minimum=-1.0, target_maximum=1.0),
        loss_call("mse_loss", head="softmax", target_one_hot=False),
        loss_call("mse_loss", head="sigmoid"),
        loss_call("kl_div", head="log_softmax"),
        loss_call("nll_loss", head=None, log_simplex_share=0.98),
        loss_call("nll_loss"),
    ],
)
def test_outputs_that_fit(call: LossCall) -> None:
    found = values(call)
    assert found["activation_repeated"] is False
    assert found["activation_repeated_name"] == "none"
    assert found["loss_head_mismatch"] is False
    assert found["loss_head_blocks"] is False
    assert found["loss_head_problem"] == "none"


@pytest.mark.parametrize(
    ("call", "blocks", "words"),
    [
        (loss_call("nll_loss", log_simplex_share=0.0, minimum=-3.0), True, "raw outputs"),
        (
            loss_call("nll_loss", head="softmax", log_simplex_share=0.0, simplex_share=1.0),
            True,
            "probabilities",
        ),
        (loss_call(head="sigmoid"), True, "sigmoid"),
        (loss_call(head="relu"), False, "ReLU"),
        (loss_call("kl_div", head="softmax"), True, "kl_div"),
        (loss_call("mse_loss", head="softmax", target_one_hot=True), False, "softmax"),
        (loss_call("mse_loss", head="relu", target_minimum=-2.0, target_maximum=2.0), True, "negative"),
        (loss_call("l1_loss", head="sigmoid", target_minimum=0.0, target_maximum=7.0), True, "outside"),
        (loss_call("huber_loss", head="tanh", target_minimum=-7.0, target_maximum=0.0), True, "outside"),
    ],
)
def test_outputs_that_do_not_fit(call: LossCall, blocks: bool, words: str) -> None:
    found = values(call)
    assert found["loss_head_mismatch"] is True
    assert found["loss_head_blocks"] is blocks
    assert words in str(found["loss_head_problem"])


@pytest.mark.parametrize("maximum", [-0.2, 0.0, 0.00995])
def test_weighted_log_probabilities_are_no_raw_outputs(maximum: float) -> None:
    """As of a focal loss, (1 - p) ** gamma * log p, or of log(p + eps) over many words."""
    assert (
        values(loss_call("nll_loss", log_simplex_share=0.0, minimum=-7.0, maximum=maximum))[
            "loss_head_mismatch"
        ]
        is False
    )
    raw = values(loss_call("nll_loss", log_simplex_share=0.0, minimum=-7.0, maximum=0.3))
    assert raw["loss_head_mismatch"] is True


def test_scale_of_the_targets_does_not_matter_to_a_relu() -> None:
    for scale in (1e-3, 1.0, 1e3):
        call = loss_call("mse_loss", head="relu", target_minimum=-scale, target_maximum=scale)
        assert values(call)["loss_head_mismatch"] is True


def test_every_sampled_call_must_agree() -> None:
    once = log(loss_call(head="softmax"), loss_call(step=2, head=None, simplex_share=0.0))
    assert value_of("softmax_before_cross_entropy", once, LOSS.format("cross_entropy")) is False
    assert value_of("loss_head_mismatch", once, LOSS.format("cross_entropy")) is False


def test_broadcast_target() -> None:
    wide = log(loss_call("mse_loss", broadcast=True, input_shape=(32, 1), target_shape=(32,)))
    assert value_of("target_broadcast", wide, LOSS.format("mse_loss")) is True
    assert value_of("loss_shapes", wide, LOSS.format("mse_loss")) == "(32, 1) against (32,)"
    single = log(loss_call("mse_loss", broadcast=True, input_shape=(1, 1), target_shape=(1,)))
    assert value_of("target_broadcast", single, LOSS.format("mse_loss")) is False
    larger = log(loss_call("mse_loss", broadcast=True, input_shape=(64, 1), target_shape=(64,)))
    assert value_of("target_broadcast", larger, LOSS.format("mse_loss")) is True
    by_hand = log(loss_call("expression", broadcast=True, input_shape=(8, 1), target_shape=None))
    assert value_of("loss_shapes", by_hand, LOSS.format("expression")) == "(8, 1) against another shape"


def test_sites_are_told_apart() -> None:
    run = log(loss_call(head="softmax"), loss_call(site=1, location=at(31)), loss_call(site=2, location=None))
    found = signals(run).signals["softmax_before_cross_entropy"].measurements
    assert {name: m.value for name, m in found.items()} == {
        "cross_entropy at train.py:30": True,
        "cross_entropy at train.py:31": False,
        "cross_entropy": False,
    }


def test_without_loss_calls_there_is_nothing_to_measure() -> None:
    for name, signal in signals(log()).signals.items():
        assert signal.by != "loss" or signal.measurements == {}, name
