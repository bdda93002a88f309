"""One root leads: what it brings about stands under it, is graded no higher, and is not treated by guesses."""

import pytest

from tests.prescribe.situations import Advice, Values, advice, advice_on
from tests.sample_logs import SAMPLES, Sample

SEVERITY = ("note", "warning", "error")
UNSCALED: Values = {"input_absmax": 950.0, "input_unscaled": True, "input_drive": 0.96, "loss_fall": 0.02}
SATURATED: Values = {"gate_saturation_start": 0.9}
VANISHING: Values = {"lag_gain": -12.0, "lag_given": True}
DEAD: Values = {"dead_unit_share": 0.8, "dead_unit_share_lowest": 0.8}
TOO_LARGE: Values = {
    "steps_astray": True,
    "displacement_excess": 9.0,
    "loss_end_ratio": 1.2,
    "large_steps_pay": False,
}
SPIKES: Values = {"grad_norm_spike_count": 4, "grad_norm_spike_max": 60.0, "grad_norm_spike_applied": 60.0}
NON_FINITE: Values = {"non_finite_found": True}
GROWING: Values = {"lag_slope_start": 0.2, "lag_gain_longest": 9.0}
STUCK: Values = {
    "gate_stuck_share": 0.95,
    "gate_stuck_slope": 0.001,
    "loss_fall": 0.01,
    "loss_uninformed_ratio": 0.99,
}
TINY: Values = {
    "displacement_per_step": 1e-6,
    "path_per_step": 1e-6,
    "loss_fall_bound": 1e-3,
    "loss_fall": 0.01,
    "loss_fall_informed": 0.01,
    "loss_fall_by_matrices": 0.01,
    "loss_uninformed_ratio": 0.99,
}

CHAINS = {
    "unscaled input, saturation, vanishing": ("RD403", UNSCALED | SATURATED | VANISHING, {"RD201", "RD101"}),
    "saturation at the start, vanishing, dead units": (
        "RD201",
        SATURATED | VANISHING | DEAD,
        {"RD101", "RD202"},
    ),
    "gates shut so far that nothing reaches their weights": (
        "RD201",
        SATURATED | {"unchanged_tensors": 2},
        {"RD308"},
    ),
    "dead units, nothing passes through them": (
        "RD202",
        DEAD | VANISHING | {"unchanged_tensors": 2},
        {"RD101", "RD308"},
    ),
    "steps too large, spikes, overflow": ("RD301", TOO_LARGE | SPIKES | NON_FINITE, {"RD103", "RD104"}),
    "steps too large, stuck gates, vanishing, dead units": (
        "RD301",
        TOO_LARGE | STUCK | VANISHING | DEAD,
        {"RD203", "RD101", "RD202"},
    ),
    "recurrent weights too large, chaos, explosion": (
        "RD602",
        {"recurrent_start_poor": True, "recurrent_start": "recurrent weights too large"}
        | GROWING
        | TOO_LARGE
        | SPIKES
        | NON_FINITE,
        {"RD102", "RD301", "RD103", "RD104"},
    ),
    "forget gate shut, vanishing": (
        "RD602",
        {"recurrent_start_poor": True, "recurrent_start": "forget gate shut"} | VANISHING,
        {"RD101"},
    ),
    "gain above one, explosion": ("RD102", GROWING | SPIKES | NON_FINITE, {"RD103", "RD104"}),
    "gain above one, averages of squared gradients so large that no update is left": (
        "RD102",
        GROWING | TINY,
        {"RD302"},
    ),
    "constant inputs, all of which look like padding": (
        "RD404",
        {
            "input_constant": True,
            "padding_misread_share": 0.9,
            "padded_rows_share": 0.9,
            "padding_reaches_state": True,
            "padding_spares_state": False,
        },
        {"RD406"},
    ),
    "not in the optimizer, gradients left behind": (
        "RD307",
        {"unoptimized_tensors": 2, "unoptimized_untrained": True, "stale_gradients": 0.98},
        {"RD306"},
    ),
    "zero weights, dead units, nothing moves": (
        "RD601",
        {"unit_asymmetry_min": 0.0, "unchanged_tensors": 2} | DEAD | TOO_LARGE,
        {"RD202", "RD301", "RD308"},
    ),
    "all zero, the embedding too: constant inputs, weights that are small": (
        "RD601",
        {"unit_asymmetry_min": 0.0, "input_constant": True, "recurrent_start_poor": True}
        | DEAD
        | {"unchanged_tensors": 2},
        {"RD404", "RD602", "RD202", "RD308"},
    ),
    "a dense layer cut to zero, nothing moves": (
        "RD204",
        {"silent_unit_share": 1.0, "unchanged_tensors": 2},
        {"RD308"},
    ),
    "a dense layer before the recurrence cut to zero": (
        "RD204",
        {"silent_unit_share": 1.0, "input_constant": True, "unchanged_tensors": 2} | DEAD,
        {"RD202", "RD308", "RD404"},
    ),
    "weights of one sign add up, saturation": (
        "RD601",
        {"unit_asymmetry_min": 0.0} | SATURATED,
        {"RD201"},
    ),
    "units that move as one, spikes, chaos": (
        "RD601",
        {"unit_asymmetry_min": 0.0} | GROWING | SPIKES,
        {"RD102", "RD103"},
    ),
    "the reverse direction read at its first step, its weights still": (
        "RD412",
        {"reverse_reads_one_step": True, "unchanged_tensors": 1, "reverse_alone_unchanged": True},
        {"RD308"},
    ),
    "an output that a clamp cuts to one number, nothing moves": (
        "RD416",
        {
            "loss_head_mismatch": True,
            "loss_head_blocks": True,
            "loss_input_constant": True,
            "loss_head_problem": "the output passes a clamp",
            "unchanged_tensors": 2,
        },
        {"RD308"},
    ),
    "clipped to nothing, steps too small": (
        "RD303",
        {"clip_share": 1.0, "clip_ratio_median": 1e-4, "optimizer_adaptive": False, "path_unclipped": 1e-2}
        | TINY,
        {"RD302"},
    ),
    "class after class, steps that look too large": (
        "RD411",
        {"consecutive_batches_alike": 0.95, "batch_likeness": "the labels come in long runs of one class"}
        | TOO_LARGE,
        {"RD301"},
    ),
    "clipped too late, explosion": (
        "RD310",
        {"clip_late_share": 1.0} | SPIKES | NON_FINITE,
        {"RD103", "RD104"},
    ),
}


