"""The documentation builds into a site without a warning: every link, heading and page is where it is said to be."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.generated import ROOT

pytest.importorskip("sphinx", reason="the documentation tools are in the extra `docs`")


@pytest.mark.e2e
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
         "-d", str(tmp_path / "trees"), str(ROOT / "docs"), str(site)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}
    index = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="rules/RD103.html"' in index, "the navigation holds every rule"
    schemas = (site / "schemas.html").read_text(encoding="utf-8")
    downloads = re.findall(r'href="(_downloads/[^"]+\.schema\.json)"', schemas)
    assert len(downloads) == len(list((ROOT / "rnn_doctor" / "schema" / "published").glob("*.json")))
    assert all((site / name).is_file() for name in downloads)
    assert list(_dangling(site)) == []


def _dangling(site: Path) -> Iterator[str]:
    """Links of the built pages that lead to no file, or to no place in it."""
    pages = {path.resolve(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    for page, text in pages.items():
        for link in set(re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text)):
            if "://" in link:
                continue
            name, _, place = unquote(unescape(link)).partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.is_file() or (place and target in ids and place not in ids[target]):
                yield f"{page.name}: {link}"


def test_links_of_a_site_that_lead_nowhere_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#there">1</a><a href="b.html#nowhere">2</a><a href="c.html">3</a>'
        '<a class="x" href="#top">4</a><a href="#bottom">5</a><a href="https://example.org/">6</a>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<p id="there">B</p>', encoding="utf-8")
    assert set(_dangling(tmp_path)) == {"a.html: b.html#nowhere", "a.html: c.html", "a.html: #bottom"}


@pytest.mark.e2e
def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(
        'extensions = ["myst_parser"]\nmyst_heading_anchors = 4\nnitpicky = True\n', encoding="utf-8"
    )
    (tmp_path / "index.md").write_text("# A\n\n[x](#nowhere), [y](nowhere.md)\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
         str(tmp_path), str(tmp_path / "site")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "nowhere" in done.stderr
