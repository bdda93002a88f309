"""Charts: ticks at round numbers, scales for any numbers, gaps where there is no number."""

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_doctor.render.html.charts import heat, lines, rows, scales, svg

NUMBERS = st.lists(st.floats(), max_size=8)


@settings(derandomize=True, deadline=None)
@given(NUMBERS, st.integers(2, 8), st.booleans())
def test_a_linear_scale_holds_all_finite_numbers(values: list[float], most: int, whole: bool) -> None:
    scale = scales.linear(values, most=most, whole=whole)
    _sound(scale, [v for v in values if math.isfinite(v)])
    assert 2 <= len(scale.ticks) <= most + 2


@settings(derandomize=True, deadline=None)
@given(NUMBERS, st.integers(2, 8))
def test_a_logarithmic_scale_holds_all_positive_numbers(values: list[float], most: int) -> None:
    scale = scales.logarithmic(values, most=most)
    _sound(scale, [v for v in values if math.isfinite(v) and v > 0])
    assert 1 <= len(scale.ticks) <= most + 1


def _sound(scale: scales.Scale, values: list[float]) -> None:
    assert scale.low < scale.high
    assert all(after > before for before, after in pairwise(scale.ticks))
    for value in (*values, *scale.ticks):
        share = scale.at(value)
        assert share is not None
        assert 0 <= share <= 1


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 10], (0, 5, 10)),
        ([1, 50], (0, 20, 40, 60)),
        ([0.12, 0.47], (0.1, 0.2, 0.3, 0.4, 0.5)),
        ([-3, 3], (-4, -2, 0, 2, 4)),
    ],
)
def test_linear_ticks_are_round(values: list[float], ticks: tuple[float, ...]) -> None:
    assert scales.linear(values).ticks == pytest.approx(ticks)


def test_logarithmic_ticks_are_powers_of_ten_or_round_parts_of_one() -> None:
    assert scales.logarithmic([0.5, 900]).ticks == pytest.approx((1, 10, 100, 1000))
    assert set(scales.logarithmic([2, 6]).ticks) <= {1, 2, 3, 5, 10}
    assert scales.logarithmic([0.08, 5]).ticks == pytest.approx((0.1, 0.3, 1, 3)), "two powers are too few"
    assert len(scales.logarithmic([1e-30, 1e30]).ticks) <= 6


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_place(value: float) -> None:
    assert scales.linear([0, 1]).at(value) is None
    assert scales.logarithmic([1, 10]).at(value) is None


def test_zero_has_no_place_on_a_logarithmic_scale() -> None:
    assert scales.logarithmic([1, 10]).at(0.0) is None


def test_far_apart_positive_numbers_are_shown_on_a_log_scale() -> None:
    assert scales.fitting([0.1, 400.0]).log
    assert not scales.fitting([1.0, 4.0]).log
    assert not scales.fitting([0.0, 400.0]).log


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.001, "0.001"),
        (1e-6, "10⁻⁶"),
        (2e9, "2·10⁹"),
        (-1e-4, "−10⁻⁴"),
        (1e5, "10⁵"),
        (-3.0, "−3"),
        (20.0, "20"),
    ],
)
def test_numbers_on_an_axis(value: float, text: str) -> None:
    assert scales.words(value) == text


def _chart(ys: list[float], **fields: bool) -> str:
    return lines.draw(lines.Chart([lines.Series("s", range(len(ys)), ys, **fields)], "x", "y"))


def _paths(text: str) -> list[str]:
    return re.findall(r'<path d="([^"]*)" class="line', text)


def test_a_gap_breaks_the_curve_and_is_marked() -> None:
    text = _chart([1.0, 2.0, math.nan, 3.0, 4.0, math.inf])
    (path,) = _paths(text)
    assert path.count("M") == 2
    assert text.count('class="gap"') == 2
    assert "nan" not in text
    assert "inf" not in text


def test_a_lone_number_is_a_dot() -> None:
    (path,) = _paths(_chart([math.nan, 3.0, math.nan]))
    begin, end = path.removeprefix("M").split("L")
    assert begin == end


def test_numbers_that_are_never_finite_draw_no_curve() -> None:
    text = _chart([math.nan, math.inf])
    assert _paths(text) == []
    assert text.count('class="gap"') == 2


def test_nothing_at_all_is_drawn_as_an_empty_frame() -> None:
    assert _paths(_chart([])) == []


def _banded(lows: list[float], highs: list[float], **fields: Any) -> str:
    xs = range(len(lows))
    line = lines.Series("s", xs, [(low + high) / 2 for low, high in zip(lows, highs, strict=True)])
    return lines.draw(lines.Chart([line], "x", "y", bands=[lines.Band(xs, lows, highs)], **fields))


def test_a_band_is_shaded_between_its_edges() -> None:
    text = _banded([0.0, 0.5], [1.0, 1.0], y_range=(0, 1), height=100)
    (path,) = re.findall(r'<path d="([^"]*)" class="band tone1"', text)
    assert path == "M0 0L1000 0L1000 50L0 100Z", "along the upper edge, back along the lower"


def test_a_band_whose_edge_is_not_known_throughout_is_left_out() -> None:
    assert 'class="band' not in _banded([0.0, math.nan, 0.2], [1.0, 1.0, 1.0])
    assert 'class="band' not in _banded([0.0, 0.1, math.nan], [math.nan, 1.0, 1.0])


