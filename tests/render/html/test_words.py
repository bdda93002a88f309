"""Running text of the page: code, powers and web addresses are marked, and foreign text makes nothing else."""

import pytest

from rnn_doctor.render.html import words

_NO_POWER = "2^10, page-05, 0x1e-05x, lr1e-05, runs/1e-05, 1e-05.py"


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain <b> & `half", "plain &lt;b&gt; &amp; `half"),
        ("see `rnn-doctor record --steps all`", "see <code>rnn-doctor record --steps all</code>"),
        ("`<b>`", "<code>&lt;b&gt;</code>"),
        ("say it with --lag)", 'say it with <code class="option">--lag</code>)'),
        ("(--deep tries it)", '(<code class="option">--deep</code> tries it)'),
        ("a--b, --1, -- and <!--x-->", "a--b, --1, -- and &lt;!--x--&gt;"),
        ("shrinks to 10^-12.2 of it", "shrinks to 10<sup>−12.2</sup> of it"),
        ("moved by 4.3e-05, at 1e-5", "moved by 4.3·10<sup>−5</sup>, at 1e-5"),
        ("2e+09 and `1e-05`", "2·10<sup>9</sup> and <code>1e-05</code>"),
        (_NO_POWER, _NO_POWER),
    ],
)
def test_code_options_and_powers_are_marked(text: str, markup: str) -> None:
    assert str(words.marked(text)) == markup


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.15e-5, "2.15·10⁻⁵"), (-3e9, "−3·10⁹"), (0.25, "0.25"), (-12.0, "−12"), (11544.2, "11544")],
)
def test_figures_are_written_as_people_do(value: float, text: str) -> None:
    assert words.figure(value) == text


def test_marked_text_is_bounded() -> None:
    assert len(words.marked("--lag <" * 1_000_000)) < 20_000


def test_a_web_address_is_a_link() -> None:
    link = str(words.linked("https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html#x"))
    assert link.startswith(
        '<a href="https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html#x" rel="noreferrer'
    )


@pytest.mark.parametrize(
    "source",
    [
        "Pascanu et al. 2013",
        "javascript:alert(1)",
        "http://example.org/",
        'https://example.org/" onclick="x',
        "https://example.org/<b>",
        "https://user@example.org/",
        "see https://example.org/",
        "HTTPS://EXAMPLE.ORG",
    ],
)
def test_nothing_else_is_a_link(source: str) -> None:
    assert "<a" not in words.linked(source)
    assert "<b>" not in words.linked(source)


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Lower the learning rate", 1),
        ("Initialize the recurrent weights orthogonally, and scale the embedding", 2),
        ("x" * 400, 1),
        ("word " * 400, 2),
        ("", 1),
    ],
)
def test_a_title_has_at_most_two_lines_that_fit(title: str, lines: int) -> None:
    wrapped = words.wrapped(title).split("\n")
    assert len(wrapped) == lines
    assert all(len(line) <= 42 for line in wrapped)
