"""How often each rule was right, as the rulebook ships it: rules/calibration.json.

The held-back part and the later ones count together, so that most rules have enough findings for a number. But rules
were mended with what these parts showed, so that today's shares may flatter them: where the share of the later parts at
first look (first_looks.py) lies below the interval of all, it is what is told.
"""

import json
import math
from collections.abc import Mapping, Sequence

from .first_looks import Look
from .score import Rate, Result, calibration, interval, total
from .task import FOLDERS, HELD_BACK

FEWEST = 10
"""Findings of a rule that make a number to be shown: 10 of 10 is a share of at least 0.69."""
_NONE = (0, 0)


def records(results: Sequence[Result], looks: Mapping[str, Look]) -> dict[str, Rate]:
    """What a user is told of each rule; of those found FEWEST times at least."""
    now = calibration(r for r in results if r["part"] in (HELD_BACK, *FOLDERS))
    told = {rule: _told(counted, at_first(looks, rule)) for rule, counted in now.items()}
    return {rule: counted for rule, counted in told.items() if counted[1] >= FEWEST}


def at_first(looks: Mapping[str, Look], rule: str) -> Rate:
    """The findings of a rule when the later parts were examined for the first time."""
    return total(look.rules.get(rule, _NONE) for look in looks.values())


def _told(now: Rate, first: Rate) -> Rate:
    return first if first[1] and first[0] / first[1] < interval(*now)[0] else now


def written(results: Sequence[Result], looks: Mapping[str, Look]) -> str:
    """The file."""
    lines = []
    for rule, (right, of) in records(results, looks).items():
        low, high = interval(right, of)
        limits = [math.floor(low * 1000) / 1000, math.ceil(high * 1000) / 1000]
        lines.append(f'    "{rule}": {json.dumps({"right": right, "of": of, "interval": limits})}')
    body = ",\n".join(lines)
    return f'{{\n  "made_by": "python -m benchmarks.faults.page",\n  "rules": {{\n{body}\n  }}\n}}\n'
