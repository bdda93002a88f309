"""The fifth set: what people validate on, 200 to 1,000 examples, and as many trainings that overfit as not.

Planned when RD501 had long been what it is: tasks, cells, optimizers, schedules and regularizers of its own. Labelled
and observed before the rules were asked, once.
"""

from .trainings import Training

HOLDS = (200, 300, 500, 1000)
SIZES = (30, 60, 110, 180, 700, 2500)
OPTIMIZERS = (("Adadelta", 1.0), ("Nesterov", 0.08), ("AMSGrad", 5e-3), ("Adafactor", 1e-2))


def ordinary() -> list[Training]:
    """Four in six of them learn from few samples, and every fourth from some wrong targets."""
    tasks = (
        "electricity", "messages", "entities", "glyphs", "shapes", "thermostat", "commands", "ward", "orders",
    )  # fmt: skip
    cells = ("projected", "relu", "minimal", "LSTMCell")
    found = []
    for number, name in enumerate(tasks):
        for k, samples in enumerate(SIZES):
            turn = number + k
            optimizer, rate = OPTIMIZERS[turn % 4]
            regularizer = (2 * number + k) % 5
            found.append(
                Training(
                    name,
                    cells[(number + turn // 2) % 4],
                    samples,
                    hidden=(28, 44, 60)[turn % 3],
                    dropout=0.4 if regularizer == 1 else 0.0,
                    noise=0.2 if (number + 3 * k) % 4 == 1 else 0.0,
                    rate=rate,
                    batch=(15, 30)[(number + k // 2) % 2],
                    held_out=HOLDS[(number + k) % 4],
                    seed=5000 + 10 * number + k,
                    optimizer=optimizer,
                    schedule=("one_cycle", "linear", "constant")[turn % 3],
                    locked=0.3 if regularizer == 2 else 0.0,
                    penalty=1e-4 if regularizer == 3 else 0.0,
                    norm=regularizer == 4,
                )
            )
    return found
