"""Which lags of the observed batches tell of the target: what is gathered, what is tested, what is left alone."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

import gc
import json
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.sensors.data_lag import DataLags
from rnn_doctor.capture.probe.sensors.dependence import Abstained, dependence
from rnn_doctor.derive.data_lag import informative
from rnn_doctor.derive.registry import kinds
from rnn_doctor.derive.signals import signals
from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.diagnose.verdict import SubjectVerdict, reach
from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.recurrence import DataLag
from rnn_doctor.schema.runlog import Record
from tests.capture.records import Observation, Records, observed
from tests.derive.logs import HEADER

T, B, V, C, H = 12, 32, 6, 4, 5
LAG = 7


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def recall(time: int = T, lag: int = LAG, batch: int = B) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens (B, T), of which the one so many steps before the last is the class (B)."""
    x = torch.randint(C, (batch, time))
    return x, x[:, time - 1 - lag].clone()


class Net(nn.Module):
    """Embedding, recurrent layer, head on the last step."""

    def __init__(
        self, kind: Any = nn.GRU, batch_first: bool = True, classes: int = C, **options: Any
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, H)
        self.rnn = kind(H, H, batch_first=batch_first, **options)
        self.head = nn.Linear(H * (2 if options.get("bidirectional") else 1), classes)
        self.batch_first = batch_first

    def forward(self, x: torch.Tensor) -> Any:
        """Shapes: x (B, T) -> (B, C)."""
        x = self.embedding(x)
        output = self.rnn(x if self.batch_first else x.transpose(0, 1))[0]
        return self.head(output[:, -1] if self.batch_first else output[-1])


def trained(
    net: nn.Module,
    step: Callable[[], torch.Tensor],
    steps: int = 20,
    optimizer: Any = torch.optim.SGD,
) -> Observation:
    """What is recorded of a training whose loss is `step()`."""
    with observed() as records:
        updates = optimizer(net.parameters(), lr=0.01)
        for _ in range(steps):
            updates.zero_grad()
            step().backward()
            updates.step()
    assert records.of("sensor_off") == []
    return records


def only(records: Records) -> DataLag:
    (found,) = records.of("data_lag")
    return DataLag(**found)


def reason(records: Records) -> str:
    found = only(records)
    assert (found.scores, found.rows) == ((), 0)
    return found.absent or ""


# ---------------------------------------------------------------- inputs and targets that belong together


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
def test_tokens_and_classes(kind: Any, batch_first: bool) -> None:
    net = Net(kind, batch_first)

    def step() -> torch.Tensor:
        x, y = recall()
        return F.cross_entropy(net(x), y)

    found = only(trained(net, step))
    assert informative(found) == [LAG]
    assert found.shares[LAG] == pytest.approx(1.0, abs=0.01)
    assert (found.target, found.statistic, found.rows, found.step) == ("sequence", "information", 640, 20)
    assert found.lags == tuple(range(T))


@pytest.mark.parametrize("told", [True, False])
def test_sequences_that_differ_at_one_step_are_few_by_nature(told: bool) -> None:
    """The symbol to recall stands first, and nothing but blanks after it."""
    net = Net()

    def step() -> torch.Tensor:
        x = torch.full((B, T), C)
        x[:, T - 1 - LAG] = torch.randint(C, (B,))
        return F.cross_entropy(net(x), x[:, T - 1 - LAG] if told else torch.randint(C, (B,)))

    found = only(trained(net, step))
    assert (found.alone, found.rows) == (LAG, 640)
    assert informative(found) == ([LAG] if told else [])


def test_a_few_sequences_that_differ_at_two_steps_are_not_tested() -> None:
    x = torch.zeros(300, T, dtype=torch.long)
    x[:, 2], x[:, 5] = torch.randint(3, (300,)), torch.randint(3, (300,))
    with pytest.raises(Abstained, match="9 different sequences"):
        dependence(x, x[:, 2])
    x[:, 5] = 0
    assert dependence(x, x[:, 2]).alone == 2


