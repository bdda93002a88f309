"""The page's structure: valid, self-contained, in order for those who do not see it, and deaf to what names say."""

import base64
import hashlib
import math
import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

from rnn_doctor.derive.profiles import profiles
from rnn_doctor.render.html import page as html
from rnn_doctor.schema import stored
from rnn_doctor.schema.remedy import Study
from rnn_doctor.schema.report import Finding, NotAssessed
from rnn_doctor.schema.signals import Measurement, Signal
from tests.derive import logs
from tests.render import reports
from tests.render.html import crowds, pages
from tests.render.html.pages import NAMES

_OUTWARD = "noreferrer noopener"
"""How links to sources are marked: they are followed by a reader alone."""
GOLD = Path(__file__).parents[2] / "gold"


def parsed(text: str) -> Element:
    """The page as a tree. Raises where a browser would have to guess."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    return tree


def tree(name: str) -> Element:
    return parsed(pages.page(name))


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def named(root: Element, *tags: str) -> Iterator[Element]:
    return (each for each in root.iter() if isinstance(each.tag, str) and each.tag.rpartition("}")[2] in tags)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_html(name: str) -> None:
    root = tree(name)
    assert root.get("lang") == "en"
    assert [words(each) for each in named(root, "title")]


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_and_references_lead_somewhere(name: str) -> None:
    root = tree(name)
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    wanted = [
        each.get("href", "").removeprefix("#") for each in named(root, "a") if each.get("rel") != _OUTWARD
    ]
    wanted += [part for each in root.iter() for part in each.get("aria-labelledby", "").split()]
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_headings_and_landmarks_are_in_order(name: str) -> None:
    root = tree(name)
    levels = [int(each.tag[1]) for each in named(root, "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    found = [each.tag for each in named(root, "header", "main", "footer")]
    assert found == ["header", "main", "footer"]
    assert all(each.get("aria-label") for each in named(root, "nav"))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_told_in_words_and_numbers(name: str) -> None:
    for picture in (each for each in named(tree(name), "figure") if "picture" in each.get("class", "")):
        drawings = [each for each in picture.iter() if each.get("role") == "img"]
        assert len(drawings) == 1
        assert len(drawings[0].get("aria-label", "")) > 30
        assert list(named(picture, "table")), "numbers for those who do not see it"
    for svg in named(tree(name), "svg"):
        hidden = svg.get("aria-hidden") == "true"
        assert hidden or svg.get("class") in (None, "stretched"), "a drawing beside its words is not read out"


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_nothing_and_allows_its_own_style_and_script_alone(name: str) -> None:
    root = tree(name)
    for each in root.iter():
        for attribute, value in each.attrib.items():
            assert attribute not in ("style", "srcset", "action"), "styles in attributes are forbidden to it"
            assert not attribute.startswith("on"), attribute
            if attribute in ("src", "href"):
                assert value.startswith("#") or value == "data:," or each.get("rel") == _OUTWARD, value
    policy = next(
        each.get("content", "")
        for each in named(root, "meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (only,) = named(root, tag)
        digest = base64.b64encode(hashlib.sha256((only.text or "").encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "url(" not in next(named(root, "style")).text  # type: ignore[operator]


def test_names_make_no_elements() -> None:
    harmless, harmful = html.render(pages.harmful("harmless")), pages.page("harmful")
    tags = [
        # Paths may break after their slashes, titles in pictures have two lines where they are long.
        [each.tag for each in parsed(text).iter() if each.tag != "wbr" and not each.tag.endswith("}text")]
        for text in (harmless, harmful)
    ]
    assert tags[0] == tags[1]
    assert "<script>alert" not in harmful
    assert "49" not in words(next(named(parsed(harmful), "h1"))), "templates in names are not run"
    assert pages.MARKUP in words(next(named(parsed(harmful), "h1")))


def test_characters_that_steer_are_left_out() -> None:
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", pages.page("hostile")
    )


def test_endless_texts_and_lists_stay_bounded() -> None:
    endless, long = "<b>\u202e" * 250_000, "<i>" * 5_000
    many = reports.ill().findings[0]
    report = pages.harmful(endless).model_copy(
        update={
            "findings": tuple(many.model_copy(update={"subject": f"{k}{long}"}) for k in range(300)),
            "not_assessed": tuple(NotAssessed(what=f"{k}{long}", reason=long) for k in range(300)),
            "signals": tuple(
                Signal(name=long, unit="1", measurements={f"{k}": Measurement(value=long) for k in range(30)})
                for _ in range(20)
            ),
        }
    )
    assert len(html.render(report).encode()) < 2_000_000


def test_what_is_first_on_the_page() -> None:
    root = tree("ill")
    text = words(next(named(root, "body")))
    parts = [
        "train.py --epochs 3",
        "The input of encoder has a standard deviation of 104",
        "Where train.py:31 output, _ = self.encoder(x)",
        "Try first Standardize the inputs",
        "In all 2 errors, 5 warnings and 1 note, from 3 causes.",
        "vanishing gradients Not assessed",
        "exploding gradients Present high confidence",
        "overfitting Not assessed",
        "slow convergence Present",
        "error RD403 unscaled-inputs",
        "train.py:31 in Model.forward",
        "output, _ = self.encoder(x)",
        "What follows from it",
        "error RD103 gradient-spikes",
        "The same on 2 more: blocks.3, blocks.4",
        "Gradient by lag",
        "Not drawn",
        "Remedies, best first",
        "tried: it helped; 0.66 times the loss (0.61 to 0.74) with the learning rate times 0.1, "
        "in 3 runs of 40 updates; RD103 is gone",
        "Not assessed",
        "the lag that the task needs is not known",
        "The run",
    ]
    at = 0
    for part in parts:
        assert part in text[at:], part
        at = text.index(part, at)


def test_a_healthy_page_is_calm_and_says_what_was_not_assessed() -> None:
    text = words(next(named(tree("healthy"), "main")))
    assert "None. What was measured gave no sign of a fault" in text
    assert "2 checks could give no verdict" in text
    assert "Remedies" not in text
    told = "Nothing was found; vanishing gradients and overfitting could not be assessed."
    assert told in words(tree("healthy"))


def test_consequences_stand_within_their_cause() -> None:
    causes = [each for each in named(tree("ill"), "article") if each.get("id") == "finding-1"]
    inside = [each.get("id") for each in named(causes[0], "article")]
    assert inside == ["finding-1", "finding-2"]


def test_a_finding_whose_cause_is_not_in_the_report_is_told_all_the_same() -> None:
    orphan = reports.ill().findings[1]
    assert orphan.explained_by
    text = html.render(reports.healthy().model_copy(update={"findings": (orphan,)}))
    assert orphan.message in words(parsed(text))


def test_code_is_copied_as_it_stands() -> None:
    shown = [each for each in named(tree("ill"), "div") if each.get("class") == "snippet"]
    assert len(shown) == 4
    for each, remedy in zip(shown, reports.ill().remedies, strict=True):
        assert "".join(next(named(each, "code")).itertext()) == remedy.how


def test_rules_that_the_report_carries_are_told_and_linked() -> None:
    (report,) = stored.read(GOLD / "report-v1.json")
    root = parsed(html.render(report))
    found = {finding.rule for finding in report.findings} & {page.id for page in report.rulebook}
    rules = [each for each in named(root, "details") if each.get("class") == "rule"]
    assert [each.get("id") for each in rules] == [f"rule-{rule}" for rule in sorted(found)]


def test_what_was_agreed_on_is_told() -> None:
    told = words(next(each for each in named(tree("full"), "section") if each.get("id") == "agreed"))
    assert "Suppressed: note RD410 dropout-without-effect" in told
    assert "Threshold of RD403: input_std > 20, as shipped > 10" in told
    assert "Gone since the baseline" in told


def test_a_stored_report_without_curves_says_that_it_has_none() -> None:
    told = words(tree("ill"))
    titles = "Loss, Gradient norm, Gradient by time step, Update sizes by layer, States by time step, Gates over time"
    assert f"{titles} steps, Gates closed and open this report holds no such numbers" in told
    assert "Measured effects of remedies" in told
    assert "Measured effects" not in words(tree("healthy")), "what nobody tried is not missed"


def test_how_a_finding_stands_to_the_baseline() -> None:
    finding: Finding = reports.ill().findings[0].model_copy(update={"change": "worse", "was": "note"})
    report = reports.healthy().model_copy(update={"findings": (finding,)})
    assert "worse (was: note)" in words(parsed(html.render(report)))


def test_a_long_training_makes_a_small_page_that_keeps_its_spikes() -> None:
    losses = [3 - k / 5_000 for k in range(10_000)]
    norms = [1.0 + 0.01 * (k % 7) for k in range(10_000)]
    losses[5_000], norms[7_776] = math.nan, 5_000.0
    log = logs.log(
        logs.lstm(), logs.adam(), logs.steps(losses, norms), logs.evaluations([3.0] * 900, every=10)
    )
    curves = profiles(log)
    text = html.render(reports.healthy().model_copy(update={"profiles": curves}))
    assert len(text) < 300_000
    assert 7_777 in curves.by_step.grad_norm.steps
    assert 5_001 in curves.by_step.loss.steps
    assert curves.by_step.loss.seen == 10_000
    assert "some are not finite" in text


def test_what_a_remedy_did_elsewhere_is_told_the_telling_study_first() -> None:
    studies = (
        Study(source="A 1999", setting="small networks"),
        Study(source="B 2001", setting="copy task", effect="twice as fast"),
    )
    remedy = reports.ill().remedies[0].model_copy(update={"evidence": studies})
    root = parsed(html.render(reports.ill().model_copy(update={"remedies": (remedy,)})))
    told = words(next(each for each in named(root, "li") if each.get("id") == "remedy-1"))
    assert told.index("Elsewhere: twice as fast (copy task; B 2001)") < told.index(
        "1 caution, 1 study, 1 source"
    )
    assert "no size of effect is known to us (small networks; A 1999)" in told


def test_several_reports_share_a_page() -> None:
    root = tree("several")
    (title,) = named(root, "h1")
    assert words(title) == "3 trainings"
    listed = next(each for each in named(root, "ul") if each.get("class") == "overview")
    assert [each.get("href") for each in named(listed, "a")] == ["#r1-head", "#r2-head", "#r3-head"]
    assert "Nothing was found; vanishing gradients and overfitting could not be assessed." in words(listed)
    assert len([each for each in named(root, "section") if each.get("class") == "report"]) == 3


def test_no_report_at_all_makes_a_page_that_says_so() -> None:
    assert words(next(named(parsed(html.together([])), "h1"))) == "no trainings"


def picture(name: str, id: str) -> Element:
    return next(each for each in named(tree(name), "figure") if each.get("id") == id)


def test_gates_over_time_have_a_panel_a_gate_and_a_line_a_look() -> None:
    shown = picture("drawn", "figure-gate-times")
    titles = [words(each) for each in named(shown, "p") if each.get("class") == "panel-title"]
    assert titles == ["input gate", "forget gate", "output gate"] * 2
    drawings = [words(each) for each in named(shown, "p") if each.get("class") == "drawing-title"]
    assert drawings == ["encoder, layer 0", "encoder, layer 1"]
    drawn = [each.get("class", "") for each in named(shown, "path")]
    curves = [each for each in drawn if each.startswith("line")]
    assert curves == ["line tone2", "line tone3", "line tone1"] * 6, "first, middle, last look"
    assert drawn.count("band tone1") == 6
    key = next(each for each in named(shown, "ul") if each.get("class") == "key")
    assert [words(each) for each in named(key, "li")] == [
        "update 1", "update 21", "update 50", "four fifths of the units, update 50",
    ]  # fmt: skip
    told = next(each.get("aria-label", "") for each in shown.iter() if each.get("role") == "img")
    assert "encoder, layer 1, forget gate: 0.138 at the first time step, 0.899 at the last" in told


def test_a_report_without_gates_over_time_says_why() -> None:
    profiles_ = pages.drawn().profiles
    older = profiles_.model_copy(update={"gate_courses": (), "absent": {"gate_courses": "not kept then"}})
    text = html.render(reports.ill().model_copy(update={"profiles": older}))
    assert "Gates over time steps not kept then" in words(parsed(text))


def test_the_needed_lag_is_marked_by_lag_and_by_time_step() -> None:
    for id, mark in (("figure-lag", "needed: lag 180"), ("figure-time", "needed: lag 180 from the end")):
        shown = picture("crowded", id)
        assert [words(each) for each in named(shown, "text") if each.get("class") == "told"] == [mark] * 4
    frames = [each for each in named(picture("drawn", "figure-lag"), "rect") if each.get("class") == "frame"]
    assert [each.get("x") for each in frames] == ["71.43%"] * 3, (
        "lag 25 of 0 to 34, in each row of the encoder"
    )


def test_a_reverse_direction_has_no_needed_lag_from_the_end() -> None:
    report = crowds.crowded()
    by_time = tuple(p.model_copy(update={"reverse": True}) for p in report.profiles.by_time)
    turned = report.profiles.model_copy(update={"by_time": by_time})
    assert "from the end" not in html.render(report.model_copy(update={"profiles": turned}))


def test_trials_are_a_forest_plot_on_a_common_axis() -> None:
    shown = picture("tried", "figure-trials")
    lines = [words(each) for each in named(shown, "text") if each.get("class") == "row"]
    assert lines[:3] == [
        "Initialize the recurrent weights", "orthogonally, and scale the embedding", "Lower the learning rate",
    ]  # fmt: skip
    assert len(lines) == 4 * 2 + 3, "seven remedies, four of them with long titles"
    ranges = [
        each
        for each in named(shown, "line")
        if each.get("class") == "range" and each.get("y1") == each.get("y2")
    ]
    points = [
        each for each in named(shown, "circle") if "tone1" in each.get("class", "") and each.get("cx") != "9"
    ]
    assert (len(ranges), len(points)) == (5, 6), "what is not finite has no place"
    spans = [tuple(float((line.get(k) or "").rstrip("%")) for k in ("x1", "x2")) for line in ranges]
    dots = [float((each.get("cx") or "").rstrip("%")) for each in points]
    assert all(low < dot < high for (low, high), dot in zip(spans, dots, strict=False))
    (zero,) = [
        float((each.get("x1") or "").rstrip("%"))
        for each in named(shown, "line")
        if each.get("class") == "rule"
    ]
    assert [high < zero for _, high in spans] == [True, True, False, False, False]
    table = [[words(cell) for cell in named(row, "td")] for row in named(shown, "tr")]
    assert ["−∞ to ∞" in row for row in table[1:]].count(True) == 1


def test_no_picture_is_left_alone_in_its_row() -> None:
    for name in ("ill", "drawn", "crowded"):
        wide = [
            "broad" in each.get("class", "")
            for each in named(tree(name), "figure")
            if "picture" in each.get("class", "") and each.get("id") != "figure-trials"
        ]
        runs = [len(list(group)) for broad, group in groupby(wide) if not broad]
        assert all(length % 2 == 0 for length in runs), name


def _colours(style: str) -> dict[str, dict[str, str]]:
    """The custom properties that are colours, by scheme."""
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", style, re.DOTALL)[:2]
    read = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[0] | read[1]}


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: str) -> None:
    colour = _colours(next(named(tree("healthy"), "style")).text or "")[scheme]
    texts = {
        "paper": "ink quiet link error warning note clear",
        "ground": "ink quiet link",
        "code": "ink quiet",
        "error-ground": "ink error link quiet",
        "warning-ground": "ink warning link quiet",
        "clear-ground": "ink clear link",
        "l0": "on-dark", "l1": "on-dark", "grown": "on-dark", "l3": "on-light", "l4": "on-light", "l5": "quiet",
        "l2": "on-middle",
    }  # fmt: skip
    for ground, inks in texts.items():
        for ink in inks.split():
            assert _contrast(colour[ground], colour[ink]) >= 4.5, f"{ink} on {ground}"
    for mark in ("tone1", "tone2", "tone3", "tone4", "tone5", "tone6", "error", "l0", "part1"):
        assert _contrast(colour["paper"], colour[mark]) >= 3, mark
