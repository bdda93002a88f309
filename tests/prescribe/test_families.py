"""Every family of remedies is recommended somewhere and warned of somewhere, by the rules as they are shipped."""

from dataclasses import dataclass

import pytest

from tests.prescribe.situations import BOOK, Advice, Values, advice, advice_on

VANISHING: Values = {
    "lag_gain": -12.0,
    "lag_given": True,
    "is_gated": True,
    "is_lstm": True,
    "uses_relu": False,
}
RELU = VANISHING | {"is_gated": False, "is_lstm": False, "uses_relu": True}
TOO_SMALL: Values = {
    "displacement_per_step": 1e-6,
    "path_per_step": 1e-6,
    "loss_fall": 0.01,
    "loss_fall_informed": 0.01,
    "loss_fall_by_matrices": 0.01,
    "loss_fall_bound": 1e-3,
    "loss_uninformed_ratio": 0.99,
}
UNSCALED: Values = {"input_absmax": 950.0, "input_unscaled": True, "input_drive": 0.96, "loss_fall": 0.02}
STARVED: Values = {
    "lr_remaining_min": 1e-15,
    "lr_starved_share": 0.86,
    "lr_decays_away": True,
    "loss_halved": False,
    "loss_fall": 0.08,
}
DEEP: Values = {
    "stacked_layers": 12,
    "depth_gain_start": -7.3,
    "depth_gain": -8.3,
    "depth_loses_gradient": True,
    "loss_fall_with_lowest": 0.01,
    "stack_learns": False,
}
CUT: Values = {"lag_cut_off": 16, "backpropagation_length": 35}
CONSTANT: Values = {"input_constant": True}
SATURATED: Values = {"gate_saturation_start": 0.7}
MEMORIZED: Values = {
    "validation_rise_z": 5.2,
    "validation_rise_is_sure": True,
    "validation_lasting_rise": 0.11,
    "validation_stays_up": True,
    "leaves_training_behind": True,
    "overfitting_basis": "examples",
    "drops_units": False,
    "vocabulary": 5000,
}
TOO_LARGE: Values = {
    "steps_astray": True,
    "displacement_excess": 9.0,
    "loss_end_ratio": 1.2,
    "large_steps_pay": False,
}


@dataclass(frozen=True)
class Family:
    """One family: where one of its remedies leads or follows, and where the report warns of it."""

    remedies: tuple[str, ...]
    recommended: Values | str
    warned: Values | str
    word: str
    """Of the reason why it is warned of."""


FAMILIES = {
    "gradient clipping": Family(
        ("clip-gradient-norm",), "charlm_exploding", "brackets_vanishing", "does not cure vanishing"
    ),
    "skip connections": Family(("skip-connections",), DEEP, "brackets_vanishing", "across depth"),
    "Xavier initialization": Family(("xavier-initialization",), SATURATED, UNSCALED, "unit variance"),
    "He initialization": Family(("he-initialization",), RELU, VANISHING, "made for ReLU"),
    "L2 regularization": Family(("l2-regularization",), "charlm_overfitting", "brackets_vanishing", "forget"),
    "learning-rate schedules": Family(
        ("learning-rate-schedule",), STARVED, "charlm_tiny_step", "too small already"
    ),
    "dropout": Family(("dropout", "variational-dropout"), MEMORIZED, "charlm_tiny_step", "does not fit"),
    "batch normalization": Family(
        ("batch-normalization",), UNSCALED, "brackets_vanishing", "within the recurrence"
    ),
    "early stopping": Family(
        ("early-stopping",), "charlm_overfitting", "charlm_tiny_step", "before anything is learned"
    ),
    "data augmentation": Family(("data-augmentation",), "charlm_overfitting", CONSTANT, "no information"),
    "adaptive optimizers": Family(("adam-optimizer",), "charlm_tiny_step", TOO_LARGE, "stays so"),
    "curriculum learning": Family(("curriculum-learning",), VANISHING, CUT, "chunk"),
    "pre-trained embeddings": Family(
        ("pretrained-embeddings",), MEMORIZED, "brackets_vanishing", "how long it is remembered"
    ),
}
LAGS = {"brackets_vanishing": 50}
"""What `diagnose` is told of a recorded run."""


