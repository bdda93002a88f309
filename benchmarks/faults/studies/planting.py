"""Words in which the studies' part says its forms: how often, in which tasks, in which doses, and after which study."""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, with_optimizer
from ..planting import always
from ..task import STUDIES

MEASURED = ("turbine", "bikes", "beats", "walks")
"""Tasks that are given numbers of any size."""
TOKENS = ("slots", "naming", "calculator", "chorale", "movies")
LAYERS = ("slots", "turbine", "splice", "bikes", "chorale", "movies", "walks")
"""Tasks over torch's layers."""
FOLDERS = ("slots", "turbine", "splice", "beats", "movies")
"""Tasks whose samples have a class each."""
STEPWISE = ("naming", "beats", "walks", "calculator")
"""Tasks with a loop over time by hand."""

OFTEN, SOMETIMES, SELDOM = 5, 4, 3
"""Rounds of the plan in which a mistake is planted."""
QUESTION = "https://stackoverflow.com/questions/"
"""Those of the benchmark of DeepFD (Cao et al., 2022), which has many from DeepLocalize and AUTOTRAINER."""
TAXONOMY = "https://arxiv.org/abs/1910.11015"
"""Humbatova et al., 2020: Taxonomy of Real Faults in Deep Learning Systems."""
DEEPCRIME = "https://github.com/dlfaults/deepcrime"
"""Humbatova et al., 2021: mutation operators after real faults."""
DEEPFD = "https://github.com/ArabelaTso/DeepFD"
UMLAUT = "https://github.com/BerkeleyHCI/umlaut"
"""Schoop et al., 2021."""
NEURALINT = "https://arxiv.org/abs/2105.08095"
"""Nikanjam et al., 2021."""
BUGS = "https://doi.org/10.1145/3338906.3338955"
"""Islam et al., 2019: A Comprehensive Study on Deep Learning Bug Characteristics."""
PROGRAM_BUGS = "https://doi.org/10.1145/3213846.3213866"
"""Zhang et al., 2018: An Empirical Study on TensorFlow Program Bugs."""

ADAPTIVE = with_optimizer("Adam", "AdamW", "Adamax")


def form(
    name: str,
    reported: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = SOMETIMES,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part."""
    return Form(name, STUDIES, planted, needs, twin, rules, rounds, reported)