def roots(given: Advice) -> set[str]:
    """Those that nothing explains, notes aside."""
    return {f.rule for f in given.findings if not f.explained_by and f.severity != "note"}


def assert_consistent(given: Advice) -> None:
    """No finding is above all that explains it, and the links hold in both directions."""
    by_rule: dict[str, list[str]] = {}
    for finding in given.findings:
        by_rule.setdefault(finding.rule, []).append(finding.severity)
    for finding in given.findings:
        causes = [severity for cause in finding.explained_by for severity in by_rule[cause]]
        assert not causes or SEVERITY.index(finding.severity) <= max(map(SEVERITY.index, causes))
        for cause in finding.explained_by:
            assert any(finding.rule in other.explains for other in given.findings if other.rule == cause)


@pytest.mark.parametrize(("root", "values", "consequences"), CHAINS.values(), ids=list(CHAINS))
def test_the_root_leads_and_the_rest_stands_under_it(
    root: str, values: Values, consequences: set[str]
) -> None:
    given = advice(**values)
    assert given.findings[0].rule == root
    assert {finding.rule for finding in given.findings} == {root} | consequences
    assert roots(given) == {root}
    assert_consistent(given)
    assert root in given.remedies[0].addresses


def test_no_cause_is_made_up_where_none_was_found() -> None:
    for alone in (VANISHING, DEAD, SPIKES, NON_FINITE):
        (finding,) = advice(**alone).findings
        assert finding.explained_by == ()


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.ill], ids=lambda sample: sample.name)
def test_one_root_leads_in_a_recorded_run(sample: Sample) -> None:
    given = advice_on(sample.log.name, sample.lag)
    assert roots(given) == {given.findings[0].rule}
    assert_consistent(given)
    assert given.findings[0].rule in given.remedies[0].addresses
