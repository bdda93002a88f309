"""What a real browser makes of the page: one session for all tests; skipped where there is no Chromium."""

import base64
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.html import browser, pages
from tests.render.html.browser import Browser
from tests.render.html.pages import NAMES

pytestmark = pytest.mark.skipif(
    browser.found() is None,
    reason="no Chromium on PATH; name one in RNN_DOCTOR_CHROMIUM to test the page in it",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        (folder / f"{name}.html").write_text(pages.page(name), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chromium(folder: Path) -> Iterator[Browser]:
    program = browser.found()
    assert program is not None
    try:
        session = Browser(program, folder / "profile")
    except (OSError, TimeoutError) as error:
        if "RNN_DOCTOR_CHROMIUM" in os.environ:
            raise
        pytest.skip(f"{program} does not start here ({error}); name another in RNN_DOCTOR_CHROMIUM")
    with session:
        yield session


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of axe-core, as JavaScript."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core-python, of the extra `dev`, is not installed")
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")


_UNFOLDED = "for (const each of document.querySelectorAll('details')) each.open = true"


@pytest.mark.parametrize(
    ("name", "dark"),
    [
        *((name, False) for name in NAMES),
        *((name, True) for name in ("drawn", "full", "failed", "foreign")),
    ],
)
def test_axe_finds_no_barrier(chromium: Browser, folder: Path, axe: str, name: str, dark: bool) -> None:
    """Contrast of all text, names of all controls, landmarks, headings, order, as WCAG 2.1 AA asks.

    Left out, for they are thousands: the drawings' own elements, which are hidden from those who do not see and whose
    contrasts test_page.py knows, and all but the first rows of tables.
    """
    chromium.look(width=1280, dark=dark)
    chromium.open(folder / f"{name}.html")
    chromium.ask(_UNFOLDED)
    chromium.ask(f"{axe};0")
    told = chromium.ask(
        """axe.run({exclude: [[".plot"], ["tbody tr:nth-child(n+4)"]]}, {
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
        }).then((result) =>
          result.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).slice(0, 3)}`))"""
    )
    assert told == []


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_quiet_asks_for_nothing_and_fits(chromium: Browser, folder: Path, name: str) -> None:
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.look(width=360)
    page = folder / f"{name}.html"
    chromium.open(page)
    assert chromium.ask("document.documentElement.scrollWidth") <= 360
    chromium.ask(_UNFOLDED)
    assert chromium.ask("document.documentElement.scrollWidth") <= 360
    assert chromium.complaints == []
    assert [url for url in chromium.requests if url not in (page.as_uri(), "data:,")] == []


def test_a_screenshot_in_each_size_and_colour(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "drawn.html")
    grounds = set()
    for width in (360, 1280):
        for dark in (False, True):
            chromium.look(width=width, dark=dark)
            shot = base64.b64decode(chromium.do("Page.captureScreenshot", format="png")["data"])
            (folder / f"drawn-{width}-{'dark' if dark else 'light'}.png").write_bytes(shot)
            assert shot.startswith(b"\x89PNG")
            assert int.from_bytes(shot[16:20], "big") == width
            grounds.add(chromium.ask("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2, "light and dark have grounds of their own"


_MISPLACED = """[...document.querySelectorAll(".plot")].flatMap((plot) => {
  const room = plot.closest(".picture").getBoundingClientRect();
  const texts = [...plot.querySelectorAll("text:not(.digit)")]
    .map((text) => [text.textContent, text.getBoundingClientRect()]).filter(([_, box]) => box.width);
  return texts.flatMap(([text, box], k) => [
    ...(box.left < room.left || box.right > room.right || box.bottom > room.bottom ? [`${text}: outside`] : []),
    ...texts.slice(k + 1).filter(([_, other]) =>
      Math.min(box.right, other.right) - Math.max(box.left, other.left) > 1 &&
      Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > 3
    ).map(([other]) => `${text} on ${other}`),
  ]);
})"""


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["drawn", "harmful", "crowded", "tried"])
def test_words_of_pictures_lie_inside_and_not_on_each_other(
    chromium: Browser, folder: Path, name: str, width: int
) -> None:
    chromium.look(width=width)
    chromium.open(folder / f"{name}.html")
    assert chromium.ask(_MISPLACED) == []


def test_pictures_are_drawn(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "drawn.html")
    assert chromium.ask("document.querySelectorAll('.drawing path.line').length") >= 6


def test_every_link_of_the_page_leads_to_something_open(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280)
    chromium.open(folder / "drawn.html")
    hidden = chromium.ask(
        """(async () => {
          const hidden = [];
          for (const link of document.querySelectorAll("a[href^='#']")) {
            link.click();
            await new Promise((done) => setTimeout(done, 0));
            const target = document.querySelector(link.hash);
            if (!target || !target.checkVisibility()) hidden.push(link.hash);
          }
          return hidden;
        })()"""
    )
    assert hidden == []


def test_a_link_into_a_folded_report_unfolds_it(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280)
    chromium.open(folder / "gated.html")
    folded = "[...document.querySelectorAll('details.rest')].map((each) => each.open)"
    assert chromium.ask(folded) == [False, True, False, True], "open where the gate fails"
    shown = chromium.ask(
        """(async () => {
          document.querySelector("a[href='#r3-finding-1']").click();
          await new Promise((done) => setTimeout(done, 50));
          return document.getElementById("r3-finding-1").checkVisibility();
        })()"""
    )
    assert shown
    assert chromium.ask(folded) == [False, True, True, True]


BROKEN = {
    "a script that raises": ("<script>null.x</script>", "complaints"),
    "a message on the console": ("<script>console.error('x')</script>", "complaints"),
    "a picture from elsewhere": ("<img alt='' src='http://127.0.0.1:9/x.png'>", "requests"),
    "a style that is no part of its policy": ("<p style='color: red'>x</p>", "complaints"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_page_would_be_noticed(chromium: Browser, folder: Path, kind: str) -> None:
    """What the tests of quiet pages rest on: with the page's policy, and without it where that would keep it quiet."""
    added, told = BROKEN[kind]
    text = pages.page("healthy").replace("</body>", f"{added}</body>")
    if told == "requests" or "script" in added:
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    page = folder / "broken.html"
    page.write_text(text, encoding="utf-8")
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.open(page)
    chromium.ask("new Promise((done) => setTimeout(done, 50))")
    asked = [each for each in chromium.requests if not each.startswith(("file:", "data:"))]
    assert {"complaints": chromium.complaints, "requests": asked}[told], kind
    chromium.complaints.clear()
    chromium.requests.clear()


def test_copy_buttons_copy_the_code(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280)
    chromium.open(folder / "drawn.html")
    chromium.do("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    chromium.do("Page.bringToFront")
    copied = chromium.ask(
        """(async () => {
          const button = document.querySelectorAll("button.copy")[0];
          button.focus();
          button.click();
          for (let k = 0; k < 100 && button.firstChild.textContent === "Copy"; k++)
            await new Promise((done) => setTimeout(done, 10));
          return [await navigator.clipboard.readText(), button.firstChild.textContent,
                  document.getElementById("said").textContent];
        })()"""
    )
    assert copied == [pages.drawn().remedies[0].how, "Copied", "Copied to the clipboard"]


def test_the_keyboard_finds_its_way(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280)
    chromium.open(folder / "drawn.html")
    chromium.press("Tab")
    assert chromium.ask("document.activeElement.className") == "skip"
    assert chromium.ask("document.activeElement.getBoundingClientRect().left") >= 0
    seen = []
    for _ in range(12):
        chromium.press("Tab")
        seen.append(chromium.ask("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert chromium.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert seen == sorted(set(seen)), "in the order of the page"


def test_without_javascript_there_is_no_dead_button(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280)
    chromium.do("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(folder / "drawn.html")
        shown = chromium.ask(
            "[...document.querySelectorAll('button')].filter((b) => b.checkVisibility()).length"
        )
        assert shown == 0
        assert chromium.ask("document.querySelectorAll('.drawing').length") > 8
    finally:
        chromium.do("Emulation.setScriptExecutionDisabled", value=False)


def test_the_page_prints_light(chromium: Browser, folder: Path) -> None:
    chromium.look(width=1280, dark=True)
    chromium.open(folder / "drawn.html")
    chromium.do("Emulation.setEmulatedMedia", media="print")
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert chromium.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert len(base64.b64decode(chromium.do("Page.printToPDF")["data"])) > 10_000
