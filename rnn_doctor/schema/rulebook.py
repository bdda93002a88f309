"""The rulebook: every rule and every remedy that an examination may use."""

from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.values import Frozen


class Rulebook(Frozen):
    """Rules and remedies by id; their references to each other are known to hold."""

    rules: dict[str, Rule]
    remedies: dict[str, Remedy]
    records: dict[str, Record] = {}
    """How often rules were right on the fault bench, by id; not of rules that a user has replaced."""
