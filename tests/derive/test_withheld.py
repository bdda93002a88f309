"""What a copy that learned without some of the examples stands for where the script does not validate."""

from typing import Any

import pytest

from rnn_doctor.schema.trials import Withheld
from rnn_doctor.schema.validating import EarlyValidation
from tests.derive.logs import evaluations, log, measure, steps, value_of

DOWN = [2.0 * 0.97**k for k in range(60)]
NAMES = (
    "memorizing_parting",
    "memorizing_turns",
    "withheld_gap",
    "withheld_lost",
    "withheld_rise_z",
    "withheld_examples",
)


def copy(*pairs: tuple[float, float], scale: float = 1.0, **fields: Any) -> Withheld:
    """Looks every 10 updates: the loss on examples that were kept from the copy, and on those it learned from."""
    looks: list[dict[str, Any]] = []
    best = 0
    for k, (other, trained) in enumerate(pairs):
        looks.append(
            {
                "step": 10 * (k + 1),
                "examples": {"count": 96, "mean": scale * other, "std": scale * 0.2},
                "trained": {"count": 96, "mean": scale * trained, "std": scale * 0.2},
            }
        )
        if k:
            rise, at = other - pairs[best][0], 10 * (best + 1)
            looks[-1]["rise"] = {
                "best_step": at, "mean": scale * rise, "error": scale * 0.03, "paired": True,
            }  # fmt: skip
        best = k if other < pairs[best][0] else best
    made = {"record": "withheld", "step": 60, "batches": 6, "examples": 96, "folds": 4, "looks": looks}
    return Withheld.model_validate(made | fields)


PARTS = copy((1.0, 1.0), (0.9, 0.8), (0.95, 0.6), (0.95, 0.5))


def test_it_stands_in_for_a_validation() -> None:
    run = log(steps(DOWN), PARTS)
    assert value_of("memorizing_basis", run) == "copy"
    assert value_of("memorizing_parting", run) == pytest.approx((0.95 / 0.5) / (0.9 / 0.8) - 1)
    assert value_of("memorizing_turns", run) is True
    assert value_of("withheld_gap", run) == pytest.approx(0.95 / 0.5 - 1)
    assert value_of("withheld_lost", run) == pytest.approx(0.95 / 0.9 - 1)
    assert value_of("withheld_rise_z", run) == pytest.approx(0.05 / 0.03)
    assert value_of("withheld_examples", run) == 96


def test_the_unit_of_the_loss_does_not_matter() -> None:
    other = log(steps(DOWN), copy((1.0, 1.0), (0.9, 0.8), (0.95, 0.6), (0.95, 0.5), scale=7.0))
    for name in NAMES:
        assert value_of(name, other) == pytest.approx(value_of(name, log(steps(DOWN), PARTS)))


def test_what_still_falls_does_not_turn() -> None:
    run = log(steps(DOWN), copy((1.0, 1.0), (0.9, 0.8), (0.7, 0.4)))
    assert value_of("memorizing_turns", run) is False
    assert value_of("withheld_lost", run) == 0


def test_a_gap_within_chance_is_none() -> None:
    assert value_of("memorizing_parting", log(steps(DOWN), copy((1.0, 1.0), (0.9, 0.9), (0.9, 0.88)))) == 0


def test_the_scripts_own_validation_comes_first() -> None:
    own = evaluations([3.0, 2.0, 1.0, *[1.2] * 9])
    run = log(steps(DOWN), own, PARTS)
    assert value_of("memorizing_basis", run) == "validation"
    for name in ("parting", "turns"):
        assert value_of(f"memorizing_{name}", run) == value_of(f"validation_{name}", run)


def test_without_a_copy_it_is_as_with_the_validation() -> None:
    run = log(steps(DOWN))
    for name in ("parting", "turns"):
        assert measure(f"memorizing_{name}", run).absent == measure(f"validation_{name}", run).absent
    assert measure("memorizing_basis", run).absent
    assert measure("withheld_gap", run).absent == (
        "no copy of the network learned without a part of the training examples"
    )


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (
            {"looks": (), "absent": "its loss does not fall into examples"},
            "its loss does not fall into examples",
        ),
        ({"looks": ()}, "0 looks were taken at it, 3 are needed"),
    ],
)
def test_both_reasons_are_told(made: dict[str, Any], reason: str) -> None:
    early = EarlyValidation(record="early_validation", step=60, outcome="not_expected")
    run = log(steps(DOWN), early, copy(**made))
    absent = str(measure("memorizing_parting", run).absent)
    assert absent.startswith("no validation loss was computed while the script was watched")
    assert reason in absent
    assert reason in str(measure("withheld_examples", run).absent)


def test_two_looks_are_too_few() -> None:
    run = log(steps(DOWN), copy((1.0, 1.0), (1.2, 0.1)))
    assert "2 looks were taken at it, 3 are needed" in str(measure("memorizing_turns", run).absent)
