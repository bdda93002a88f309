"""SVG elements as text. Positions along x are shares of the width, along y pixels: text keeps its size at any width."""

from markupsafe import Markup, escape

STRETCH = 1000
"""Units of the width inside `stretched`."""


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """One element; values and texts are escaped unless they are markup. `class_` is `class`, `text_anchor`
    `text-anchor`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """At most two decimals: a hundredth of a pixel is not seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def percent(share: float) -> str:
    """`12.5%` of the width."""
    return f"{number(100 * share)}%"


def drawing(*children: str, height: float, class_: str = "") -> Markup:
    """A picture as wide as its place, for eyes alone: what it shows is told beside it."""
    return tag(
        "svg",
        *children,
        class_=f"drawing {class_}".strip(),
        width="100%",
        height=height,
        aria_hidden="true",
        focusable="false",
    )


def stretched(*children: str, y: float, height: float) -> Markup:
    """What is stretched to the full width: `STRETCH` units wide, pixels high. Strokes keep their width by the CSS."""
    return tag(
        "svg",
        *children,
        class_="stretched",
        x=0,
        y=y,
        width="100%",
        height=height,
        viewBox=f"0 0 {STRETCH} {number(height)}",
        preserveAspectRatio="none",
    )


def label(text: str, x: float, y: float, *, anchor: str = "middle", class_: str = "") -> Markup:
    """Text at a share of the width."""
    return tag("text", text, x=percent(x), y=y, text_anchor=anchor, class_=class_ or None)
