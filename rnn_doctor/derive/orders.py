"""Whether consecutive updates are made of more like batches than in random order: sorted, or one batch."""

from typing import NamedTuple

from rnn_doctor.derive.own_targets import own_targets
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import BatchOrder

BY_CHANCE = 0.01
"""Of 500 random orders; a run is looked at once."""
LEAST_DISTANCE = 0.25
"""Labels of shuffled samples lie 0.17 apart from batch to batch, of four classes at 32 a batch (benchmarks/thresholds/
order.py); where they differ by less than a quarter, every batch holds something of all that most hold."""
LEAST_WITHIN = 0.5
"""Intraclass correlation of an update's labels: of shuffled ones it is 0. Where a class is rare, or has only begun to
show, few updates differ from the others, but these do altogether. A class of an eighth in one run, 0.17 apart at a
correlation of 1, left seven times the error of shuffled ones (benchmarks/thresholds/order.py)."""
FEWEST_BATCHES = 8
"""A loader that gave as many batches that are one and the same has no other."""
FEWEST_SAMPLES = 4
"""Sampled updates: the steps between them have no common divisor, so that batches in turns would differ."""
FEWEST_PAIRS = 200
"""Pairs of tokens, of which a share of a fifth is told to within 0.06; fewer are an example, not a training set."""
MOST_ONCE = 0.2
"""Share of the pairs that occur once, above which one batch is far from all there is (benchmarks/thresholds/
same_batch.py). By Good and Turing it is the share of fresh pairs that never occur in it."""
ONE_BATCH = "every update is made of one batch, much of which occurs in it once"
FEW = "every update draws the same few sequences anew"
MOST_SEQUENCES = 32
"""Of one batch, whose targets are classes: of 8 and of 32 sequences 0.2 to 1.0 of what fresh batches teach was lost in
every task of classes, of 128 nothing in some (benchmarks/thresholds/same_batch.py)."""
MOST_TARGETS = 700
"""Of them: the 640 characters of 32 sequences lost 0.6, 2560 lost 0.1 to 0.3 (there too)."""
KEPT = "every update is made of one batch that a loader gave, and has many"
PART = "every update takes the same part of a tensor that holds more"
LEAST_MORE = 4
"""Times as many sequences as a batch, which the tensor holds that it is taken from: the rest of a training on half of
the data, or on a third, may be held out."""
MOST_OF_A_PART = 128
"""Sequences: of more, which may be all that is trained on, one batch lost little (there too)."""
MOST_NUMBERS = 16
"""Targets that are numbers, one a sequence: 8 to 16 lost 0.09 to 0.6 of what fresh batches taught of a smooth series,
24 0.06 and 32 0.03 (benchmarks/thresholds/same_batch.py)."""
OTHERS = "every update is made of one batch, while the loader gives others"
FIRST = "every update is made of the first batch, while the loader gives others"
FEWEST_OF_FIRST = 3
"""Sampled updates, at which the loader had given others: batches of as many examples do not have the same targets in
the same order by chance."""
OFTEN = 0.5
"""Share of a loader's batches that are the same as the one before, from which on the loader itself repeats them."""
UNTOLD = "every update is made of one batch; whether it is all there is was not told"
SORTED = "the labels come in long runs of one class"
LEVELS = "their targets lie close together, and far from those of other batches"
ONE_EACH = "each batch is nearly of one class"
LEAST_OF_ONE = 0.5
"""Intraclass correlation of an update's labels, from which on its batch holds next to nothing but one class: of batches
of 32 that were cut from sorted samples it is 0.97, which left 1.4 times the error of shuffled ones under Adam and three
times under SGD; of 2,945 healthy runs of the fault bench 0.07 at most (benchmarks/thresholds/order.py)."""
ONE_CLASS = "all labels are of one class"
FEWEST_OF_ONE_CLASS = 12
"""Updates, all labels of which are of one class."""
FEWEST_LABELS = 1000
"""Of one class: of any other there is then less than one in 330 (the rule of three, 95 %)."""
REPEATED = "the loader gives the same batch again and again"


