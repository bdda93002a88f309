"""Replay and lag gain against the truth: autograd through an explicit unroll, and recurrences of a known Jacobian.

    python benchmarks/exactness.py

Every form in which torch's recurrent modules can be built and called (tests/capture/configurations.py) is held against
the equations of torch's documentation, written out step by step in double precision (tests/capture/unrolled.py). Then
the probe watches an update of networks whose gain from step to step is known (tests/capture/known_jacobians.py), and
the slope that its log tells is held against it. Writes exactness.md beside this file; exits with 1 if an error is
larger than its limit. A minute and a half on one core.
"""

import platform
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from tests.capture import exactness, known_jacobians  # noqa: E402
from tests.capture.configurations import Configuration, configurations  # noqa: E402
from tests.capture.known_jacobians import Known, Slope  # noqa: E402

TYPES = (torch.float64, torch.float32)
Errors = dict[Configuration, dict[str, float]]


def main() -> int:
    """Exit code 0 if every error is within its limit, else 1."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
    errors = {configuration: exactness.errors(configuration) for configuration in configurations()}
    slopes = {known: known_jacobians.slopes(known) for known in known_jacobians.recurrences()}
    over = [*_over(errors), *_wrong(slopes)]
    page = "\n".join(_page(errors, slopes, over))
    print(page)
    Path(__file__).with_suffix(".md").write_text(page + "\n", encoding="utf-8")
    return 1 if over else 0


def _over(errors: Errors) -> list[str]:
    return [
        f"{configuration.name}: {quantity} {error:.1e}"
        for configuration, found in errors.items()
        for quantity, error in found.items()
        if error > exactness.limit(quantity, configuration.dtype)
    ]


def _wrong(slopes: dict[Known, list[Slope]]) -> list[str]:
    return [
        f"{known.construction}, {known.detail}: {slope.of} {slope.found:.5f}, not {slope.true:.5f}"
        for known, found in slopes.items()
        for slope in found
        if (
            slope.difference > known_jacobians.SCATTER
            if known.scatters
            else slope.error > known_jacobians.LIMIT
        )
    ]


def _page(errors: Errors, slopes: dict[Known, list[Slope]], over: Sequence[str]) -> list[str]:
    return [
        "# Replay and lag gain against the truth",
        "",
        f"`python benchmarks/exactness.py`, Python {platform.python_version()}, torch {version('torch')}, one thread.",
        "",
        "## Against autograd through an explicit unroll",
        "",
        "What the probe computes (through the module's own kernel, and by its replay with its own backward pass) is "
        "held against the equations of torch's documentation, written out step by step and differentiated by "
        "autograd, in double precision also where the module is in single. The loss is random and reads every output "
        "and the final states. An error is the largest difference of a tensor (all steps, rows and units of one layer "
        "and direction) relative to its largest magnitude. Of the profiles by time and by lag, which span decades, it "
        "is the largest difference of one value relative to that value. Shares of saturated, stuck, dead and active "
        "units are means in single precision of what is counted; their plain difference is told, in double precision "
        "alone.",
        "",
        f"{len(errors)} configurations: layers 1 to 3 x one or two directions x `batch_first` x with and without "
        "biases x not packed, packed sorted, packed unsorted, unbatched x with and without an initial state x two "
        "precisions; cells, called once a step, x biases x batched or not x initial state x precision. "
        f"Limits: {exactness.LIMITS[torch.float64]:g} in float64, {exactness.LIMITS[torch.float32]:g} in float32, "
        f"{exactness.SHARES_LIMIT:g} for shares.",
        "",
        *_by_family(errors),
        "",
        *_by_quantity(errors),
        "",
        "## Against a known Jacobian",
        "",
        "Each network makes one update under the whole probe. A slope is the Theil-Sen slope of a profile in the log, "
        "or the signal `lag_slope_start` that rules read from it, in decades a step; its error is relative to the "
        f"true log10, and may be {known_jacobians.LIMIT:.0%}. The gain is that of the inputs' gradient: where inputs "
        "enter by a random matrix rather than by an orthogonal one, its norm is that of a random projection and "
        "scatters from lag to lag, so that there the difference counts, which may be "
        f"{known_jacobians.SCATTER:g} decades a step.",
        "",
        *_by_construction(slopes),
        "",
        *([f"**{len(over)} beyond their limit:**", "", *(f"- {line}" for line in over)] if over else
          ["Everything is within its limit."]),
    ]  # fmt: skip


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _by_family(errors: Errors) -> list[str]:
    counts = Counter(configuration.family for configuration in errors)
    rows = []
    for family, count in counts.items():
        cells = [family, str(count)]
        for dtype in TYPES:
            worst, quantity, where = max(
                (error, quantity, configuration.name)
                for configuration, found in errors.items()
                if configuration.family == family and configuration.dtype == dtype
                for quantity, error in found.items()
                if quantity != exactness.SHARES
            )
            place = where.partition(", ")[2].partition(", ")[2] or "plain"
            cells += [f"{worst:.1e}", f"{quantity}; {place}"]
        rows.append(cells)
    rows.append(["all", str(len(errors)), *_worst(errors), ""])
    heads = ["family", "configurations", "largest error, float64", "where", "largest error, float32", "where"]
    return _table(heads, rows)


def _worst(errors: Errors) -> list[str]:
    found = [
        max(
            e
            for c, some in errors.items()
            if c.dtype == dtype
            for q, e in some.items()
            if q != exactness.SHARES
        )
        for dtype in TYPES
    ]
    return [f"{found[0]:.1e}", "", f"{found[1]:.1e}"]


def _by_quantity(errors: Errors) -> list[str]:
    quantities = dict.fromkeys(quantity for found in errors.values() for quantity in found)
    rows = []
    for quantity in quantities:
        cells = [quantity]
        for dtype in TYPES:
            some = [found[quantity] for c, found in errors.items() if c.dtype == dtype and quantity in found]
            cells += [f"{max(some):.1e}"] if some else [""]
        rows.append([*cells, str(sum(quantity in found for found in errors.values()))])
    return _table(["quantity", "largest error, float64", "largest error, float32", "in configurations"], rows)


def _by_construction(slopes: dict[Known, list[Slope]]) -> list[str]:
    rows = []
    for name in dict.fromkeys(known.construction for known in slopes):
        own = {known: found for known, found in slopes.items() if known.construction == name}
        flat = [(slope, known) for known, found in own.items() for slope in found]
        worst, where = max(flat, key=lambda pair: pair[0].error)
        true = [slope.true for slope, _ in flat]
        scatters = any(known.scatters for known in own)
        rows.append(
            [
                name,
                str(len(own)),
                str(len(flat)),
                f"{min(true):+.4f} to {max(true):+.4f}",
                f"{worst.error:.3%}" + (" (not limited)" if scatters else ""),
                f"{worst.of}; {where.detail}",
                f"{max(slope.difference for slope, _ in flat):.1e}",
            ]
        )
    heads = [
        "recurrence",
        "networks",
        "slopes",
        "true slopes",
        "largest error",
        "where",
        "largest difference",
    ]
    return _table(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
