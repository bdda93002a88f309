"""Whether the recurrent weights are trained at the rate that the others are, where an optimizer has several groups."""

import math
from collections import Counter

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(unit="share", by="module", reads=("parameters", "optimizers", "steps.lr"))
def recurrent_rate_share(view: View) -> dict[str, Measurement]:
    """Largest learning rate of a module's own weights, over that of the group with most of the other weights.

    A few weights may have a rate of their own, as the transitions of a CRF or a logarithm of a variance.

    Reads: `log.parameters[id].module`, `.optimizer`, `.group`, `.shape`; `log.steps[k].lr`. Unit: share.
    1 where the optimizer has one group. None if: no optimizer, or several, hold them, or no rate above zero was seen.
    """

    def measure(module: int) -> Measurement:
        own = [p for p in view.log.parameters.values() if p.module == module and p.trainable]
        holders = {p.optimizer for p in own if p.optimizer is not None}
        groups = {p.group for p in own if p.group is not None}
        if len(holders) != 1:
            return unknown("which optimizer holds its weights was not seen")
        (number,) = holders
        if not groups:
            return known(1.0, n=len(own))
        others: Counter[int] = Counter()
        for p in view.log.parameters.values():
            if p.optimizer == number and p.module != module and p.group is not None:
                others[p.group] += math.prod(p.shape)
        rates = [max(group) for group in zip(*view.rates(number), strict=False)]
        most = others.most_common(1)[0][0] if others else max(groups)
        if max(*groups, most) >= len(rates) or rates[most] <= 0:
            return unknown("no learning rate above zero was seen")
        return known(max(rates[group] for group in groups) / rates[most], n=len(rates))

    return each_module(view, measure)
