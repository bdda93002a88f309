from typing import Any

from rnn_doctor.derive.orders import (
    FEW,
    FIRST,
    KEPT,
    LEVELS,
    ONE_BATCH,
    ONE_CLASS,
    OTHERS,
    PART,
    REPEATED,
    SORTED,
    UNTOLD,
)
from rnn_doctor.derive.own_targets import COPIED
from rnn_doctor.schema.recurrence import DataLag, StateFlow
from rnn_doctor.schema.wiring import BatchOrder
from tests.derive.logs import loader, log, lstm, measure, steps, value_of

ALIKE, LIKENESS = "consecutive_batches_alike", "batch_likeness"


def order(**fields: Any) -> BatchOrder:
    """Labels in long runs of one class."""
    return BatchOrder(**{
        "record": "batch_order", "step": 50, "updates": 50, "classes": 4, "distance": 0.7, "alike": 0.9,
        "chance": 0.002, **fields,
    })  # fmt: skip


def unlabelled(**fields: Any) -> BatchOrder:
    nothing = {"updates": 0, "classes": 0, "distance": None, "alike": None, "chance": None}
    return order(**{**nothing, "absent": "no class", **fields})


def run(*records: Any) -> Any:
    return log(steps([1.0] * 50), lstm(), *records)


def test_labels_in_long_runs() -> None:
    assert value_of(ALIKE, run(order())) == 0.9
    assert value_of(LIKENESS, run(order())) == SORTED


def test_what_chance_makes_or_what_differs_little_is_no_order() -> None:
    for harmless in ({"chance": 0.01}, {"distance": 0.2}, {"alike": -0.1}, {"distance": 0.0, "alike": None}):
        assert value_of(ALIKE, run(order(**harmless))) == 0
        assert measure(LIKENESS, run(order(**harmless))).absent == "they are not alike"


def numbers(**fields: Any) -> BatchOrder:
    """Targets of a regression, sorted."""
    return order(**{"numbers": True, "classes": 0, "distance": 1.1, "within": 0.97, **fields})


def test_numbers_in_order() -> None:
    assert value_of(ALIKE, run(numbers())) == 0.9
    assert value_of(LIKENESS, run(numbers())) == LEVELS


def test_means_that_differ_by_chance_or_little_are_no_order() -> None:
    for harmless in ({"within": 0.49}, {"within": None}, {"chance": 0.01}, {"distance": 0.0, "alike": None}):
        assert value_of(ALIKE, run(numbers(**harmless))) == 0
    nothing = numbers(distance=None, alike=None, chance=None, within=None)
    assert measure(ALIKE, run(nothing)).absent == "all targets are one number"


def test_a_thousand_labels_of_one_class() -> None:
    alone = {"classes": 1, "distance": None, "alike": None, "chance": None}
    assert value_of(ALIKE, run(order(**alone, labels=1000))) == 1
    assert value_of(LIKENESS, run(order(**alone, labels=1000))) == ONE_CLASS
    assert value_of("labels_of_one_class", run(order(**alone, labels=1000))) == 1000
    for fields in ({"labels": 999}, {"labels": None}, {"labels": 5000, "updates": 11}):
        assert "one class" in (measure(ALIKE, run(order(**{**alone, **fields}))).absent or "")
    assert measure("labels_of_one_class", run(order())).absent


def few(**fields: Any) -> BatchOrder:
    """One batch of sequences, each of one class."""
    told = {"anew": True, "classified": True, "looked": 160, "different": 32, "targets": 1, **fields}
    return unlabelled(same=5, sequences=32, **told)


def test_one_batch_of_few_sequences() -> None:
    assert value_of(ALIKE, run(few())) == 1
    assert value_of(LIKENESS, run(few())) == FEW
    assert (
        value_of(LIKENESS, run(few(pairs=600, once=0.0))) == FEW
    )  # symbols by chance, of which no pair is rare
    more: tuple[dict[str, Any], ...] = (
        {"different": 33}, {"targets": 22}, {"classified": False}, {"looked": 0, "different": None}, {"anew": False},
    )  # fmt: skip
    for fields in more:
        assert measure(ALIKE, run(few(**fields))).absent == UNTOLD


def test_how_many_sequences_differ() -> None:
    told = run(few(different=20, targets=12))
    assert value_of("sequences_different", told) == 20
    assert value_of("sequence_returns", told) == 8
    assert value_of("targets_different", told) == 240
    assert "no classes" in (measure("targets_different", run(few(classified=False))).absent or "")
    for different, targets, known in ((16, 1, 16), (17, 1, None), (8, 2, None)):
        numbers = run(few(different=different, targets=targets, classified=False))
        assert measure("targets_different", numbers).value == known
    for name in ("sequences_different", "sequence_returns", "targets_different"):
        assert "not told apart" in (measure(name, run(order())).absent or "")
        assert "not told apart" in (measure(name, run(few(anew=False))).absent or "")