class _Part(NamedTuple):
    """One of the measures: how alike consecutive batches are, or why it is not known."""

    value: float | None
    why: str = ""
    n: int = 0
    likeness: str = ""
    """In what they are alike."""


def _labels(view: View, order: BatchOrder) -> _Part:
    untold = _untold(view, order)
    if untold:
        return _Part(None, untold)
    if order.classes < 2 and not order.numbers:
        enough = order.labels is not None and order.labels >= FEWEST_LABELS
        if enough and order.updates >= FEWEST_OF_ONE_CLASS:
            return _Part(1.0, "", order.updates, ONE_CLASS)
        return _Part(None, "all labels that were seen are of one class")
    if order.distance is None or order.alike is None or order.chance is None:
        why = "all targets are one number" if order.numbers else "of too many classes"
        return _Part(0.0, "", order.updates) if order.distance == 0 else _Part(None, why)
    # Means of numbers lie apart by chance where the numbers of a batch differ much: the correlation alone tells. At
    # 0.39 of a series with a trend no harm was done, at 0.93 of a walk twice the error (order_of_numbers.py).
    apart = order.distance >= LEAST_DISTANCE and not order.numbers
    ordered = order.chance < BY_CHANCE and (apart or (order.within or 0.0) >= LEAST_WITHIN)
    if not (ordered or order.numbers) and _of_one_each(order):
        return _Part(order.within, "", order.updates, ONE_EACH)
    likeness = LEVELS if order.numbers else SORTED
    return _Part(max(0.0, order.alike) if ordered else 0.0, "", order.updates, likeness)


def _of_one_each(order: BatchOrder) -> bool:
    """Whether an update's labels are nearly of one class, and those of the next of any."""
    many = order.updates >= FEWEST_OF_ONE_CLASS and (order.distance or 0.0) >= LEAST_DISTANCE
    return many and (order.within or 0.0) >= LEAST_OF_ONE


def _untold(view: View, order: BatchOrder) -> str | None:
    """Why the labels tell nothing of their order; None where they do."""
    if any(flow.continued or flow.kept for flow in view.log.state_flows):
        return "the state is carried on from batch to batch, so that their order is its meaning"
    return order.absent or (view.once(own_targets) if order.numbers else None)


def _repeats(view: View, order: BatchOrder) -> _Part:
    loader = view.log.loaders.get(order.loader) if order.loader is not None else None
    if loader is None:
        return _Part(None, "no single loader gave the batches")
    if loader.samples is not None and loader.batch_size and loader.samples < 2 * loader.batch_size:
        return _Part(0.0, "", order.given)  # the batch is the whole set
    if order.given + 1 < FEWEST_BATCHES:
        return _Part(None, too_few(order.given + 1, "batch", "given by the loader", FEWEST_BATCHES))
    return _Part(order.repeated / order.given, "", order.given, REPEATED)


def _one_batch(view: View, order: BatchOrder) -> _Part | None:
    """Where all updates are made of one batch: 1 if there is more to learn from, 0 if that is most there is.

    A loader that gives others meanwhile is begun anew for each update, beside the loop that goes through it.

    None if: they are not, or a loader gave it again and again, which is another measure.
    """
    others = order.given + 1 >= FEWEST_BATCHES
    if others and _is_first(view, order):
        return _Part(1.0, "", order.first, FIRST)
    if order.same < FEWEST_SAMPLES or (others and order.repeated >= OFTEN * order.given):
        return None
    if any(step.backwards > 1 for step in view.log.steps):
        return _Part(None, "several batches make up an update")
    training = [loader for loader in view.log.loaders.values() if loader.trains]
    if training:
        return _of_loader(training, order, OTHERS if others else KEPT)
    told = order.once is not None and order.pairs is not None and order.pairs >= FEWEST_PAIRS
    once = told and (order.once or 0.0) > MOST_ONCE
    likeness = ONE_BATCH if once else PART if _is_part(order) else FEW if _are_few(order) else ""
    if likeness:
        return _Part(1.0, "", order.same, likeness)
    return _Part(0.0, "", order.same) if told else _Part(None, UNTOLD)


