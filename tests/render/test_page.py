"""Wrapping: whatever comes in, lines fit and no word is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from rnn_doctor.render.page import Page
from rnn_doctor.render.wording import clean

WORDS = st.lists(st.text(min_size=1, max_size=12), max_size=30).map(" ".join)


@settings(deadline=None, max_examples=50)
@given(text=WORDS, indent=st.integers(0, 8), hang=st.integers(0, 20))
def test_lines_fit_and_nothing_is_lost(text: str, indent: int, hang: int) -> None:
    page = Page(60, color=False)
    page.add(text, indent=indent, hang=hang)
    result = page.text()
    assert all(cell_len(line) <= 60 for line in result.splitlines())
    assert "".join(result.split()) == "".join(clean(text).split())


def test_a_hanging_paragraph() -> None:
    page = Page(40, color=False)
    page.add("a rather long sentence that has to go on", " on the next line", indent=2, hang=4)
    assert page.text() == "  a rather long sentence that has to go\n    on on the next line\n"


def test_code_is_never_wrapped_and_keeps_its_shape() -> None:
    page = Page(40, color=False)
    page.code("if x:\n\n\ty = " + "1 + " * 20 + "1", indent=2)
    assert page.text() == "  if x:\n\n      y = " + "1 + " * 20 + "1\n"
