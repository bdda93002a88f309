"""How much there is to learn from: training examples, targets, and passes over them, beside the parameters."""

import math
from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.signals import Measurement

_NOT_COUNTED = "how many samples the training loader gave is not known"
_AT_LAST_STEP = 0.9
"""Share of the loss's gradient at the last step above which a sequence has one target."""


def _training_loader(view: View) -> Loader | str:
    """The one loader that trains and whose size is known, or why there is none."""
    training = [loader for loader in view.log.loaders.values() if loader.trains]
    if not training:
        return "the script makes its batches by hand, so that the size of its training data is not known"
    if len(training) > 1:
        return "several loaders give training batches"
    if not training[0].samples:
        return "the training loader does not know how many samples it has"
    return training[0]


@signal(unit="samples", reads=("loaders",))
def training_samples(view: View) -> Measurement:
    """Number of samples in the training data.

    Reads: `log.loaders[id].samples` of the one that trains. Unit: samples.
    None if: batches are made by hand, several loaders train, or the loader does not know.
    """
    loader = view.once(_training_loader)
    if isinstance(loader, str) or loader.samples is None:
        return unknown(str(loader))
    return known(loader.samples, n=1)


@signal(unit="epochs", reads=("loaders",))
def epochs_observed(view: View) -> Measurement:
    """Passes over the training data before the last one that was begun; a lower bound that misses one at most.

    Reads: `log.loaders[id].given`, `.batch_size`, `.samples`. Unit: epochs, times the share of the data that a
    process of several is given. None if: as training_samples, or batches without a fixed size.
    """
    epochs = view.once(_epochs)
    return unknown(epochs) if isinstance(epochs, str) else known(epochs, n=1)


def _epochs(view: View) -> float | str:
    loader, batches = view.once(_training_loader), view.once(batches_a_pass)
    if isinstance(loader, str) or isinstance(batches, str):
        return str(batches)
    return _NOT_COUNTED if loader.given is None else loader.given / batches


def batches_a_pass(view: View) -> float | str:
    """Batches of one pass over the training data, or why they are not known."""
    loader = view.once(_training_loader)
    if isinstance(loader, str):
        return loader
    if not loader.batch_size or loader.samples is None:
        return _NOT_COUNTED
    return loader.samples / loader.batch_size / view.log.ranks


@signal(unit="claim", reads=("loaders",))
def data_repeated(view: View) -> Measurement:
    """Whether training data may have been seen twice; True too where their size is not known.

    What was seen once cannot have been memorized: the gap to the validation then has another reason.

    A loader that does not shuffle gives its first samples again whenever it is begun anew, also where its passes are
    broken off long before their end.

    Reads: as epochs_observed; `log.loaders[id].passes`, `.shuffled`; the epochs that a foreign log counts. Unit: claim.
    None if: no training step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    if view.log.imported:
        begun = view.log.imported.epochs
        return known(begun is None or begun > 1)
    epochs = view.once(_epochs)
    return known(isinstance(epochs, str) or epochs >= 1 or (begun_anew(view) and not _shuffles(view)))


def begun_anew(view: View) -> bool:
    """Whether the training loader was begun a second time, however far it had come."""
    loader = view.once(_training_loader)
    return not isinstance(loader, str) and (loader.passes or 1) > 1


def _shuffles(view: View) -> bool:
    loader = view.once(_training_loader)
    return isinstance(loader, str) or loader.shuffled is not False


@signal(unit="parameters per target", reads=("parameters", "loaders", "losses", "readouts"))
def parameters_per_target(view: View) -> Measurement:
    """Trained parameters over the number of targets in the training data: above 1 there is room to store each.

    A sample has as many targets as the loss compares in it, or one a time step where the loss reads every step:
    the larger of the two, for a loss may be called once a step.

    Reads: `log.parameters[id].shape`, `log.loaders[id].samples`, `log.losses[i].target_shape`, `log.readouts[i]`.
    Unit: parameters per target. None if: as training_samples, or no loss of a training batch was seen.
    """
    loader = view.once(_training_loader)
    if isinstance(loader, str) or loader.samples is None:
        return unknown(str(loader))
    by_sample = _targets_by_sample(view, loader)
    if by_sample is None:
        return unknown("how many targets a training sample has was not seen")
    count = sum(
        math.prod(p.shape) for p in view.log.parameters.values() if p.trainable and p.optimizer is not None
    )
    if not count:
        return unknown("no optimizer was seen to hold parameters")
    return known(count / (by_sample * loader.samples), n=count)


def _targets_by_sample(view: View, loader: Loader) -> float | None:
    if not loader.batch_size:
        return None
    compared = [math.prod(c.target_shape) / loader.batch_size for c in view.log.losses if c.target_shape]
    steps = [r.time for r in view.log.readouts if r.last_share < _AT_LAST_STEP]
    if not compared:
        return None
    return max(median(compared), median(steps) if steps else 1.0, 1.0)
