"""Remedies that should not be applied together."""

from collections.abc import Iterable

from rnn_doctor.schema.remedy import Remedy


def compatible(ranked: Iterable[Remedy]) -> list[Remedy]:
    """The remedies in their order, without those that exclude, or are excluded by, one ranked before them."""
    kept: list[Remedy] = []
    for remedy in ranked:
        if not any(remedy.id in other.excludes or other.id in remedy.excludes for other in kept):
            kept.append(remedy)
    return kept
