"""What gave no verdict: the checks that could not be judged, and apart from them those that were not asked for."""

from collections.abc import Sequence

from rnn_doctor.render.wording import joined, short
from rnn_doctor.schema.report import NotAssessed, Report


def listed(report: Report) -> list[NotAssessed]:
    """What was looked for and could not be judged. What an option would have judged is none of it."""
    return [entry for entry in report.not_assessed if entry.option is None]


def checks(entries: Sequence[NotAssessed]) -> int:
    """How many checks they are: one that has several reasons, each for some of its subjects, is one."""
    return len({entry.what for entry in entries})


def offers(report: Report) -> list[str]:
    """What further options would have judged, each in a sentence: `--deep judges RD702 one-batch-not-learned, too.`"""
    by_option: dict[str, list[str]] = {}
    for entry in report.not_assessed:
        if entry.option is not None:
            by_option.setdefault(entry.option, []).append(entry.what)
    return [
        f"{short(option, 100)} judges {short(joined(list(dict.fromkeys(what))), 500)}, too."
        for option, what in by_option.items()
    ]
