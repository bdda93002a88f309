"""The script's own names, read from its lines that were seen at work."""

from typing import Any

import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.names import Names
from tests.derive.logs import adam, initial, log, samples, weight
from tests.derive.logs import steps as steps_of
from tests.recorded import HEADER, MODULE, OPTIMIZER, PARAMETERS, run_log, steps


def at(code: str | None, file: str = "train.py") -> dict[str, Any]:
    return {"location": {"file": file, "line": 3, "code": code}}


def named(
    built: str = "build()",
    *,
    step: str = "",
    clip: str = "",
    modules: tuple[str, ...] = (),
    file: str = "train.py",
) -> Names:
    places = [
        {"record": "place", "step": 1, "role": role, **at(code)}
        for role, code in (("step", step), ("clip", clip))
        if code
    ]
    layers = [MODULE | {"id": n, "name": f"layer{n}", **at(code)} for n, code in enumerate(modules)]
    return signals(run_log([HEADER, *layers, OPTIMIZER | at(built, file), *places, *steps(2)])).names


@pytest.mark.parametrize(
    ("subject", "weight", "expected"),
    [
        ("Net", {"name": "h2h.weight"}, "net.h2h.weight"),
        ("Net", {"name": "Net.w", "transposed": True}, "net.w.t()"),
        (
            "decoder.cell",
            {"name": "decoder.cell.gates.weight", "columns": [3, 8]},
            "net.gates.weight[:, 3:8]",
        ),
        ("Net", {"name": None}, None),
        ("Net", None, None),
    ],
)
def test_the_weights_of_a_hand_written_state(
    subject: str, weight: dict[str, Any] | None, expected: str | None
) -> None:
    module = MODULE | {"name": subject, "kind": "custom", **at("net = Net()")}
    start = initial(module=1, recurrent=[weight] if weight else []).model_dump()
    log = run_log([HEADER, module, OPTIMIZER, start, *steps(2)])
    assert signals(log).names.recurrent == {subject: expected}
    two = initial(module=1, recurrent=[{"name": "a"}, {"name": "b"}]).model_dump()
    assert signals(run_log([HEADER, module, OPTIMIZER, two, *steps(2)])).names.recurrent == {subject: None}


@pytest.mark.parametrize(
    ("built", "optimizer", "model"),
    [
        ("opt = torch.optim.Adam(net.parameters(), lr=0.01)", "opt", "net"),
        ("self.opt: Adam = Adam(self.net.parameters())", "self.opt", "self.net"),
        ("optimizer = torch.optim.Adam(", "optimizer", None),
        ("opt = SGD([p for n, p in net.named_parameters()], lr=1)", "opt", "net"),
        ("opt = Adam(list(enc.parameters()) + list(dec.parameters()))", "opt", None),
        ("return torch.optim.Adam(self.parameters())", None, "self"),
        ("a, b = build(net), 1", None, None),
        ("assert opt == Adam(net.parameters())", None, "net"),
        ("opt=Adam(net.parameters()),", None, "net"),
        ("opt=Adam(net.parameters()))", None, "net"),
        ("opt=Adam(net.parameters(),", "opt", "net"),
        ("opts[0] = Adam(net.parameters())", None, "net"),
        ("net = Net(); opt = Adam(net.parameters())", None, "net"),
    ],
)  # fmt: skip
def test_the_line_that_builds_the_optimizer(built: str, optimizer: str | None, model: str | None) -> None:
    assert (named(built).optimizer, named(built).model) == (optimizer, model)


@pytest.mark.parametrize(
    ("step", "optimizer"),
    [
        ("opt.step()", "opt"),
        ("self.opt.step()", "self.opt"),
        ("scaler.step(opt)", "opt"),
        ("train(opt)", None),
    ],
)
def test_the_line_that_steps_where_the_other_names_none(step: str, optimizer: str | None) -> None:
    assert named("return Adam(params)", step=step).optimizer == optimizer
    assert named("first = Adam(params)", step=step).optimizer == "first"


def test_the_line_that_clips_names_the_model() -> None:
    clip = "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)"
    assert named("opt = Adam(", clip=clip).model == "net"


def test_the_owner_of_a_part_is_not_the_model() -> None:
    built = OPTIMIZER | at("opt = Adam(net.head.parameters())")
    for optimizer, model in ((1, "net.head"), (None, None)):
        weight = PARAMETERS[0] | {"optimizer": optimizer}
        found = signals(run_log([HEADER, MODULE, built, weight, *steps(2)])).names
        assert (found.optimizer, found.model) == ("opt", model)


def test_names_of_a_library_are_not_the_scripts() -> None:
    library = "/venv/lib/python3.11/site-packages/lib/trainer.py"
    found = named("self.optimizer = Adam(model.parameters())", file=library)
    assert (found.optimizer, found.model) == (None, None)


def test_modules_by_subject() -> None:
    found = named(modules=("self.lstm = nn.LSTM(8, 16)", "decoder = nn.GRU(8, 16,"))
    assert found.modules == {"layer0": "self.lstm", "layer1": "decoder"}


def test_modules_that_one_line_built_have_no_name_of_their_own() -> None:
    loop = "self.layers.append(nn.LSTM(8, 16))"
    assert named(modules=(loop, loop)).modules == {}
    assert named(modules=("layer = nn.LSTM(8, 16)",) * 2).modules == {}


def test_the_classes_and_axes_of_what_runs_whole_sequences() -> None:
    batch_first = MODULE | {"kind": "GRU", "name": "encoder", "batch_first": True}
    cell = MODULE | {"id": 2, "kind": "LSTMCell", "name": "decoder"}
    time_first = MODULE | {"id": 3, "kind": "RNN", "name": "tagger", "batch_first": False}
    found = signals(run_log([HEADER, batch_first, cell, time_first, *steps(2)])).names
    assert found.kinds == {"encoder": "GRU", "tagger": "RNN"}
    assert found.time_first == ("tagger",)


@pytest.mark.parametrize(
    ("update", "factor"),
    [(0.01, 10), (2e-3, 10), (5e-4, 10), (4.5e-5, 100), (5e-7, 10000), (1e-15, 10**6), (0.0, 10)],
)
def test_by_how_much_updates_fall_short(update: float, factor: int) -> None:
    looks = samples([1, 2, 3, 5, 8, 13, 21, 34, 50], lambda k: update * k, update_norm=(update,))
    assert signals(log(adam(), weight(), steps_of([1.0] * 50), looks)).names.shortfall == factor
    assert signals(log(adam(), weight())).names.shortfall == 10
