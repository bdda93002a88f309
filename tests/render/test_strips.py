"""The gradient by lag in characters."""

import math
import re

import pytest
from rich.cells import cell_len

from rnn_doctor.render.page import Page
from rnn_doctor.render.strips import by_lag
from rnn_doctor.schema.report import LagProfile


def profile(slope: float = -0.5, longest: int = 20, module: str = "lstm", **fields: object) -> LagProfile:
    lags = range(longest + 1)
    given: dict[str, object] = {
        "module": module, "step": 50, "lags": tuple(lags), "decades": tuple(slope * lag for lag in lags),
    }  # fmt: skip
    return LagProfile.model_validate(given | fields)


def drawn(*profiles: LagProfile) -> list[str]:
    page = Page(80, color=False)
    by_lag(page, profiles)
    return page.text().splitlines()[4:]


def test_each_lag_is_the_digit_of_the_decades_that_are_lost() -> None:
    strip, axis = drawn(profile(-0.5))
    assert strip.split() == ["lstm", "00112233445566778899-"]
    assert axis.split() == ["lag", "0", "10", "20"]
    assert axis.index("10") == strip.index("0011") + 10


def test_what_grows_and_what_is_nothing_have_marks_of_their_own() -> None:
    assert drawn(profile(0.5, longest=3))[0].endswith(" 00++")
    values = (0.0, -1.0, -math.inf, math.nan)
    assert drawn(profile(longest=3, decades=values))[0].endswith(" 01-?")


@pytest.mark.parametrize("longest", [49, 50, 51, 117, 1000])
def test_long_profiles_are_thinned_evenly(longest: int) -> None:
    strip, axis = drawn(profile(-9.5 / longest, longest))
    digits = strip.split()[1]
    assert len(digits) == 50
    assert digits == "".join(sorted(digits))
    assert digits[0] == "0"
    assert digits[-1] == "9"
    labels = [int(word) for word in axis.split()[1:]]
    assert labels == [round(column * longest / 49) for column in range(0, 50, 10)]


def test_lags_that_were_not_measured_are_interpolated() -> None:
    sparse = profile(lags=(0, 1, 10), decades=(0.0, -0.1, -9.1))
    assert drawn(sparse)[0].split()[1] == "00123456789"


def test_layers_stand_under_their_module_and_directions_apart() -> None:
    lines = drawn(
        profile(),
        profile(reverse=True),
        profile(layer=0),
        profile(layer=1, reverse=True),
        profile(module="gru"),
    )
    labels = [re.sub(r" +[-0-9+]+$", "", line) for line in lines]
    assert labels[:4] == ["  lstm", "  lstm backward", "    layer 0", "    layer 1 backward"]
    assert labels[-2] == "  gru"


@pytest.mark.parametrize("needed", [0, 7, 20])
def test_the_needed_lag_is_marked_under_its_column(needed: int) -> None:
    strip, _, mark = drawn(profile(needed_lag=needed, needed_lag_basis="--lag"))
    assert mark.index("^") == strip.index("0011") + needed
    assert f"needed: lag {needed}, --lag" in mark


def test_the_mark_of_a_late_lag_stands_left_of_it() -> None:
    strip, _, mark = drawn(profile(-0.01, 100, needed_lag=98, needed_lag_basis="from the data"))
    assert mark.endswith("^")
    assert mark.index("^") == len(strip) - 2
    assert len(mark) <= 80


def test_where_its_words_fit_on_neither_side_the_mark_stands_alone() -> None:
    basis = "the data carry information at lags 0 to 11, test on 800 sequences"
    strip, _, mark, *words = drawn(profile(longest=11, needed_lag=11, needed_lag_basis=basis))
    assert mark.strip() == "^"
    assert mark.index("^") == strip.index("0011") + 11
    assert " ".join(" ".join(words).split()) == f"needed: lag 11, {basis}"


def test_a_needed_lag_beyond_the_sequences_is_said_in_words() -> None:
    assert (
        drawn(profile(longest=5, needed_lag=9))[-1].strip()
        == "needed: lag 9; the sequences reach back 5 steps"
    )


def test_hostile_and_long_names_keep_the_columns() -> None:
    plain = drawn(profile())[0].index("0011")
    for name in ("x" * 200, "a\x1b[31m\nb", "model.encoder.stack.layers.0.recurrent.lstm"):
        (strip, *_) = drawn(profile(module=name))
        assert strip.index("0011") == plain
        assert strip.isprintable()


def test_of_many_modules_the_rest_is_counted() -> None:
    lines = drawn(*(profile(module=f"lstm{k}") for k in range(7)))
    assert lines[-1].strip() == "and 3 more in the JSON report"


def test_nothing_is_drawn_of_nothing() -> None:
    page = Page(80, color=False)
    by_lag(page, ())
    assert page.text() == ""


def test_names_in_wide_characters_leave_the_strips_aligned() -> None:
    lines = drawn(profile(longest=12, module="エンコーダ"), profile(longest=12, module="エンコーダ", layer=0))
    assert len({cell_len(line) - len(line.split()[-1]) for line in lines[:2]}) == 1
    (long, _) = drawn(profile(longest=12, module="エンコーダの再帰層の名前"))
    assert "..." in long
    assert cell_len(long) == 2 + 24 + 13
