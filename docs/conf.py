"""The documentation as a site: `make docs` builds it, and takes every warning for an error."""

import re

from sphinx.application import Sphinx

from rnn_doctor import __version__

project = "rnn-doctor"
author = "the maintainers of rnn-doctor"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]

nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # excerpts of JSON leave something out, by dots

html_theme = "furo"
html_title = f"rnn-doctor {version}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]


def _as_downloads(_app: Sphinx, page: str, source: list[str]) -> None:
    """Links to Markdown outside this folder, results of benchmarks, lead to the file: only here are there pages."""
    if "/" not in page:
        source[0] = re.sub(r"\]\((\.\./[^)#:]+\.md)\)", r"](path:\1)", source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _as_downloads)
