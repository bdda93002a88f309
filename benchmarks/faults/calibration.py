"""How often each rule was right, as the rulebook ships it: rules/calibration.json.

The held-back part and the later ones count together, so that most rules have enough findings for a number. But rules
were mended after the held-back part had been looked at, so its share may flatter them: where the share of the later
parts lies below the interval of all, these alone are told.
"""

import json
import math
from collections.abc import Sequence

from .score import Rate, Result, calibration, interval
from .task import FOLDERS, HELD_BACK

FEWEST = 10
"""Findings of a rule that make a number to be shown: 10 of 10 is a share of at least 0.69."""
_NONE = (0, 0)


def records(results: Sequence[Result]) -> dict[str, Rate]:
    """What a user is told of each rule; of those found FEWEST times at least."""
    held, fresh = (calibration(r for r in results if r["part"] in parts) for parts in ((HELD_BACK,), FOLDERS))
    told = {rule: _told(held.get(rule, _NONE), fresh.get(rule, _NONE)) for rule in sorted({*held, *fresh})}
    return {rule: counted for rule, counted in told.items() if counted[1] >= FEWEST}


def _told(held: Rate, fresh: Rate) -> Rate:
    both = held[0] + fresh[0], held[1] + fresh[1]
    return fresh if fresh[1] and fresh[0] / fresh[1] < interval(*both)[0] else both


def written(results: Sequence[Result]) -> str:
    """The file."""
    lines = []
    for rule, (right, of) in records(results).items():
        low, high = interval(right, of)
        limits = [math.floor(low * 1000) / 1000, math.ceil(high * 1000) / 1000]
        lines.append(f'    "{rule}": {json.dumps({"right": right, "of": of, "interval": limits})}')
    body = ",\n".join(lines)
    return f'{{\n  "made_by": "python -m benchmarks.faults.page",\n  "rules": {{\n{body}\n  }}\n}}\n'
