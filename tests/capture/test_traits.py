"""Every trait script trains under `check` as it does alone, and is seen for what it is."""

import pytest

from tests.scripts import runner, warm
from tests.scripts.catalogue import CATALOGUE, Entry

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_trait(entry: Entry) -> None:
    if runner.missing(entry):
        pytest.skip(f"{entry.needs} is not installed")
    result = runner.examine(entry, warm.run)
    assert not result.failures, "\n".join([*result.failures, result.probed.output[-2000:]])
