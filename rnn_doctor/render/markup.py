"""Foreign text in GitHub-flavored Markdown: it is shown as it stands, and makes nothing."""

import html
import re

from rnn_doctor.render.wording import LONGEST, clean, short

_SPECIAL = re.compile(
    r"[\\`*\[\]<|~$]"  # emphasis, code, links, HTML, table cells, strike-through, formulas
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore within a word is none
    r"|^(?:[-+=#:>](?=.)|\d+(?=[.)]))"  # what begins a list, a heading, a rule, a command
    r"|(?<=www)\.|:(?=//)",  # what makes a bare address a link
    re.IGNORECASE,
)
_MENTION = re.compile(r"@(?=\w)|#(?=\d)")
"""People and issues, whom GitHub and GitLab would tell."""
_CODE = re.compile(r"`([^`\n]+)`")


def text(foreign: str, most: int = LONGEST) -> str:
    """One line of running text."""
    plain = short(foreign, most).strip().replace("&", "&amp;")
    escaped = _SPECIAL.sub(_backslash, plain)
    return _MENTION.sub(r"\g<0><!-- -->", escaped)


def prose(foreign: str, most: int = LONGEST) -> str:
    """Paragraphs of a rule's page, in which backquotes mark code."""
    paragraphs = re.split(r"\n\s*\n", foreign[:most].strip())
    return "\n\n".join(
        _paragraph(" ".join(paragraph.split())) for paragraph in paragraphs if paragraph.strip()
    )


def code(foreign: str, most: int = 200) -> str:
    """A code span, for running text; in a table a bar would end the cell even there."""
    inner = short(foreign, most)
    if not inner.strip():
        return ""
    longest = max((len(run) for run in re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if inner.startswith(("`", " ")) or inner.endswith(("`", " ")) else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def summary(foreign: str, most: int = 300) -> str:
    """HTML of the line that a reader unfolds; Markdown means nothing there."""
    return _MENTION.sub(r"\g<0><!-- -->", html.escape(short(foreign, most).strip(), quote=False))


def block(source: str, language: str = "", most: int = 4000) -> str:
    """A fenced block of source code."""
    lines = [clean(line).rstrip() for line in source[:most].expandtabs(4).strip("\n").split("\n")]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _paragraph(line: str) -> str:
    parts = _CODE.split(line)
    return "".join(code(part) if number % 2 else _between(part) for number, part in enumerate(parts))


def _between(part: str) -> str:
    """Text beside a code span: its blanks at the ends matter."""
    if not part.strip():
        return part
    lead, trail = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{lead}{text(part, len(part))}{trail}"


def _backslash(found: re.Match[str]) -> str:
    """The character with a backslash before it; after the digits of what would be a numbered list."""
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
