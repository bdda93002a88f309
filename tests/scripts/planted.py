"""What is known of the guards and the planted faults: what must be found first, and what is not right yet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_doctor import pipeline
from rnn_doctor.schema.report import Report
from rnn_doctor.settings import Settings
from tests.scripts import warm

HERE = Path(__file__).resolve().parent
GUARDS, FAULTS = HERE / "guards", HERE / "faults"
STEPS = 50


@dataclass(frozen=True)
class Fault:
    """One script of faults/, and what the report must lead with."""

    name: str
    rule: str
    twin: str
    """The guard that does the same, and does it right."""
    mark: str = "fault"
    """The line that the finding must point to ends in `# <- fault`; `layer`: the rule names the recurrent layer,
    which is built in the line that ends in `# <- layer`, and not the line at fault; `call`: the line where it shows."""
    lag: int | None = None
    """Given as --lag."""
    steps: int = STEPS
    """Updates that it takes to see it."""

    @property
    def path(self) -> Path:
        return FAULTS / f"{self.name}.py"

    @property
    def line(self) -> int:
        """Number of the marked line."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        (number,) = [n for n, text in enumerate(lines, 1) if text.endswith(f"# <- {self.mark}")]
        return number


TABLE = (
    Fault("vanishing_small_weights", "RD602", "orthogonal_rnn", "layer", lag=25),
    Fault("closed_forget_gates", "RD602", "open_forget_gates", "layer", lag=25),
    Fault("vanishing_sigmoid_cell", "RD101", "minimal_gated_unit", "layer", lag=25),
    Fault("truncated_too_short", "RD105", "truncated_lm", lag=20),
    Fault("exploding_gain", "RD602", "orthogonal_rnn", "layer"),
    Fault("exploding_residual_cell", "RD102", "irnn_raw", "layer"),
    Fault("detached_cell", "RD408", "cell_with_resets"),
    Fault("detached_by_data", "RD408", "teacher_forcing"),
    Fault("detached_own_cell", "RD408", "names_one_by_one"),
    Fault("state_kept", "RD407", "ordered_stream"),
    Fault("state_kept_retained", "RD407", "ordered_stream"),
    Fault("state_over_shuffled", "RD418", "chunks_of_shuffled_batch"),
    Fault("padding_last_output", "RD406", "slight_padding"),
    Fault("padding_final_state", "RD406", "packed_bidirectional"),
    Fault("reverse_at_last_step", "RD412", "bidirectional_ends"),
    Fault("final_state_view", "RD413", "packed_bidirectional"),
    Fault("input_view", "RD413", "large_targets"),
    Fault("batch_as_time", "RD405", "short_memory_default_lstm"),
    Fault("saturated_start", "RD201", "every_step_tagger", "layer"),
    Fault("dead_relu", "RD202", "irnn_raw", "layer"),
    Fault("overflow_in_recurrence", "RD104", "irnn_raw", "call"),
    Fault("loss_summed_over_time", "RD420", "teacher_forcing"),
    Fault("log_of_zero", "RD104", "large_targets"),
    Fault("deep_stack", "RD106", "layer_norm_between"),
    Fault("eval_left_on", "RD409", "tied_dropout_lm"),
    Fault("eval_by_library", "RD409", "frozen_backbone"),
    Fault("decays_away", "RD305", "warmup"),
    Fault("too_few_samples", "RD503", "short_memory_default_lstm", "layer"),
    Fault("nothing_to_learn", "RD425", "adding_gru", steps=220),
    Fault("labels_by_heart", "RD501", "every_step_tagger", "layer"),
    Fault("softmax_over_batch", "RD419", "attention_pooling"),
    Fault("softmax_over_one", "RD419", "attention_pooling"),
    Fault("unscaled_targets", "RD415", "large_targets"),
    Fault("sorted_labels", "RD411", "windows_in_order"),
    Fault("first_batch_only", "RD411", "large_targets"),
    Fault("encoder_under_no_grad", "RD308", "frozen_backbone"),
    Fault("features_by_numpy", "RD308", "large_targets"),
    Fault("forward_direction_unread", "RD308", "packed_bidirectional"),
    Fault("linear_recurrence", "RD417", "names_one_by_one", "layer"),
)


def guards() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in GUARDS.glob("*.py"))


def examine(path: Path, lag: int | None = None, steps: int = STEPS) -> Report:
    """The report on a script, recorded in forks of the warm Python.

    Raises: ScriptError: it is refused.
    """
    said, log = warm.record(path, steps)
    assert log is not None, said
    report = pipeline.examine(log, Settings(lag=lag))
    assert report.observation.sensors_off == (), log.sensors_off
    return report


def alarms(findings: list[dict[str, Any]]) -> list[str]:
    """What is more than a note."""
    return [f"{f['rule']}: {f['message']}" for f in findings if f["severity"] != "note"]
