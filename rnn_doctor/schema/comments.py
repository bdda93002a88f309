"""Comments in Python source, told from strings that look like them."""

import io
import re
import tokenize

_CODE = re.compile(r"""(?:"(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+'|[^#"'])*+""")
"""What stands before the comment of a line; nothing after a string that the line does not end."""


def comments(source: str) -> dict[int, str]:
    """The comments of a file by line; as far as it can be read, where it is no whole Python."""
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def split(line: str) -> tuple[str, str]:
    """The code of one line that begins outside of any string, and its comment with the hash, or nothing."""
    match = _CODE.match(line)
    end = match.end() if match else 0
    return (line[:end], line[end:]) if line[end : end + 1] == "#" else (line, "")


def bare(line: str) -> str:
    """A line of code without its comment, its blanks made one: what is the same after a change of layout."""
    return " ".join(split(line)[0].split())
