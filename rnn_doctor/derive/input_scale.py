"""Inputs out of scale: all of them, or one feature; and where an embedding makes them so."""

from statistics import median

from rnn_doctor.derive.batches import input_absmax, input_drive, input_std
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

DRIVEN = 0.25
"""Share of the gates that the input alone saturates (RD403)."""
FEATURE_DRIVEN = 0.02
"""The same where one feature does it at some steps."""
FEATURE = 100.0
"""Magnitude of one feature over that of the median one: at most 12 in 186 healthy networks of the fault bench, 550 or
more where a column was in seconds or cents."""
_WIDE = 3.0
"""Standard deviation of an embedding: torch draws 1."""
_WITHIN = 6.0
"""Standard deviations within which all values of a table lie."""


def _by_module(measured: Measurement | dict[str, Measurement]) -> dict[str, Measurement]:
    assert isinstance(measured, dict)
    return measured


def _number(measured: Measurement) -> float | None:
    return None if measured.value is None else float(measured.value)


@signal(unit="ratio", by="module", reads=("batches.feature_ratio",))
def input_feature_ratio(view: View) -> dict[str, Measurement]:
    """Largest magnitude of one feature of a module's input over that of the median feature, median over the samples.

    Reads: `log.batches[i].feature_ratio`. Unit: ratio. None if: not seen, or fewer than two features differ from 0.
    """

    def measure(module: int) -> Measurement:
        seen = [b.feature_ratio for b in view.batches[module] if b.feature_ratio is not None]
        return known(median(seen), n=len(seen)) if seen else unknown("its features were not told apart")

    return each_module(view, measure)


@signal(unit="text", by="module", reads=("batches", "loop_inputs", "parameters"))
def input_out_of_scale(view: View) -> dict[str, Measurement]:
    """Which part of its input drives the gates of a module into saturation: "all features", "one feature", "none".

    One feature does it where it is a hundred times larger than the median one, at the steps where it is not small.
    What an embedding that starts wide makes of tokens is no input out of scale, but a start (RD201).

    Reads: as input_drive, input_feature_ratio and input_from_embedding. Unit: text. None if: as input_drive.
    """
    drives, ratios = _by_module(input_drive(view)), _by_module(input_feature_ratio(view))
    embedded = _by_module(input_from_embedding(view))

    def measure(module: int) -> Measurement:
        name = view.module_names[module]
        drive, ratio = _number(drives[name]), _number(ratios[name])
        if drive is None:
            return unknown(drives[name].absent or "")
        if embedded[name].value is True:
            return known("none")
        if drive > DRIVEN:
            return known("all features")
        driven = [b.drive for b in view.batches[module] if b.drive is not None]
        lone = ratio is not None and ratio > FEATURE and median(driven or [drive]) > FEATURE_DRIVEN
        return known("one feature" if lone else "none")

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("batches", "loop_inputs", "parameters"))
def input_unscaled(view: View) -> dict[str, Measurement]:
    """Whether any part does.

    Reads: as input_out_of_scale. Unit: claim. None if: as input_out_of_scale.
    """
    return {
        name: m if m.value is None else m.model_copy(update={"value": m.value != "none"})
        for name, m in _by_module(input_out_of_scale(view)).items()
    }


@signal(unit="claim", by="module", reads=("batches", "loop_inputs", "parameters"))
def input_from_embedding(view: View) -> dict[str, Measurement]:
    """Whether the values that a module is given are those of an embedding that starts far wider than torch draws it.

    Told by their scale: a table of that standard deviation holds the largest of them, and they spread as far.

    Reads: `log.parameters[id].owner`, `.std`; as input_std and input_absmax. Unit: claim. None if: never.
    """
    wide = [p.std for p in view.log.parameters.values() if p.owner == "Embedding" and (p.std or 0.0) > _WIDE]
    spreads, largest = _by_module(input_std(view)), _by_module(input_absmax(view))

    def measure(module: int) -> Measurement:
        name = view.module_names[module]
        spread, most = _number(spreads[name]), _number(largest[name])
        if spread is None or most is None:
            return known(False)
        return known(any(std and spread > std / 4 and most < _WITHIN * std for std in wide))

    return each_module(view, measure)


@signal(unit="units of the input", reads=("parameters",))
def embedding_std(view: View) -> Measurement:
    """Largest standard deviation of an embedding before the first update.

    Reads: `log.parameters[id].owner`, `.std`. Unit: units of the input; 1 as torch draws it.
    None if: there is no embedding, or none was seen.
    """
    stds = [p.std for p in view.log.parameters.values() if p.owner == "Embedding" and p.std is not None]
    return known(max(stds), n=len(stds)) if stds else unknown("no embedding was seen")