def test_sequences_that_differ_at_one_step_alone_cannot_be_many() -> None:
    tested = {"record": "data_lag", "step": 50, "module": 0, "absent": None}
    alike = run(few(different=8, targets=1), DataLag(**tested, alone=1))
    assert "single time step" in (measure("sequences_different", alike).absent or "")
    assert value_of("sequences_different", run(few(different=8, targets=1), DataLag(**tested))) == 8


def test_the_last_record_counts() -> None:
    assert value_of(ALIKE, run(order(alike=0.2), order())) == 0.9


def test_the_same_batch() -> None:
    again = unlabelled(loader=0, given=20, repeated=19)
    assert value_of(ALIKE, run(loader(shuffled=False), again)) == 0.95
    assert value_of(LIKENESS, run(loader(shuffled=False), again)) == REPEATED
    once = run(loader(shuffled=False, samples=40, batch_size=32), again)
    assert measure(ALIKE, once).absent == "no class"  # the whole set, or nearly so
    early = run(loader(shuffled=False), unlabelled(loader=0, given=6, repeated=6))
    assert measure(ALIKE, early).absent == "no class"


def one_batch(**fields: Any) -> BatchOrder:
    """One batch of text at every sampled update."""
    return unlabelled(**{"same": 5, "sequences": 32, "pairs": 600, "once": 0.3, **fields})


def test_one_batch_by_hand_much_of_which_occurs_once() -> None:
    assert value_of(ALIKE, run(one_batch())) == 1
    assert value_of(LIKENESS, run(one_batch())) == ONE_BATCH
    assert value_of("batch_pairs_once", run(one_batch())) == 0.3
    labelled = order(distance=0.0, alike=None, same=5, pairs=600, once=0.3)  # one class of each sequence
    assert value_of(ALIKE, run(labelled)) == 1


def test_one_batch_that_holds_most_of_what_there_is() -> None:
    assert value_of(ALIKE, run(one_batch(once=0.2))) == 0
    assert measure(LIKENESS, run(one_batch(once=0.2))).value is None


def test_one_batch_of_which_nothing_is_told() -> None:
    assert measure(ALIKE, run(one_batch(same=3))).absent == "no class"
    for fields in ({"pairs": 199}, {"once": None, "pairs": None}):
        assert measure(ALIKE, run(one_batch(**fields))).absent == UNTOLD
    labelled = order(distance=0.0, alike=None, chance=None, same=5)  # of numbers, one class of each sequence
    assert measure(ALIKE, run(labelled)).absent == UNTOLD
    several = [s.model_copy(update={"backwards": 4}) for s in steps([1.0] * 50)]
    assert "several batches" in (measure(ALIKE, log(several, lstm(), one_batch())).absent or "")
    assert measure("batch_pairs_once", run(order())).absent


def test_one_batch_that_is_a_part_of_a_tensor() -> None:
    """Numbers too: how much there is beside it is known."""
    for held in (128, 5000):
        part = unlabelled(same=5, sequences=32, drawn_from=held)
        assert value_of(ALIKE, run(part)) == 1
        assert value_of(LIKENESS, run(part)) == PART
        assert value_of("sequences_at_hand", run(part)) == held
    for fields in ({"drawn_from": 127}, {"drawn_from": 1000, "sequences": 129}, {"drawn_from": None}):  # near
        assert measure(ALIKE, run(unlabelled(same=5, **{"sequences": 32, **fields}))).absent == UNTOLD
    assert measure("sequences_at_hand", run(unlabelled(drawn_from=640))).absent


def test_one_batch_of_a_loader_that_has_more() -> None:
    """Numbers or tokens, labelled or not: the loader tells what there is."""
    for kept in (one_batch(), unlabelled(same=5, sequences=32), order(distance=0.0, same=5, sequences=32)):
        assert value_of(ALIKE, run(loader(), kept)) == 1
        assert value_of(LIKENESS, run(loader(), kept)) == KEPT
        assert value_of("training_samples", run(loader(), kept)) == 1000


def test_a_new_iterator_for_each_update() -> None:
    """Of the batches that the loader gave every second one was taken, the first of a new pass."""
    taken = one_batch(loader=0, given=63, repeated=1)
    assert value_of(ALIKE, run(loader(), taken)) == 1
    assert value_of(LIKENESS, run(loader(), taken)) == OTHERS
    assert value_of(LIKENESS, run(loader(), one_batch(loader=0, given=63, repeated=31))) == OTHERS
    assert value_of(LIKENESS, run(loader(), one_batch(loader=0, given=63, repeated=32))) == REPEATED
    assert measure(ALIKE, run(loader(samples=63), taken)).value == 0  # two batches, or one and the rest
    several = run(loader(), one_batch(loader=0, given=63, repeated=1, same=3))
    assert value_of(LIKENESS, several) == REPEATED