def given(situation: Values | str) -> Advice:
    if isinstance(situation, str):
        return advice_on(f"{situation}.jsonl", LAGS.get(situation))
    return advice(**situation)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
class TestFamily:
    def test_is_recommended(self, family: Family) -> None:
        assert set(family.remedies) <= set(given(family.recommended).recommended)

    def test_is_warned_of(self, family: Family) -> None:
        warned = given(family.warned)
        assert family.remedies[0] in warned.warned_of
        assert family.remedies[0] not in warned.recommended
        assert family.word in warned.because(family.remedies[0])


def test_a_warning_is_of_a_remedy_that_its_rule_does_not_recommend_at_the_same_time() -> None:
    for rule in BOOK.rules.values():
        always = {t.use for t in rule.remedy if not t.when}
        assert not always & {c.use for c in rule.contraindication}, rule.id
        repairs = {c.use for c in rule.contraindication if BOOK.remedies[c.use].kind == "repair"}
        assert not repairs, "a repair undoes a fault: where the fault was not found nobody is told to try it"


def test_reasons_read_after_a_colon() -> None:
    reasons = [c.because for rule in BOOK.rules.values() for c in rule.contraindication]
    assert reasons
    assert all(reason[0].islower() and not reason.endswith(".") for reason in reasons)


def test_what_is_recommended_and_warned_of_says_so_first() -> None:
    both = advice(
        **VANISHING, grad_norm_spike_count=4, grad_norm_spike_max=60.0, grad_norm_spike_applied=60.0
    )
    (clip,) = (remedy for remedy in both.remedies if remedy.id == "clip-gradient-norm")
    assert clip.addresses == ("RD103",)
    assert clip.cautions[0].startswith("RD101 warns of it: multiplies the whole gradient by one number")
    assert clip.id not in {each.id for each in both.contraindications}


class TestWhatARunHasNot:
    def test_gate_biases_are_for_gated_cells(self) -> None:
        gated, plain = advice(**VANISHING), advice(**VANISHING | {"is_gated": False, "is_lstm": False})
        assert gated.recommended[0] == "forget-gate-bias"
        assert "gated-cell" not in gated.recommended
        assert "forget-gate-bias" not in plain.recommended
        assert plain.recommended[:2] == ["orthogonal-initialization", "gated-cell"]

    def test_no_best_evaluation_to_keep_where_nothing_was_learned(self) -> None:
        ignorant = advice(**MEMORIZED, validation_uninformed=True)
        assert "early-stopping" not in ignorant.recommended
        assert ignorant.recommended[0] == "dropout"
        assert advice(**MEMORIZED, validation_uninformed=False).recommended[0] == "early-stopping"
        assert advice(**MEMORIZED).recommended[0] == "early-stopping"

    def test_a_gru_has_no_input_gate_to_close(self) -> None:
        rank = advice(**VANISHING | {"is_lstm": False}, keep_bias_min=0.0)
        assert "chrono-initialization" not in rank.recommended
        assert "forget-gate-bias" in rank.recommended

    def test_a_relu_recurrence_starts_as_the_identity(self) -> None:
        relu = advice(**RELU)
        assert relu.recommended[0] == "he-initialization"
        assert "orthogonal-initialization" not in relu.recommended
        assert "he-initialization" not in relu.warned_of

    def test_no_clipping_to_relax_where_nothing_clips(self) -> None:
        assert "raise-clip-threshold" not in advice(**TOO_SMALL, clip_share=0.0).recommended
        assert "raise-clip-threshold" not in advice(**TOO_SMALL).recommended
        assert "raise-clip-threshold" in advice(**TOO_SMALL, clip_share=1.0).recommended

    def test_no_weight_decay_to_remove_where_there_is_none(self) -> None:
        dead: Values = {"dead_unit_share": 0.8}
        assert "remove-weight-decay" not in advice(**dead, weight_decay_max=0.0).recommended
        assert "remove-weight-decay" in advice(**dead, weight_decay_max=0.5).recommended

    def test_dead_units_of_an_lstm_are_not_told_of_relu(self) -> None:
        lstm = advice(dead_unit_share=0.8, uses_relu=False, is_gated=True)
        texts = [remedy.because + remedy.title for remedy in lstm.remedies]
        assert texts
        assert not any("ReLU" in text for text in texts)


