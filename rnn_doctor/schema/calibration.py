"""How often each rule was right on the fault bench: rules/calibration.json, written by the bench."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from rnn_doctor.schema.values import Frozen

Share = Annotated[float, Field(ge=0, le=1)]


class Record(Frozen):
    """Of `of` held-back and blind runs where the rule gave a warning or an error, it was right in `right`."""

    right: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=1)]
    interval: tuple[Share, Share]
    """Clopper-Pearson, 95 %."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.right > self.of:
            raise ValueError("right in more runs than there are")
        if not self.interval[0] <= self.right / self.of <= self.interval[1]:
            raise ValueError("the share lies outside of its interval")
        return self


class Calibration(Frozen):
    """The whole file."""

    made_by: str
    """The command that writes it."""
    rules: dict[str, Record]
    """By rule id; a rule that found nothing there has none."""
