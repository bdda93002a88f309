"""Remedies in the order of what they did."""

from rnn_doctor.prescribe.measured import measured
from rnn_doctor.schema.report import Prescription, Trial
from tests.diagnose.books import book, remedy


def prescription(name: str, basis: str = "literature") -> Prescription:
    return Prescription.model_validate(
        {
            "rank": 1, "id": name, "title": name, "addresses": ("RD301",), "because": "b", "basis": basis,
            "effort": "line", "how": "x = 1",
        }
    )  # fmt: skip


def trial(verdict: str, effect: float = 0.0) -> Trial:
    return Trial.model_validate(
        {
            "arms": ("a",), "effect": effect, "interval": (effect - 0.1, effect + 0.1), "p_value": 0.01,
            "steps": 50, "repeats": 3, "verdict": verdict,
        }
    )  # fmt: skip


BOOK = book(remedies=(remedy("a"), remedy("b"), remedy("c"), remedy("d"), remedy("e", excludes=["a"])))


def ids(*given: Prescription, **trials: Trial) -> list[tuple[str, str]]:
    return [(each.id, each.basis) for each in measured(given, trials, BOOK)]


def test_what_helped_is_in_front_and_what_harmed_at_the_end() -> None:
    given = [prescription(name) for name in "abcd"]
    trials = {
        "d": trial("helps", -0.7),
        "c": trial("helps", -0.2),
        "b": trial("unclear"),
        "a": trial("harms", 0.4),
    }
    assert ids(*given, **trials) == [("d", "trial"), ("c", "trial"), ("b", "literature"), ("a", "trial")]


def test_ranks_are_numbered_anew() -> None:
    found = measured([prescription("a"), prescription("b")], {"b": trial("helps", -1.0)}, BOOK)
    assert [(each.id, each.rank) for each in found] == [("b", 1), ("a", 2)]
    assert found[0].trial is not None
    assert found[1].trial is None


def test_a_certain_repair_stays_before_what_helped() -> None:
    assert ids(prescription("a", "certain"), prescription("b"), b=trial("helps", -1.0)) == [
        ("a", "certain"),
        ("b", "trial"),
    ]


def test_a_certain_repair_that_was_tried_stays_certain_and_tells_what_it_did() -> None:
    [found] = measured([prescription("a", "certain")], {"a": trial("helps", -1.0)}, BOOK)
    assert found.basis == "certain"
    assert found.trial == trial("helps", -1.0)


def test_what_helps_unasked_is_recommended() -> None:
    found = measured([prescription("a")], {"b": trial("helps", -1.0), "c": trial("unclear")}, BOOK)
    assert [(each.id, each.addresses, each.basis) for each in found] == [
        ("b", (), "trial"),
        ("a", ("RD301",), "literature"),
    ]


def test_what_excludes_a_remedy_that_helped_more_is_left_out() -> None:
    given = [prescription("e"), prescription("a")]
    assert ids(*given, a=trial("helps", -1.0), e=trial("unclear")) == [("a", "trial")]
