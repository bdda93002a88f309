"""A noted pass in evaluation mode, and its loss without some of the rows: as the network itself gives them."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.sensors.examples import Rows
from rnn_doctor.capture.probe.trials import withheld
from rnn_doctor.capture.probe.trials.batch_fit import Unfaithful
from rnn_doctor.capture.probe.trials.tape import Recorder, Tape

B, T = 6, 5


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 8, 2, dropout=0.5, batch_first=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 4)
        self.x, self.y = torch.randn(B, T, 3), torch.randint(4, (B, T))
        self.y[:, -1] = -100
        self.lengths = torch.tensor([5, 5, 4, 3, 3, 2])

    def whole(self) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.drop(self.lstm(self.x)[0]))
        return scores

    def packed(self) -> torch.Tensor:
        given = pack_padded_sequence(self.x, self.lengths, batch_first=True)
        output, _ = pad_packed_sequence(self.lstm(given)[0], batch_first=True)
        scores: torch.Tensor = self.head(torch.dropout(output, 0.5, self.training))
        return scores


def mean(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(scores.flatten(0, 1), y.flatten())


def summed(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(scores.transpose(1, 2), y, reduction="sum")


Form = Callable[[Net], torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def noted(net: Net, form: Form, loss: Loss) -> Tape:
    recorder = Recorder(lambda: False)
    assert recorder.begin()
    try:
        return recorder.tape(loss(form(net), net.y))
    finally:
        assert recorder.end()


def alone(net: Net, form: Form) -> torch.Tensor:
    """The mean loss of each row, in evaluation mode."""
    net.eval()
    with torch.no_grad():
        each = functional.cross_entropy(form(net).transpose(1, 2), net.y, reduction="none")
    net.train()
    counted = net.y != -100
    return (each * counted).sum(1) / counted.sum(1)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net()


@pytest.mark.parametrize("form", [Net.whole, Net.packed])
@pytest.mark.parametrize("loss", [mean, summed])
def test_the_losses_of_examples_in_evaluation_mode(net: Net, form: Form, loss: Loss) -> None:
    tape = noted(net, form, loss)
    single = withheld._Single(Rows(B, T, True))
    with torch.no_grad():
        tape.run(instead=single)
    assert single.losses is not None
    torch.testing.assert_close(single.losses, alone(net, form))


@pytest.mark.parametrize(("loss", "scale"), [(mean, 1.0), (summed, B * (T - 1))])
def test_rows_that_are_left_out_give_no_gradient(net: Net, loss: Loss, scale: float) -> None:
    tape = noted(net.eval(), Net.whole, loss)
    left_out = torch.tensor([True, False, True, False, False, False])
    value = tape.run(instead=withheld._without(left_out, Rows(B, T, True)))
    torch.testing.assert_close(value, scale * alone(net, Net.whole)[~left_out].mean())
    with torch.no_grad():
        net.x[left_out] += 1.0
    other = tape.run(instead=withheld._without(left_out, Rows(B, T, True)))
    torch.testing.assert_close(other, value)


def test_units_are_dropped_anew_where_that_is_asked_for(net: Net) -> None:
    tape = noted(net, Net.whole, mean)
    assert torch.equal(tape.run(), tape.run())
    assert not torch.equal(tape.run(anew=True), tape.run(anew=True))


def subject(net: Net, loss: float, batches: int = 1) -> withheld.Subject:
    """The network with a batch that is noted, as the script would have it."""
    tape = noted(net.eval(), Net.whole, mean)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    begin: list[tuple[torch.Tensor, torch.Tensor]] = [(p, p.detach().clone()) for p in net.parameters()]
    noted_at = [value.clone() for _, value in begin]
    batch = withheld.Batch(tape, Rows(B, T, True), loss)
    return withheld.Subject([batch] * batches, optimizer, begin, noted_at, [[0.1]] * 8, None)


def test_a_pass_that_is_not_the_scripts_is_refused(net: Net) -> None:
    with pytest.raises(Unfaithful, match="when its pass was run again"):
        withheld.learn_without(subject(net, 0.5), float("inf"))


def test_it_learns_until_its_time_is_over(net: Net) -> None:
    loss = float(mean(net.eval().whole(), net.y).detach())
    done: dict[str, Any] = withheld.learn_without(subject(net, loss), float("inf"))
    assert [look["step"] for look in done["looks"]] == list(range(1, 9))
    assert done["looks"][-1]["trained"]["mean"] < done["looks"][0]["trained"]["mean"]
    torch.manual_seed(0)
    assert withheld.learn_without(subject(Net(), loss), float("-inf"))["looks"] == []


def test_each_example_is_once_kept_from_a_network_and_learned_by_the_others() -> None:
    part = torch.tensor([0, 1, 1])
    runs = [
        [torch.tensor([5.0, 1.0, 2.0])] * 2,
        [torch.tensor([3.0, 7.0, 9.0]), torch.tensor([3.0, 8.0, 10.0])],
    ]
    first, second = withheld._looks(runs, part, 4)
    assert first["examples"]["mean"] == pytest.approx((5 + 7 + 9) / 3)
    assert first["trained"]["mean"] == pytest.approx((3 + 1 + 2) / 3)
    assert (first["step"], first["rise"], second["step"]) == (4, None, 8)
    assert second["rise"]["best_step"] == 4
    assert second["rise"]["mean"] == pytest.approx(2 / 3)
    assert second["rise"]["error"] == pytest.approx(1 / 3)


def test_a_network_that_breaks_is_looked_at_until_then() -> None:
    whole, broken = torch.ones(2), torch.ones(2)
    assert len(list(withheld._looks([[whole, whole], [broken]], torch.tensor([0, 1]), 1))) == 1
