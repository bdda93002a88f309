"""The sensors of one observation."""

from __future__ import annotations

from .calls import Calls
from .listening import Tell
from .naming import Naming
from .sensors.evaluations import Evaluations
from .sensors.gradientless import Gradientless
from .sensors.graphless import GraphlessLoops
from .sensors.loaders import Loaders
from .sensors.loss_sums import LossSums
from .sensors.losses import Losses
from .sensors.norms import GradientNorms
from .sensors.optimizers import Optimizers
from .sensors.parameters import Parameters
from .sensors.penalties import Penalties
from .sensors.plateaus import Plateaus
from .sensors.recurrence import Recurrences
from .session import Session
from .trainables import Trainables


class Sensors:
    """All of them, and what they share."""

    def __init__(self, session: Session, tell: Tell) -> None:
        writer = session.writer
        self.naming = Naming()
        self.recurrences = Recurrences(writer, self.naming)
        self.optimizers = Optimizers(writer)
        self.plateaus = Plateaus(writer, self.optimizers)
        self.parameters = Parameters(writer, self.naming)
        self.trainables = Trainables(self.naming, self.optimizers, self.recurrences, self.parameters)
        self.norms = GradientNorms(writer)
        self.penalties = Penalties(self.parameters.pulls, session.attempt)
        self.loss_sums = LossSums(writer)
        self.loaders = Loaders(writer)
        self.evaluations = Evaluations(writer, self.loaders, session.config.steps, tell)
        self.gradientless = Gradientless(self.recurrences, self.optimizers)
        self.calls = Calls(session, self.naming, self.recurrences, self.loaders, tell)
        self.graphless = GraphlessLoops(
            writer, self.naming, self.recurrences, self.optimizers, self.parameters
        )
        self.losses = Losses(writer, self.calls.differences)