def test_the_batch_that_was_kept_before_the_loop() -> None:
    """Its targets tell, where its sequences were not seen."""
    fields = {"distance": 0.0, "within": -0.03, "loader": 0, "given": 50, "repeated": 1}
    kept = order(**fields, first=3)
    assert value_of(ALIKE, run(loader(), kept)) == 1
    assert value_of(LIKENESS, run(loader(), kept)) == FIRST
    assert value_of(ALIKE, run(loader(), order(**fields, first=2))) == 1 / 50
    assert value_of(LIKENESS, run(loader(), order(**{**fields, "repeated": 25}, first=3))) == REPEATED
    assert value_of(LIKENESS, run(loader(samples=63), kept)) != FIRST
    assert value_of(LIKENESS, run(loader(samples=None), kept)) != FIRST
    several = [s.model_copy(update={"backwards": 4}) for s in steps([1.0] * 50)]
    assert value_of(LIKENESS, log(several, lstm(), loader(), kept)) != FIRST


def test_one_batch_of_a_loader_that_may_be_all_there_is() -> None:
    kept = unlabelled(same=5, sequences=32)
    assert value_of(ALIKE, run(loader(samples=64), kept)) == 1
    assert value_of(ALIKE, run(loader(samples=63), kept)) == 0  # two batches, or one and the rest
    assert measure(LIKENESS, run(loader(samples=32), kept)).value is None
    for of in (loader(samples=None), loader(batch_size=None)):
        assert measure(ALIKE, run(of, kept)).absent == UNTOLD
    assert measure(ALIKE, run(loader(), loader(1), kept)).absent == UNTOLD


def test_a_loader_that_was_looked_at_beside_one_batch() -> None:
    """A script may take a batch to see its shape, and train on the whole tensor."""
    whole = unlabelled(same=5, sequences=1000)
    assert measure(ALIKE, run(loader(), whole)).absent == UNTOLD
    apart = run(loader(trains=False), unlabelled(same=5, sequences=32))
    assert measure(ALIKE, apart).absent == UNTOLD


def test_a_class_that_is_rare_or_has_only_begun_to_show() -> None:
    seldom = {"classes": 2, "distance": 0.15, "alike": 0.86}
    assert value_of(ALIKE, run(order(**seldom))) == 0
    assert value_of(ALIKE, run(order(**seldom, within=0.49))) == 0
    assert value_of(ALIKE, run(order(**seldom, within=0.5))) == 0.86
    assert value_of(ALIKE, run(order(**seldom, within=0.5, chance=0.01))) == 0


def test_a_loader_that_shuffles_needs_no_labels() -> None:
    assert value_of(ALIKE, run(loader(), unlabelled(loader=0, given=20))) == 0
    assert measure(ALIKE, run(loader(shuffled=False), unlabelled(loader=0, given=20))).absent == "no class"


def test_a_state_that_is_carried_on_makes_the_order_right() -> None:
    flow = StateFlow(record="state_flow", step=3, module=0, calls=1, continued=1, length=20)
    assert "carried on" in (measure(ALIKE, run(order(), flow)).absent or "")
    fresh = flow.model_copy(update={"continued": 0, "fresh": 1})
    assert value_of(ALIKE, run(order(), fresh)) == 0.9


def test_absent() -> None:
    assert "no training step" in (measure(ALIKE, log()).absent or "")
    assert "ended before" in (measure(ALIKE, run()).absent or "")
    assert "one class" in (measure(ALIKE, run(order(classes=1))).absent or "")
    turns = [s.model_copy(update={"optimizers": (s.step % 2,)}) for s in steps([1.0] * 50)]
    assert "take turns" in (measure(LIKENESS, log(turns, order())).absent or "")


def test_numbers_that_follow_from_what_the_network_does_have_an_order() -> None:
    assert value_of(ALIKE, log(steps([1.0] * 50), lstm(copied=True), numbers())) is None
    assert measure(ALIKE, log(steps([1.0] * 50), lstm(copied=True), numbers())).absent == COPIED
    assert value_of(ALIKE, log(steps([1.0] * 50), lstm(copied=True), order())) == 0.9  # labels are given


def test_batches_of_one_class_each_in_random_order() -> None:
    each = {"alike": -0.05, "chance": 0.8, "within": 0.97}
    found = run(order(**each))
    assert value_of(ALIKE, found) == 0.97
    assert value_of("batch_likeness", found) == "each batch is nearly of one class"
    for other in ({"within": 0.49}, {"distance": 0.2}, {"updates": 11}, {"numbers": True}):
        assert value_of(ALIKE, run(order(**each | other))) in (0, None)