def test_loss_modules_and_class_scores_as_they_are_written() -> None:
    net = Net()
    criterion = nn.NLLLoss()

    def step() -> torch.Tensor:
        x, y = recall()
        y[::4] = -100  # left out
        return criterion(F.log_softmax(net(x), 1), y)

    found = only(trained(net, step))
    assert informative(found) == [LAG]
    assert found.rows == 480


@pytest.mark.parametrize("shape", ["(B)", "(B, 1)"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_numbers(batch_first: bool, shape: str) -> None:
    rnn, head = nn.GRU(2, H, batch_first=batch_first), nn.Linear(H, 1)

    def step() -> torch.Tensor:
        x = torch.randn(B, T, 2)
        y = x[:, T - 1 - LAG].prod(1, keepdim=True)  # no sign of it in either feature alone
        output = rnn(x if batch_first else x.transpose(0, 1))[0]
        answer = head(output[:, -1] if batch_first else output[-1])
        return F.mse_loss(answer, y) if shape == "(B, 1)" else F.mse_loss(answer.squeeze(1), y.squeeze(1))

    found = only(trained(nn.ModuleList([rnn, head]), step))
    assert informative(found) == [LAG]
    assert found.statistic == "determination"


def test_one_hot_characters_and_yes_or_no() -> None:
    rnn, head = nn.GRU(40, H, batch_first=True), nn.Linear(H, 1)  # more features than the regression takes

    def step() -> torch.Tensor:
        x = torch.randint(6, (B, T))
        y = (x[:, T - 1 - LAG] > 2).float().unsqueeze(1)
        given = F.one_hot(x, 40).float()
        return F.binary_cross_entropy_with_logits(head(rnn(given)[0][:, -1]), y)

    found = only(trained(nn.ModuleList([rnn, head]), step))
    assert informative(found) == [LAG]
    assert found.statistic == "information"


@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_sequences_count_from_their_own_ends(batch_first: bool) -> None:
    net = Net(nn.LSTM, batch_first)
    lag = 3

    def step() -> torch.Tensor:
        lengths = torch.randint(6, T + 1, (B,))
        x = torch.randint(C, (B, T))
        y = x[torch.arange(B), lengths - 1 - lag].clone()
        given = net.embedding(x if batch_first else x.t())
        packed = pack_padded_sequence(given, lengths, batch_first=batch_first, enforce_sorted=False)
        return F.cross_entropy(net.head(net.rnn(packed)[1][0][-1]), y)

    found = only(trained(net, step, steps=30))
    assert informative(found) == [lag]


def test_packed_numbers_and_sorted_rows() -> None:
    rnn, head = nn.GRU(1, H), nn.Linear(H, 1)

    def step() -> torch.Tensor:
        lengths = torch.randint(6, T + 1, (B,)).sort(descending=True)[0]
        x = torch.randn(T, B, 1)
        y = x[lengths - 1 - 3, torch.arange(B)]
        packed = pack_padded_sequence(x, lengths)
        return F.mse_loss(head(rnn(packed)[1][-1]), y)

    assert informative(only(trained(nn.ModuleList([rnn, head]), step, steps=30))) == [3]


def test_targets_of_every_step_count_from_the_last() -> None:
    rnn, head = nn.GRU(1, H, batch_first=True), nn.Linear(H, 1)

    def step() -> torch.Tensor:
        x = torch.randn(B, T, 1)
        y = torch.cat((torch.zeros(B, LAG, 1), x[:, :-LAG]), 1)
        return F.mse_loss(head(rnn(x)[0]), y)

    found = only(trained(nn.ModuleList([rnn, head]), step))
    assert (found.target, informative(found)) == ("step", [LAG])


def test_each_module_by_its_own_input() -> None:
    first, second = Net(), Net()

    def step() -> torch.Tensor:
        (x, y), other = recall(), torch.randint(C, (B, T))
        return F.cross_entropy(first(x) + second(other), y)

    records = trained(nn.ModuleList([first, second]), step)
    found = {record["module"]: DataLag(**record) for record in records.of("data_lag")}
    assert [informative(found[n]) for n in sorted(found)] == [[LAG], []]


def test_accumulated_batches_and_validation_are_told_from_the_updates() -> None:
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    with observed() as records:
        for _ in range(20):
            for _ in range(2):
                x, y = recall()
                F.cross_entropy(net(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
            with torch.no_grad():
                F.cross_entropy(net(x), torch.zeros_like(y))
    found = only(records)
    assert informative(found) == [LAG]
    assert (
        635 <= found.rows <= 640
    )  # one batch an update; a sequence that comes again by chance does not count


# ---------------------------------------------------------------- what follows for the gradient


def verdict(records: Records) -> SubjectVerdict:
    """Of RD101 without --lag."""
    log = assemble([HEADER, *(TypeAdapter(Record).validate_python(line) for line in records.all)])
    (found,) = reach(load(signals=kinds()).rules["RD101"], signals(log)).subjects
    return found


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_default_network_with_a_short_memory_task_gets_no_finding(kind: Any) -> None:
    """The gradient over all fifty steps is below 10^-7; the last three are all it needs."""
    rnn, head = kind(1, 32, batch_first=True), nn.Linear(32, 2)

    def step() -> torch.Tensor:
        x = torch.randn(B, 50, 1)
        return F.cross_entropy(head(rnn(x)[0][:, -1]), (x[:, -3:, 0].sum(1) > 0).long())

    records = trained(nn.ModuleList([rnn, head]), step, steps=25)
    assert min(gain["decades"][-1] for gain in records.of("lag_gain")) < -7
    assert informative(only(records)) == [0, 1, 2]
    assert verdict(records).state == "clear"


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_lag_that_no_gradient_bridges_is_found_in_the_data(kind: Any) -> None:
    net = Net(kind)

    def step() -> torch.Tensor:
        x, y = recall(60, 55)
        return F.cross_entropy(net(x), y)

    found = verdict(trained(net, step, steps=25))
    assert found.state == "found"
    assert found.grade is not None
    assert found.grade.severity == "error"


# ---------------------------------------------------------------- what is left alone, and why


def tokens_by_step(net: nn.Module, classes: int) -> Callable[[], torch.Tensor]:
    head = nn.Linear(H, classes)

    def step() -> torch.Tensor:
        x = torch.randint(V, (B, T))
        output = head(net.rnn(net.embedding(x))[0])  # type: ignore[operator]
        return F.cross_entropy(output.flatten(0, 1), x.flatten())

    return step


def test_a_language_model_is_left_alone_at_its_first_update() -> None:
    net = Net()
    found = only(trained(net, tokens_by_step(net, 2000), steps=3))
    assert "2000 classes" in (found.absent or "")
    assert found.step == 1
    net = Net()
    assert "order that is not told" in reason(trained(net, tokens_by_step(net, 10), steps=3))


def by_hand(net: Net) -> torch.Tensor:
    x, y = recall()
    return -net(x).log_softmax(1)[torch.arange(B), y].mean()


def of_learned_features(net: Net) -> torch.Tensor:
    x, y = recall()
    return F.cross_entropy(net.head(net.rnn(torch.tanh(net.embedding(x)))[0][:, -1]), y)


def several_losses(net: Net) -> torch.Tensor:
    x, y = recall()
    answer = net(x)
    return F.cross_entropy(answer, y) + F.cross_entropy(answer, x[:, 0])


def several_calls(net: Net) -> torch.Tensor:
    x, y = recall()
    return F.cross_entropy(net(x) + net(x.flip(1)), y)


def other_targets(net: Net) -> torch.Tensor:
    x, y = recall()
    return F.cross_entropy(net(x)[: B // 2], y[: B // 2])


def constant_targets(net: Net) -> torch.Tensor:
    x, y = recall()
    return F.cross_entropy(net(x), torch.zeros_like(y))


def the_same_few(net: Net) -> torch.Tensor:
    x = torch.randint(C, (B, T), generator=torch.Generator().manual_seed(3))
    return F.cross_entropy(net(x), x[:, 0])


LEFT_ALONE = {
    "a hand-written loss": (by_hand, None),
    "features that are learned": (of_learned_features, "layers that learn"),
    "several losses of one call": (several_losses, "several losses"),
    "several calls for one loss": (several_calls, "called several times"),
    "targets of other rows": (other_targets, "neither to its sequences nor to their steps"),
    "constant targets": (constant_targets, "all the same"),
    "a few sequences again and again": (the_same_few, "32 different sequences"),
}


@pytest.mark.parametrize(("step", "why"), LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_left_alone(step: Any, why: str | None) -> None:
    net = Net()
    records = trained(net, lambda: step(net))
    if why is None:
        assert records.of("data_lag") == []
    else:
        assert why in reason(records)


def test_cells_and_steps_of_one() -> None:
    cell, rnn, head = nn.GRUCell(2, H), nn.GRU(2, H), nn.Linear(H, 1)

    def step() -> torch.Tensor:
        x = torch.randn(B, 2)
        return F.mse_loss(head(cell(x) + rnn(x.unsqueeze(0))[0][0]), x[:, :1])

    records = trained(nn.ModuleList([cell, rnn, head]), step, steps=3)
    assert [r["absent"] for r in records.of("data_lag")] == ["it is called one time step at a time"] * 2


def test_numbers_that_are_not_finite() -> None:
    x, y = torch.randn(300, 4, 1), torch.randn(300, 1)
    x[7, 2] = torch.nan
    with pytest.raises(Abstained, match="not finite"):
        dependence(x, y)


def test_too_many_tokens_for_the_rows() -> None:
    with pytest.raises(Abstained, match="different tokens are too many"):
        dependence(torch.randint(300, (400, 5)), torch.randint(2, (400,)))
    rare = torch.where(torch.rand(800, 5) < 0.01, torch.randint(4, 300, (800, 5)), torch.randint(4, (800, 5)))
    assert dependence(rare, rare[:, 2].clamp(max=3)).scores[2] > 2  # a few rare ones count as one


# ---------------------------------------------------------------- the test itself


def test_targets_that_nothing_tells() -> None:
    """One in a hundred at the most; of sixty seeds none is expected, one is allowed."""
    found = 0
    for seed in range(60):
        g = torch.Generator().manual_seed(seed)
        x, y = torch.randint(6, (400, 10), generator=g), torch.randint(3, (400,), generator=g)
        found += max(dependence(x, y).scores) > 1.25
    assert found <= 1


def test_neighbouring_windows_are_no_finding() -> None:
    """Both series are slow: rows that follow each other are alike in input and target, whatever depends on what."""
    found = 0
    for seed in range(20):
        g = torch.Generator().manual_seed(seed)
        walk = torch.randn(2, 600, generator=g).cumsum(1)
        series = walk - torch.nn.functional.avg_pool1d(walk.unsqueeze(1), 99, 1, 49)[:, 0]
        x = torch.stack([series[0, k : k + 10] for k in range(500)]).unsqueeze(2)
        found += max(dependence(x, series[1, 10:510].unsqueeze(1)).scores) > 1.25
    assert found <= 1


def test_two_outliers_in_one_row_are_no_dependence() -> None:
    x, y = torch.randn(400, 6, 2), torch.randn(400, 1)
    x[33, 2], y[33] = 1e4, -1e5
    assert max(dependence(x, y).scores) < 1.25


def test_scale_and_names_do_not_matter() -> None:
    x, y = torch.randn(400, 6, 2), torch.randn(400, 1)
    y += x[:, 3, :1]
    plain, scaled = dependence(x, y), dependence(x * 100 + 7, y * 1e-3 - 5)
    assert scaled.scores == pytest.approx(plain.scores, rel=1e-2, abs=0.02)
    tokens, classes = torch.randint(5, (400, 6)), torch.randint(3, (400,))
    renamed = dependence(tokens * 17 + 3, 2 - classes)
    assert renamed.scores == pytest.approx(dependence(tokens, classes).scores, rel=1e-4, abs=1e-4)


# ---------------------------------------------------------------- the patient


def run(probed: bool) -> tuple[list[float], torch.Tensor]:
    torch.manual_seed(5)
    net = Net(nn.LSTM)
    losses: list[float] = []

    def step() -> torch.Tensor:
        x, y = recall()
        loss = F.cross_entropy(F.dropout(net(x), 0.2), y)
        losses.append(loss.item())
        return loss

    if probed:
        assert informative(only(trained(net, step)))
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(20):
            optimizer.zero_grad()
            step().backward()
            optimizer.step()
    return losses, torch.get_rng_state()


def test_the_script_computes_what_it_computes_alone() -> None:
    (bare, bare_state), (probed, probed_state) = run(False), run(True)
    assert bare == probed
    assert torch.equal(bare_state, probed_state)


def test_no_value_of_the_data_enters_the_log() -> None:
    rnn, head = nn.GRU(1, H, batch_first=True), nn.Linear(H, 1)

    def step() -> torch.Tensor:
        x = torch.randn(B, T, 1) + 54321.0
        return F.mse_loss(head(rnn(x)[0][:, -1]), x[:, 2] + 98765.0)

    (record,) = trained(nn.ModuleList([rnn, head]), step).of("data_lag")
    assert "54321" not in json.dumps(record)
    assert max(abs(v) for v in (*record["scores"], *record["shares"])) < 1000


def test_no_more_is_kept_than_the_test_takes_and_nothing_after_it() -> None:
    records = Records()
    sensor = DataLags(records)
    module, embedding = nn.GRU(H, H, batch_first=True), nn.Embedding(V, H)
    for number in range(1, 80):
        x, y = recall()
        sensor.on_call(0, module, embedding(x))
        sensor.on_loss("cross_entropy", torch.zeros(B, C), y, {})
        gathered = sensor._gathered.get(0)
        assert gathered is None or sum(len(x) for x in gathered.x) == gathered.rows <= 1024
        sensor.updated(number)
    assert (sensor._gathered, sensor.closed) == ({}, {0})
    (found,) = records.of("data_lag")
    assert 1020 <= found["rows"] <= 1024
    assert found["step"] == 32
    sensor.finish()
    assert len(records.of("data_lag")) == 1


def test_long_sequences_are_tested_at_their_last_steps() -> None:
    sensor = DataLags(Records())
    module = nn.GRU(1, H)
    for number in range(1, 10):
        x = torch.randn(5000, B, 1)
        sensor.on_call(0, module, x)
        sensor.on_loss("mse_loss", torch.zeros(B, 1), x[-4], {})
        sensor.updated(number)
    (found,) = sensor._writer.of("data_lag")  # type: ignore[attr-defined]
    assert (len(found["lags"]), found["rows"]) == (256, 256)
    assert informative(DataLag(**found)) == [3]


@pytest.mark.parametrize("ended", ["loss", "backward", "update"])
def test_no_graph_is_kept(ended: str) -> None:
    sensor = DataLags(Records())
    module, embedding = nn.GRU(H, H, batch_first=True), nn.Embedding(V, H)
    x, y = recall()
    given = embedding(x)
    alive = weakref.ref(given)
    sensor.on_call(0, module, given)
    del given
    assert alive() is not None
    if ended == "loss":
        sensor.on_loss("cross_entropy", torch.zeros(B, C), y, {})
    elif ended == "backward":
        sensor.on_backward()
    else:
        sensor.updated(1)
    gc.collect()
    assert alive() is None
