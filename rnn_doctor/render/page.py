"""A page of text of a given width: lines that wrap with a hanging indent, styled or plain."""

import io
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from rnn_doctor.render.wording import clean, short

_LONGEST = 4000
"""Characters of a text: no report of a training has a text that long, and a terminal is no place for megabytes."""
_MOST_LINES = 200

Part = str | tuple[str, str]
"""Text, or text and its rich style."""


class Page:
    """Collects lines. Whatever is added is foreign text until `clean` has seen it, which happens here."""

    def __init__(self, width: int, *, color: bool) -> None:
        self.width = max(width, 40)
        self._buffer = io.StringIO()
        self._console = Console(
            file=self._buffer,
            width=self.width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    def add(self, *parts: Part, indent: int = 0, hang: int | None = None) -> None:
        """Append one paragraph, wrapped; all lines but the first are indented by `hang`, if given."""
        text = Text()
        for part in parts:
            content, style = (part, "") if isinstance(part, str) else part
            text.append(short(content, _LONGEST), style=style)
        hang = indent if hang is None else hang
        first, *rest = (
            self._wrap(text, self.width - indent) if indent == hang else self._hung(text, indent, hang)
        )
        self._write(" " * indent, first)
        for line in rest:
            self._write(" " * hang, line)

    def code(self, source: str, indent: int, style: str = "") -> None:
        """Append source code as it stands, line by line, never wrapped: it is there to be copied."""
        for line in source.expandtabs(4).split("\n")[:_MOST_LINES]:
            shown = short(line, _LONGEST).rstrip()
            self._write(" " * indent if shown else "", Text(shown, style=style))

    def blank(self) -> None:
        """Append an empty line."""
        self._buffer.write("\n")

    def text(self) -> str:
        """All that was added."""
        return self._buffer.getvalue()

    def _wrap(self, text: Text, width: int) -> Iterator[Text]:
        yield from text.wrap(self._console, max(width, 20)) or [Text()]

    def _hung(self, text: Text, indent: int, hang: int) -> Iterator[Text]:
        """The first line at its own width, the rest at that of the hanging indent."""
        first = next(self._wrap(text, self.width - indent))
        yield first
        rest = text[len(first.plain) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :] if rest.plain.strip() else Text()
        if rest.plain:
            yield from self._wrap(rest, self.width - hang)

    def _write(self, margin: str, line: Text) -> None:
        line.rstrip()
        if line.plain.lstrip().startswith("::"):  # where a wrapped line begins with what would be a command
            line = Text(clean(line.plain))
        self._console.print(
            Text(margin) + line if line.plain else Text(), overflow="ignore", no_wrap=True, crop=False
        )