class TestStepsOfOne:
    SHORT: Values = {
        "sequence_length_max": 1,
        "recurrent_weights_unused": True,
        "begins_chain": False,
        "unchanged_tensors": 2,
    }

    def test_a_cell_is_told_to_pass_its_state_on(self) -> None:
        cell = advice(**self.SHORT, is_cell=True)
        assert cell.recommended == ["pass-state-on"]
        assert "axis" not in cell.findings[0].message
        assert "give each call the state" in cell.findings[0].message

    def test_a_layer_is_told_to_look_at_its_axes(self) -> None:
        layer = advice(**self.SHORT, is_cell=False)
        assert layer.recommended == ["fix-batch-dimension", "pass-state-on"]
        assert "axis" in layer.findings[0].message

    def test_what_lies_behind_unchanged_weights_is_not_guessed_where_it_is_known(self) -> None:
        for cause in (self.SHORT, {"reverse_reads_one_step": True, "unchanged_tensors": 2}):
            explained = advice(**cause)
            assert [f.rule for f in explained.findings][1:] == ["RD308"]
            assert not [r for r in explained.remedies if "RD308" in r.addresses and r.basis != "certain"]
        alone = advice(unchanged_tensors=2, unchanged_cause="unread")
        assert alone.recommended[0] == "read-both-directions"


@pytest.mark.parametrize(
    ("remedy", "signal", "unused", "used"),
    [
        ("dropout", "drops_units", False, True),
        ("label-smoothing", "smooths_labels", False, True),
        ("l2-regularization", "weight_decay_max", 0.0, 0.01),
    ],
)
def test_what_is_in_use_already_is_not_recommended(
    remedy: str, signal: str, unused: float, used: float
) -> None:
    situation = {**MEMORIZED, "is_classification": True}
    assert remedy in advice(**(situation | {signal: unused})).recommended
    assert remedy not in advice(**(situation | {signal: used})).recommended


class TestWeightsThatNothingReaches:
    @pytest.mark.parametrize(
        ("cause", "claim", "remedy"),
        [
            ("no_grad", {"runs_without_gradients": True}, "train-with-gradients"),
            ("cut_off", {"output_cut_off": True}, "keep-output-attached"),
            ("unreached", {"nothing_moves": "unreached"}, "loss-from-outputs"),
            ("cleared", {"nothing_moves": "cleared"}, "clear-gradients"),
            ("never_steps", {"optimizer_never_steps": True}, "step-the-optimizer"),
        ],
    )
    def test_the_remedy_is_that_of_the_cause_and_small_steps_are_its_consequence(
        self, cause: str, claim: dict[str, bool | str], remedy: str
    ) -> None:
        given = advice(**TOO_SMALL, unchanged_tensors=2, unchanged_cause=cause, **claim)
        assert [finding.rule for finding in given.findings] == ["RD308", "RD302"]
        assert given.findings[1].explained_by == ("RD308",)
        assert given.recommended[0] == remedy
        assert given.remedies[0].basis == "certain"

    def test_weights_below_their_last_digit_do_not_explain_small_steps(self) -> None:
        given = advice(**TOO_SMALL, unchanged_tensors=2, unchanged_cause="other", unchanged_by_digits=True)
        assert not next(f for f in given.findings if f.rule == "RD302").explained_by


class TestWhatIsNotFinite:
    @pytest.mark.parametrize(
        ("kind", "first"),
        [("operation", "stay-in-domain"), ("data", "clean-the-data"), ("training", "lower-learning-rate")],
    )
    def test_the_rate_is_blamed_only_where_updates_had_a_part(self, kind: str, first: str) -> None:
        given = advice(non_finite_found=True, non_finite_kind=kind)
        assert given.recommended[0] == first
        assert ("lower-learning-rate" in given.recommended) is (kind == "training")


def test_a_sigmoid_that_is_applied_twice_is_not_told_of_as_a_softmax() -> None:
    sigmoid = advice(activation_repeated=True, sigmoid_before_bce_logits=True)
    assert sigmoid.recommended == ["pass-raw-scores"]
    softmax = advice(activation_repeated=True, softmax_before_cross_entropy=True)
    assert softmax.recommended == ["pass-raw-logits"]
