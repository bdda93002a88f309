"""Comments are told from strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_doctor.schema.comments import bare, comments, split


def test_comments_of_a_file_by_line() -> None:
    source = 'x = 1  # one\ntext = """\n# no comment\n"""\n# two\ny = "# no"  # three # four\n'
    assert comments(source) == {1: "# one", 5: "# two", 6: "# three # four"}


@pytest.mark.parametrize("source", ["x = 1  # one\n)\n", "x = 1  # one\n'''\n", "x = 1  # one\n  y\n z\n"])
def test_what_is_no_whole_python_is_read_as_far_as_it_goes(source: str) -> None:
    assert comments(source).get(1) == "# one"


@pytest.mark.parametrize(
    ("line", "code", "comment"),
    [
        ("x = 1  # one", "x = 1  ", "# one"),
        ("x = 1", "x = 1", ""),
        ("# all", "", "# all"),
        ("f('#', \"#\")  # one # two", "f('#', \"#\")  ", "# one # two"),
        (r"f('\'#')  # one", r"f('\'#')  ", "# one"),
        ("hidden, layers)  # one", "hidden, layers)  ", "# one"),
        ("'''# text", "'''# text", ""),
        ("'open # text", "'open # text", ""),
        ("", "", ""),
    ],
)
def test_a_line_is_split(line: str, code: str, comment: str) -> None:
    assert split(line) == (code, comment)
    assert bare(f"  {line}") == " ".join(code.split())


@given(st.text(alphabet="ab #'\"\\", max_size=40))
def test_nothing_of_a_line_is_lost(line: str) -> None:
    assert "".join(split(line)) == line


def test_a_long_line_takes_no_time() -> None:
    assert split("'" * 99_999 + "#")[1] == ""
