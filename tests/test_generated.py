"""Generated files are as fresh as the code they are made from."""

from pathlib import Path

import pytest

from tests.generated import GENERATED, ROOT, stale


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_file_is_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path](), "run `make generate`"


def test_no_page_is_left_of_a_rule_that_is_no_more() -> None:
    assert not stale(), "run `make generate`"
