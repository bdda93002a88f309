from typing import Any

import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.wiring import Reach
from tests.derive.logs import LOSS, at, batch, log, loss_call, value_of


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
        loss_call("ctc_loss", head="log_softmax", maximum=0.0, log_simplex_share=1.0),
        loss_call("ctc_loss", maximum=0.009, log_simplex_share=0.0),  # of a distribution, sharpened
        loss_call("ctc_loss", maximum=3.0),  # an older log
        loss_call("kl_div", maximum=3.0, log_simplex_share=0.0),  # logarithms of densities
        loss_call("kl_div", maximum=3.0, log_simplex_share=0.0, target_minimum=0.0, target_maximum=7.0),
        loss_call("kl_div", maximum=-0.1, log_simplex_share=0.0, target_minimum=0.0, target_maximum=1.0),
        loss_call("poisson_nll_loss", log_input=True, reach=Reach(operation="clamp", low=-3.0)),
        loss_call("poisson_nll_loss", log_input=False, reach=Reach(operation="softplus", low=0.0)),
        loss_call("poisson_nll_loss", log_input=True),
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
        (loss_call("ctc_loss", maximum=0.2, log_simplex_share=0.0), False, "ctc_loss is given raw outputs"),
        (loss_call("ctc_loss", head="softmax", maximum=0.4), True, "ctc_loss is given probabilities"),
        (
            loss_call("ctc_loss", maximum=0.4, simplex_share=1.0, log_simplex_share=0.0),
            True,
            "ctc_loss is given probabilities",
        ),
        (
            loss_call("kl_div", maximum=2.0, log_simplex_share=0.0, target_minimum=0.0, target_maximum=1.0),
            True,
            "kl_div is given raw outputs",
        ),
        (
            loss_call("poisson_nll_loss", log_input=True, reach=Reach(operation="softplus", low=0.0)),
            False,
            "log_input=False",
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


def test_raw_outputs_that_ctc_loss_brings_to_norm() -> None:
    first = loss_call("ctc_loss", maximum=0.2, log_simplex_share=0.0)
    later = loss_call("ctc_loss", step=21, maximum=-0.2, log_simplex_share=0.4)
    name = LOSS.format("ctc_loss")
    assert value_of("loss_head_mismatch", log(first, later), name) is True
    assert value_of("loss_head_mismatch", log(later, first), name) is False
    normalized = later.model_copy(update={"head": "log_softmax"})
    assert value_of("loss_head_mismatch", log(first, normalized), name) is False


def reaching(operation: str = "clamp", **fields: float) -> Reach:
    return Reach(operation=operation, **fields)


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (
            reaching(low=0.0, beyond=0.06),
            "a clamp and cannot be below 0, but 6% of the targets or more lie there",
        ),
        (
            reaching(low=0.0, high=5.0, beyond=0.5),
            "cannot be below 0 or above 5, but 50% of the targets or more lie",
        ),
        (reaching("exponential", low=0.0, beyond=1.0), "passes an exponential"),
    ],
)
@pytest.mark.parametrize("function", ["mse_loss", "expression"])
def test_targets_that_a_clamp_keeps_out_of_reach(function: str, reach: Reach, words: str) -> None:
    found = values(loss_call(function, reach=reach))
    assert found["loss_head_mismatch"] is True
    assert found["loss_head_blocks"] is True
    assert words in str(found["loss_head_problem"])


@pytest.mark.parametrize("function", ["cross_entropy", "binary_cross_entropy_with_logits"])
def test_scores_that_can_hardly_differ(function: str) -> None:
    found = values(loss_call(function, head="tanh", reach=reaching("tanh", low=-1.0, high=1.0)))
    assert "within a range of 2" in str(found["loss_head_problem"])
    assert found["loss_head_blocks"] is False
    for bounds in ({"low": -10.0, "high": 10.0}, {"low": -1.01, "high": 1.0}, {"low": -1.0}):
        wide = values(loss_call(function, reach=reaching("tanh", **bounds)))
        assert wide["loss_head_mismatch"] is False
    sigmoid = values(loss_call(function, head="sigmoid", reach=reaching("sigmoid", low=0.0, high=1.0)))
    assert "within" not in str(sigmoid["loss_head_problem"])


@pytest.mark.parametrize("reach", [reaching(low=0.0, beyond=0.05), reaching(low=0.0), None])
def test_a_clamp_that_cuts_off_outliers_fits(reach: Reach | None) -> None:
    assert values(loss_call("mse_loss", reach=reach))["loss_head_mismatch"] is False


def test_an_output_that_is_cut_to_one_number() -> None:
    spans: tuple[dict[str, Any], ...] = ({"minimum": 0.0, "maximum": 0.0}, {"minimum": 0.0, "maximum": 0.1})
    flat, varied = spans
    for calls, expected in (((flat, flat, varied), True), ((flat, varied), False)):
        run = log([loss_call(step=step, **call) for step, call in enumerate(calls, 1)])
        assert value_of("loss_input_constant", run, LOSS.format("cross_entropy")) is expected
    assert values(loss_call())["loss_input_constant"] is None


def test_scores_that_cannot_be_negative() -> None:
    binary = "binary_cross_entropy_with_logits"
    assert values(loss_call(binary, reach=reaching(low=0.0)))["loss_head_blocks"] is True
    assert values(loss_call(binary, reach=reaching(low=-5.0, high=5.0)))["loss_head_mismatch"] is False
    assert values(loss_call(binary, reach=reaching(low=0.0), head="sigmoid"))["loss_head_mismatch"] is False
    assert values(loss_call(reach=reaching(low=0.0)))["loss_head_mismatch"] is False


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


def test_a_softmax_before_a_log_softmax() -> None:
    by_hand = values(loss_call("expression", head="log_softmax", beneath="softmax"))
    assert by_hand["softmax_before_cross_entropy"] is True
    assert by_hand["activation_repeated_name"] == "softmax"
    assert by_hand["loss_head_mismatch"] is False
    to_nll = values(loss_call("nll_loss", head="log_softmax", beneath="softmax", log_simplex_share=1.0))
    assert to_nll["activation_repeated"] is False
    assert to_nll["loss_head_blocks"] is True
    assert "no class can win" in str(to_nll["loss_head_problem"])
    for function in ("expression", "nll_loss"):
        once = values(loss_call(function, head="log_softmax", beneath="relu", log_simplex_share=1.0))
        assert once["activation_repeated"] is once["loss_head_mismatch"] is False


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


def test_the_target_of_one_sample() -> None:
    call = loss_call("mse_loss", rows_of_one=32, input_shape=(32, 20, 2), target_shape=(20, 2))
    for lengths, found in (((20,), True), ((20, 32), False), ((), False)):
        run = log(call, *(batch(time=time) for time in lengths))
        for name in ("target_of_one_sample", "target_broadcast"):
            assert value_of(name, run, LOSS.format("mse_loss")) is found, lengths
    plain = log(loss_call("mse_loss", input_shape=(32, 1), target_shape=(1,)), batch(time=20))
    assert value_of("target_of_one_sample", plain, LOSS.format("mse_loss")) is False


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
