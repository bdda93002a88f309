"""Comments in Python source, told from strings that look like them."""

import io
import tokenize
from collections.abc import Iterator


def comments(source: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of every comment; as far as the source can be read, where it is no whole Python."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield *token.start, token.string
    except (tokenize.TokenError, SyntaxError):
        return


def bare(line: str) -> str:
    """A line of source without its comment, its blanks made one: what is the same after a change of layout."""
    end = next((column for _, column, _ in comments(line.strip())), None)
    return " ".join(line.strip()[:end].split())