def _is_first(view: View, order: BatchOrder) -> bool:
    """Whether the targets stay those of the first batch of a loader that holds more, and gives it."""
    loader = view.log.loaders.get(order.loader) if order.loader is not None else None
    if loader is None or loader.samples is None or not loader.batch_size:
        return False
    others = order.repeated < OFTEN * order.given and loader.samples >= 2 * loader.batch_size
    single = all(step.backwards <= 1 for step in view.log.steps)
    return others and single and order.first >= FEWEST_OF_FIRST


def _is_part(order: BatchOrder) -> bool:
    """Whether the batch is a small part of the tensor that it is taken from, and the same at each update."""
    if order.drawn_from is None or not order.sequences:
        return False
    return order.sequences <= MOST_OF_A_PART and order.drawn_from >= LEAST_MORE * order.sequences


def _are_few(order: BatchOrder) -> bool:
    """Whether a batch is drawn anew at each update, and what it holds of classes is too little to learn them from."""
    if not (order.anew and order.classified) or order.different is None or order.targets is None:
        return False
    few = order.different <= MOST_SEQUENCES
    return few and order.different * order.targets <= MOST_TARGETS


def _of_loader(training: list[Loader], order: BatchOrder, likeness: str) -> _Part:
    loader = training[0]
    if len(training) > 1 or loader.samples is None or not loader.batch_size or order.sequences is None:
        return _Part(None, UNTOLD)
    if order.sequences > loader.batch_size:  # the loader was looked at, and something else is trained on
        return _Part(None, UNTOLD)
    return _Part(float(loader.samples >= 2 * loader.batch_size), "", order.same, likeness)


def _spoken(view: View) -> _Part:
    """The measure that speaks for the run."""
    if not view.log.steps:
        return _Part(None, NO_STEP)
    if not view.log.batch_orders:
        return _Part(None, "the observation ended before batches were compared")
    if len(view.turns) > 1:
        return _Part(None, "optimizers take turns: what their updates are made of is not told apart")
    order = view.log.batch_orders[-1]
    labels, repeats, one = _labels(view, order), _repeats(view, order), _one_batch(view, order)
    if one is not None and (one.value is not None or repeats.value is None):
        return one
    if repeats.value is not None:
        loader = view.log.loaders[order.loader or 0]
        if repeats.value > (labels.value or 0.0) or (labels.value is None and loader.shuffled):
            return repeats
    return labels


@signal(unit="share", reads=("batch_orders", "loaders", "state_flows"))
def consecutive_batches_alike(view: View) -> Measurement:
    """How much more alike consecutive batches are than those of a random order: 0 as by chance, 1 the same.

    The larger of two measures: of the classes' shares among the labels, or of the means of targets that are numbers,
    where they follow in no order that chance makes (1 where a thousand labels are of one class), and the share of a
    loader's batches that hold the same numbers as the batch before. Where all updates are made of one batch: 1 if the
    loader that gave it has more, or if it was drawn by hand and much of what its tokens make up occurs in it once, or
    it holds few sequences, whose targets are classes; fresh ones would be new to the network then. 0 if it holds most
    of what there is.

    Reads: `log.batch_orders[-1]`; `log.loaders[id].samples`, `.batch_size`, `.shuffled`, `.trains`;
    `log.state_flows[i]`; `log.steps[k].backwards`.
    Unit: share. 0 by targets that differ little from batch to batch, and by a loader whose batch is the whole set.
    None if: there is not one class or number a sequence, fewer than 12 updates, fewer than 1000 labels and all of one
    class, windows that follow each other in a series, the state is carried on, numbers that follow from what the
    network does, as an agent's; unless the loader tells: it repeats itself, or it shuffles and does not. Of one batch
    by hand unless it holds 200 pairs of tokens, or few sequences: it may be all there is.
    """
    part = view.once(_spoken)
    return unknown(part.why) if part.value is None else known(part.value, n=part.n)


@signal(unit="name", reads=("batch_orders", "loaders", "state_flows"))
def batch_likeness(view: View) -> Measurement:
    """In what consecutive batches are alike, as a clause of the report.

    Reads: as consecutive_batches_alike. Unit: name. None if: as there, or they are not alike.
    """
    part = view.once(_spoken)
    return known(part.likeness) if part.value else unknown(part.why or "they are not alike")


