"""Calls that hand their states on, joined to the one sequence that they are."""

from __future__ import annotations

import torch

from .kernel import Rows

_OPEN = 4
"""Chains that a call may continue: one cell may serve several streams in turn."""
_TOLERANCE = 1e-4


def joined(calls: list[tuple[str, Rows]]) -> list[Rows]:
    """The calls of one module, those linked "attached" joined over time to the chain whose last output they start from.

    A recurrence over the joined inputs from the first state gives the joined outputs: exact for chunks of
    a sequence and for one call a time step. Calls of bidirectional modules, and rows of unequal lengths, stay alone,
    as does a call whose state was changed on the way, such as by a mask.

    Shapes: x (T_k, R, I), output (T_k, R, P) -> (sum of T_k, R, I), (sum of T_k, R, P).
    """
    chains: list[list[Rows]] = []
    for link, rows in calls:
        continued = None
        if link == "attached":
            continued = next((c for c in reversed(chains[-_OPEN:]) if _continues(rows, c[-1])), None)
        if continued is None:
            chains.append([rows])
        else:
            continued.append(rows)
    return [_one(chain) for chain in chains]


def _continues(rows: Rows, last: Rows) -> bool:
    top, end = rows.state.h[-1], last.output[-1]
    return (
        bool(top.isfinite().all())
        and _is_full(rows)
        and _is_full(last)
        and top.shape
        == end.shape  # two directions end at different steps; their output is wider than a state
        and torch.allclose(top, end, rtol=_TOLERANCE, atol=_TOLERANCE * float(top.abs().max()))
    )


def _is_full(rows: Rows) -> bool:
    return all(length == rows.x.shape[0] for length in rows.lengths)


def _one(chain: list[Rows]) -> Rows:
    if len(chain) == 1:
        return chain[0]
    x = torch.cat([rows.x for rows in chain])
    return chain[0]._replace(
        x=x,
        output=torch.cat([rows.output for rows in chain]),
        lengths=[x.shape[0]] * x.shape[1],
        final=chain[-1].final,
        calls=sum(rows.calls for rows in chain),
    )
