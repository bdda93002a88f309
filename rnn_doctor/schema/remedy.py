"""A remedy file (rules/remedies/*.toml): one treatment, shared by the rules that use it."""

from typing import Annotated, Literal

from pydantic import Field

from rnn_doctor.schema.rule import Text
from rnn_doctor.schema.values import Frozen

Effort = Literal["setting", "line", "data", "architecture"]


class Remedy(Frozen):
    """One treatment."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    kind: Literal["repair", "treatment"]
    """A repair undoes a fault of the script and is certain; a treatment may help."""
    effort: Effort
    does: Text
    """What it does, in one or two sentences."""
    before: str | None = None
    """The snippet as it usually stands."""
    after: Text
    """The snippet as it should stand: PyTorch code."""
    cautions: tuple[Text, ...] = ()
    """Where it does not help, and what it costs."""
    excludes: tuple[str, ...] = ()
    """Remedies that should not be applied together with it."""
    sources: Annotated[tuple[Text, ...], Field(min_length=1)]