@signal(unit="share", reads=("batch_orders",))
def batch_pairs_once(view: View) -> Measurement:
    """Share of the pairs of neighbouring tokens that occur once in the one batch that the whole training is made of.

    As much of what follows in fresh sequences is expected never to occur in it (Good and Turing).

    Reads: `log.batch_orders[-1].once`. Unit: share. None if: the batches differ, or hold no tokens.
    """
    last = view.log.batch_orders[-1] if view.log.batch_orders else None
    if last is None or last.once is None:
        return unknown("no batch of tokens was seen at every sampled update")
    return known(last.once, n=last.pairs or 0)


@signal(unit="labels", reads=("batch_orders",))
def labels_of_one_class(view: View) -> Measurement:
    """How many labels were seen, where all of them are of one class.

    Reads: `log.batch_orders[-1].labels`. Unit: labels. None if: they are of several classes, or no labels.
    """
    last = view.log.batch_orders[-1] if view.log.batch_orders else None
    if last is None or last.labels is None:
        return unknown("no labels that are all of one class were seen")
    return known(last.labels, n=last.updates)


@signal(unit="sequences", reads=("batch_orders",))
def sequences_at_hand(view: View) -> Measurement:
    """Sequences of the tensor that a slice or an index took the one batch from that all updates are made of.

    Reads: `log.batch_orders[-1].drawn_from`. Unit: sequences. None if: the batches differ, or that was not seen.
    """
    last = view.log.batch_orders[-1] if view.log.batch_orders else None
    if last is None or last.drawn_from is None or not last.same:
        return unknown("no batch was seen to be taken from a tensor that holds more")
    return known(last.drawn_from, n=last.same)


@signal(unit="sequences", reads=("batch_orders", "data_lags"))
def sequences_different(view: View) -> Measurement:
    """Different sequences among those of the sampled updates: few where the training set holds few, or copies of few.

    A lower bound of the size of the training set, which comes near it as soon as each was looked at several times.

    Reads: `log.batch_orders[-1].different`, `.looked`. Unit: sequences.
    None if: they were not seen, are so short that they repeat by themselves, are alike at all time steps but one, or
    are one batch that the script keeps.
    """
    order = view.once(_told_apart)
    if order is not None and any(record.alone is not None for record in view.log.data_lags):
        return unknown("they differ at a single time step, so that there cannot be many of them")
    return unknown(_NOT_TOLD) if order is None else known(order.different or 0, n=order.looked)


@signal(unit="times", reads=("batch_orders",))
def sequence_returns(view: View) -> Measurement:
    """How often each different sequence came on average, among those of the sampled updates alone.

    Reads: `log.batch_orders[-1].different`, `.looked`. Unit: times. None if: as sequences_different.
    """
    order = view.once(_told_apart)
    return (
        unknown(_NOT_TOLD) if order is None else known(order.looked / (order.different or 1), n=order.looked)
    )


@signal(unit="targets", reads=("batch_orders",))
def targets_different(view: View) -> Measurement:
    """Targets of the different sequences, all together.

    Reads: `log.batch_orders[-1].different`, `.targets`, `.classified`. Unit: targets.
    None if: as sequences_different, or the targets are no classes, and more than 16 or several a sequence.
    """
    order = view.once(_told_apart)
    if order is None or order.targets is None:
        return unknown(_NOT_TOLD)
    targets = (order.different or 0) * order.targets
    if not order.classified and (order.targets > 1 or targets > MOST_NUMBERS):
        return unknown("the targets are no classes, and of a smooth series few tell much")
    return known(targets, n=order.looked)


_NOT_TOLD = "the sequences of the sampled updates were not told apart"


def _told_apart(view: View) -> BatchOrder | None:
    last = view.log.batch_orders[-1] if view.log.batch_orders else None
    if last is None or not last.looked or not last.different:
        return None
    return None if last.same and not last.anew else last  # one batch that is kept may be a check