def test_the_y_axis_holds_at_least_what_it_is_told_to() -> None:
    line = lines.Series("s", [0, 1], [0.4, 0.5])
    text = lines.draw(lines.Chart([line], "x", "y", y_range=(0, 1), log=False, height=100))
    assert _paths(text) == ["M0 60L1000 50"]
    assert re.findall(r'text-anchor="end">([\d.]+)<', text) == ["0", "0.5", "1"]


def test_rules_stand_where_they_belong_with_their_words_above_the_curves() -> None:
    line = lines.Series("s", [0, 10], [0, 10])
    ruled = [lines.Rule(2.5, "upright"), lines.Rule(5, "level", "y"), lines.Rule(math.nan, "nowhere", "y")]
    text = lines.draw(lines.Chart([line], "x", "y", rules=ruled, log=False, height=100))
    assert text.count('class="rule"') == 2
    assert 'x1="25%" x2="25%"' in text
    assert "nowhere" not in text
    assert text.index('class="line') < text.index(">upright<") < text.index(">level<")


def test_a_level_rule_in_the_way_of_curves_has_its_words_in_the_key_alone() -> None:
    crossing = lines.Series("s", range(100), [4.5 + 1.0 * (k % 2) for k in range(100)])
    chart = lines.Chart([crossing], "x", "y", rules=[lines.Rule(5, "level", "y")], y_range=(0, 10), log=False)
    text = lines.draw(chart)
    assert 'class="rule"' in text
    assert ">level<" not in text
    steep = lines.Series("s", [0, 100], [0.0, 10.0])  # it runs through between its points
    rule = lines.Rule(5, "words as long as the picture of a phone", "y")
    assert "words" not in lines.draw(lines.Chart([steep], "x", "y", rules=[rule], log=False))
    spike = lines.Series("s", range(50), [6.0 if k == 46 else 1.0 for k in range(50)])
    beside = lines.Chart([spike], "x", "y", rules=[lines.Rule(5, "limit", "y")], log=False)
    assert 'x="0%"' in re.findall(r"<text[^>]*>limit<", lines.draw(beside))[0], "where the spike is not"


def test_words_and_names_are_escaped() -> None:
    text = lines.draw(lines.Chart([], "<x>", '"&'))
    assert "<x>" not in text
    assert "&lt;x&gt;" in text
    assert svg.tag("text", "<b>", x='"') == '<text x="&#34;">&lt;b&gt;</text>'


def test_neighbours_of_one_level_are_one_rectangle() -> None:
    row = heat.Row("r", [("l0", "0")] * 3 + [("l5", "–")] * 2)
    text = heat.draw(heat.Heat([row], [0, 1, 2, 3, 4], "lag", marked=3, mark="needed: lag 3"))
    assert re.findall(r'class="cell (\w+)"', text) == ["l0", "l5"]
    assert '<rect x="60%" y="34" width="20%"' in text, "the frame is around the fourth of five columns"
    assert "needed: lag 3" in text


def test_every_row_has_a_frame_of_its_own() -> None:
    cells = [("l0", "0")] * 5
    text = heat.draw(
        heat.Heat([heat.Row("a", cells), heat.Row("b", cells)], range(5), "lag", marked=0, mark="m")
    )
    assert re.findall(r'y="(\d+)"[^>]* class="frame"', text) == ["34", "82"]


@pytest.mark.parametrize(
    ("columns", "ticks"),
    [
        (list(range(35)), ["0", "10", "20", "30"]),
        ([round(k * 199 / 49) for k in range(50)], ["0", "50", "100", "150"]),
        ([7], ["7"]),
    ],
)
def test_columns_are_numbered_by_round_numbers_where_they_belong(
    columns: list[int], ticks: list[str]
) -> None:
    text = heat.draw(heat.Heat([heat.Row("r", [("l0", "0")] * len(columns))], columns, "lag"))
    found = re.findall(r'<text x="([\d.]+)%"[^>]*text-anchor="middle">([\d.]+)</text>', text)
    assert [word for _, word in found] == ticks
    places = [float(place) for place, _ in found]
    if columns[-1] == 199:
        assert places[2] == pytest.approx(100 * (100 / 199 * 49 + 0.5) / 50, abs=0.5), (
            "between its neighbours"
        )


def test_a_name_of_two_lines_has_room_above_its_interval() -> None:
    one, two = (
        rows.ranges([rows.Range(name, 0, 1, ())], scales.linear([0, 1]), "effect") for name in ("a", "a\nb")
    )
    heights = [re.search(r'<svg[^>]* height="(\d+)"', text)[1] for text in (one, two)]  # type: ignore[index]
    assert int(heights[1]) - int(heights[0]) == 15


def test_many_columns_have_no_characters() -> None:
    row = heat.Row("r", [("l0", "0")] * 50)
    assert "digit" not in heat.draw(heat.Heat([row], list(range(50)), "lag"))


def test_an_interval_with_infinite_ends_keeps_its_point() -> None:
    text = rows.ranges([rows.Range("r", -math.inf, math.inf, ((0.5, 1),))], scales.linear([0, 1]), "effect")
    assert text.count("<circle") == 1
    assert 'class="range"' not in text


def test_bars_never_leave_their_row() -> None:
    text = rows.bars([rows.Bars("r", [("update 1", ((1, 0.8), (2, -0.1), (3, 0.9)))])], "share in %")
    places = [
        (float(x), float(width))
        for x, width in re.findall(r'x="([\d.]+)%" y="[^"]+" width="([\d.]+)%"', text)
    ]
    assert places == [(0, 80), (80, 20)]
