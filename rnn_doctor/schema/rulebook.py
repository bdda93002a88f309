"""The rulebook: every rule and every remedy that an examination may use."""

from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.values import Frozen


class Rulebook(Frozen):
    """Rules and remedies by id; their references to each other are known to hold."""

    rules: dict[str, Rule]
    remedies: dict[str, Remedy]
