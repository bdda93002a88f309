"""Examples that loaders give twice, with other targets, or to the training and the validation alike."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from rnn_doctor.capture.probe.sensors.given_rows import GivenRows
from tests.capture.records import Observation, Records, observed
from tests.capture.test_early_validation import Script, stopped

N, B, T = 64, 8, 6
Data = Dataset[Any]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def shared(records: Observation) -> dict[str, Any]:
    """The last record; no sensor was switched off."""
    assert records.of("sensor_off") == []
    return records.of("shared_examples")[-1]


def watched(
    training: Data,
    validation: Data | None = None,
    take: Callable[[Any], Any] = lambda batch: batch[:2],
    **options: Any,
) -> dict[str, Any]:
    """What is written of an epoch on these data, with a validation after it."""
    with observed() as records:
        rnn, head = nn.GRU(2, 4, batch_first=True), nn.Linear(4, 3)
        optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.01)

        def loss(batch: Any) -> torch.Tensor:
            x, y = take(batch)
            return functional.cross_entropy(head(rnn(x)[0][:, -1]), y)

        for batch in DataLoader(training, B, **options):
            optimizer.zero_grad()
            loss(batch).backward()
            optimizer.step()
        if validation is not None:
            with torch.no_grad():
                for batch in DataLoader(validation, 16):
                    loss(batch)
    return shared(records)


def pair(count: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(count, T, 2), torch.randint(3, (count,))


def test_sets_that_have_nothing_in_common() -> None:
    found = watched(TensorDataset(*pair()), TensorDataset(*pair(32)), shuffle=True)
    assert (found["examples"], found["twins"], found["contradicting"]) == (N, 0, 0)
    assert (found["held_out"], found["held_out_examples"], found["held_out_seen"]) == (1, 32, 0)
    assert "same_data" not in found


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_validation_examples_that_are_trained_on(dtype: torch.dtype) -> None:
    def cast(batch: Any) -> Any:
        return batch[0].float(), batch[1]

    (x, y), (other, target) = pair(), pair(32)
    x, other = x.to(dtype), other.to(dtype)
    held_out = TensorDataset(torch.cat([other[:20], x[5:17]]), torch.cat([target[:20], y[5:17]]))
    found = watched(TensorDataset(x, y), held_out, cast, shuffle=True)
    assert (found["held_out_examples"], found["held_out_seen"]) == (32, 12)
    assert (found["twins"], found["contradicting"]) == (0, 0)


def test_an_equal_input_with_another_target_is_no_example_of_the_training_data() -> None:
    x, y = pair()
    assert watched(TensorDataset(x, y), TensorDataset(x[:32], (y[:32] + 1) % 3))["held_out_seen"] == 0


def test_one_hot_rows_are_told_apart() -> None:
    codes = torch.cartesian_prod(*[torch.arange(2)] * T)
    rows = functional.one_hot(codes, 2).double()
    found = watched(TensorDataset(rows, torch.zeros(len(rows), dtype=torch.long)), None, _single)
    assert (found["examples"], found["twins"]) == (2**T, 0)


def _single(batch: Any) -> Any:
    return batch[0].float(), batch[1]


def test_twins_and_contradicting_targets() -> None:
    x, y = pair(40)
    again = TensorDataset(torch.cat([x, x[:10], x[20:25]]), torch.cat([y, y[:10], (y[20:25] + 1) % 3]))
    found = watched(again, shuffle=True)
    assert (found["examples"], found["twins"], found["contradicting"]) == (55, 20, 10)
    assert "held_out" not in found


@pytest.mark.parametrize("copied", [False, True])
def test_the_target_is_the_one_that_the_loss_was_given(copied: bool) -> None:
    def take(batch: Any) -> Any:
        return batch[1], batch[0].clone() if copied else batch[0]

    x, y = pair(40)
    twice = TensorDataset(torch.cat([y, (y[:8] + 1) % 3]), torch.cat([x, x[:8]]))
    assert watched(twice, None, take)["contradicting"] == 16


def test_of_three_tensors_a_copied_target_is_not_guessed() -> None:
    x, y = pair(40)
    three = TensorDataset(x, y, torch.full((40,), T))
    assert "contradicting" not in watched(three, None, lambda batch: (batch[0], batch[1].clone()))
    assert watched(three)["contradicting"] == 0


def test_the_rest_of_an_autoencoders_batch_says_nothing_of_its_input() -> None:
    rows = GivenRows(Records(), {0})
    x, lengths = torch.randn(8, T, 2), torch.full((8,), T)
    rows.begun(0, DataLoader(TensorDataset(x, lengths), 8))
    rows.gave(0, [x, lengths])
    rows.learned_from(x)
    rows.write(1)
    (record,) = rows._writer.all  # type: ignore[attr-defined]
    assert "contradicting" not in record


def test_zeros_that_pad_a_batch_do_not_matter() -> None:
    rows = GivenRows(Records(), {0})
    short, y = torch.randint(1, 9, (4, 5)), torch.arange(4)
    padded = torch.cat([short, torch.zeros(4, 3, dtype=torch.long)], 1)
    rows.begun(0, DataLoader(TensorDataset(short, y), 4))
    rows.begun(1, DataLoader(TensorDataset(padded, y), 4))
    rows.gave(0, {"ids": short, "labels": y})
    rows.gave(1, {"ids": padded, "labels": y})
    rows.write(1)
    (record,) = rows._writer.all  # type: ignore[attr-defined]
    assert (record["held_out_examples"], record["held_out_seen"]) == (4, 4)


@pytest.mark.parametrize(
    "batch",
    [
        [torch.randn(T, B, 2), torch.randint(3, (B,))],  # time first
        [torch.randn(T, B, 2), torch.randn(T, B)],
        [torch.randn(B, B, 2), torch.randint(3, (B,))],  # either axis may be the examples
        ["text", 3],
        [torch.empty(0, 5), torch.empty(0)],
        [torch.tensor(1.0)],
    ],
)
def test_rows_that_may_be_no_examples_are_left_alone(batch: Any) -> None:
    rows = GivenRows(Records(), {0})
    rows.begun(0, DataLoader(TensorDataset(torch.randn(99, 2)), B, collate_fn=list))
    rows.gave(0, batch)
    rows.write(1)
    assert rows._writer.all == []  # type: ignore[attr-defined]


def test_sequences_as_long_as_the_batch_are_told_apart_where_torch_stacks_them() -> None:
    square = TensorDataset(torch.randn(40, B, 2), torch.randint(3, (40,)))
    assert watched(square)["examples"] == 40


def test_a_second_pass_repeats_nothing_and_a_look_at_one_batch_is_no_pass() -> None:
    with observed() as records:
        rnn, data = nn.GRU(2, 4, batch_first=True), TensorDataset(*pair())
        optimizer = torch.optim.SGD(rnn.parameters(), lr=0.01)
        loader = DataLoader(data, B, shuffle=True)
        next(iter(loader))
        for _ in range(2):
            for x, _y in loader:
                optimizer.zero_grad()
                functional.mse_loss(rnn(x)[0], torch.zeros(len(x), T, 4)).backward()
                optimizer.step()
    assert (shared(records)["examples"], shared(records)["twins"]) == (N, 0)


def test_one_dataset_evaluated_on_what_it_trains_on_and_one_shared_out() -> None:
    data = TensorDataset(*pair())
    found = watched(data, data)
    assert (found["same_data"], found["held_out_seen"]) == (True, N)
    parts = watched(Subset(data, range(40)), Subset(data, range(40, N)))
    assert (parts["held_out_seen"], "same_data" in parts) == (0, False)


def test_a_validation_that_is_let_come_early_is_compared() -> None:
    with stopped() as records:
        script = Script()
        script.validation = DataLoader(script.training.dataset, 4)
        script.epoch()
        script.validate()
    found = shared(records)
    assert (found["examples"], found["held_out_examples"], found["same_data"]) == (12, 40, True)
    assert found["held_out_seen"] == 12


def test_the_scripts_random_numbers_stay_as_they_are() -> None:
    torch.manual_seed(7)
    rows = GivenRows(Records(), {0})
    rows.begun(0, DataLoader(TensorDataset(torch.zeros(9, 2)), 3))
    rows.gave(0, [torch.zeros(3, 2), torch.zeros(3)])
    after = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(after, torch.rand(3))


def test_a_loader_that_is_made_for_each_pass_keeps_its_number_and_none_gets_that_of_another() -> None:
    training, validation = TensorDataset(*pair()), TensorDataset(*pair(32))
    with observed() as records:
        rnn = nn.GRU(2, 4, batch_first=True)
        optimizer = torch.optim.SGD(rnn.parameters(), lr=0.01)

        def loss(x: torch.Tensor) -> torch.Tensor:
            return functional.mse_loss(rnn(x)[0], torch.zeros(len(x), T, 4))

        for _ in range(2):
            for x, _y in DataLoader(training, B, shuffle=True):
                optimizer.zero_grad()
                loss(x).backward()
                optimizer.step()
            with torch.no_grad():
                for x, _y in DataLoader(validation, 16):
                    loss(x)
    assert {(r["id"], r["samples"]) for r in records.of("loader")} == {(0, N), (1, 32)}
    assert [(e["loader"], e["on_training_data"]) for e in records.of("evaluation")] == [(1, False)] * 2
    assert (shared(records)["examples"], shared(records)["twins"]) == (N, 0)


def _passes(*passes: torch.Tensor) -> GivenRows:
    """A loader of these examples, in batches of eight."""
    rows, loader = GivenRows(Records(), {0}), DataLoader(TensorDataset(passes[0]), 8)
    for examples in passes:
        rows.begun(0, loader)
        for batch in examples.split(8):
            rows.gave(0, [batch])
    return rows


def test_whether_a_pass_gives_what_earlier_ones_gave() -> None:
    x = torch.randn(16, T, 2)
    assert _passes(x).repeated(0) is None, "there is one pass"
    assert _passes(x, x[torch.randperm(16)]).repeated(0) == 1.0
    assert _passes(x, torch.cat([x[:12], torch.randn(4, T, 2)])).repeated(0) == 0.75
    assert _passes(x, x + 1e-3).repeated(0) == 0.0
    assert _passes(x).repeated(1) is None, "no such loader"
