"""What a line says, by its texts alone."""

import pytest

from rnn_doctor.foreign.sentences import NUMBER, understood
from tests.foreign.curves import OVERFITTING
from tests.foreign.printers import BY_EPOCH, BY_STEP, Printer, printed


def said(line: str) -> dict[str, str]:
    """Its numbers by name, with what counts."""
    pieces = NUMBER.split(line)
    found, numbers = understood(pieces[::2]), pieces[1::2]
    counts = {"epoch": found.epoch, "step": found.step}
    return {
        **{name: numbers[place] for name, place in counts.items() if place is not None},
        **{name: numbers[place] for place, name in found.names},
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss -0.5", {"loss": "-0.5"}),
        ("loss=1e-05", {"loss": "1e-05"}),
        ("loss: .5", {"loss": ".5"}),
        ("loss: -inf, val_loss: NaN", {"loss": "-inf", "val_loss": "NaN"}),
        ("step 10,000 loss 0.5", {"step": "10,000", "loss": "0.5"}),
        ("[1,200] loss: 0.5", {"epoch": "1", "loss": "0.5"}),
        ("Epoch 3 of 10. Loss is 0.5", {"epoch": "3", "Loss is": "0.5"}),
        ("'loss': np.float32(0.5)", {"loss": "0.5"}),
        ("loss: tensor([0.5], device='cuda:0', grad_fn=<MeanBackward0>)", {"loss": "0.5"}),
        ("loss -> 0.5 in 3s", {"loss": "0.5"}),
        ("loss 0.5 (0.6), Acc@1 70.0 (71.0)", {"loss": "0.5", "Acc@1": "70.0"}),
        ("Train: loss 0.5, acc 0.8; Val: loss 0.6, acc 0.7",
         {"Train/loss": "0.5", "Train/acc": "0.8", "Val/loss": "0.6", "Val/acc": "0.7"}),
        ("train loss 0.5 acc 0.8 | val loss 0.6 acc 0.7",
         {"train loss": "0.5", "acc": "0.8", "val loss": "0.6", "val/acc": "0.7"}),
        ("step 1 train_acc 0.8 val_acc 0.7 loss 0.5",
         {"step": "1", "train_acc": "0.8", "val_acc": "0.7", "loss": "0.5"}),
        ("I0101 12:00:00.1 123 train.py:57] iteration 7 validation loss -> 0.5",
         {"step": "7", "validation loss": "0.5"}),
        ("/data/test/run: loss 0.5", {"loss": "0.5"}),
        ("iter: 5 global_step: 9 loss: 0.5", {"step": "9", "loss": "0.5"}),
        ("My lstm2 at 2.13.0 on 10.0.0.1 with 1a2b3c", {}),
        ("Namespace(lr=0.1, epoch=10, loss=3)", {}),
        ("Optimizer Adam(lr=0.1, betas=(0.9, 0.99)) made", {}),
        ("losses: [0.5, 0.4, 0.3]", {}),
        ("2024-01-02T12:00:00.123Z took 5m 32s, 12ms/batch, 3.5 GB", {}),
        ("Epoch 1: val_loss improved from 0.6 to 0.5, saving model",
            {"epoch": "1", "val_loss improved from": "0.6"},
        ),
        ("best epoch: 3, epochs: 10, steps: 100", {"best epoch": "3"}),
        ("/lib/python3/torch/optim/lr_scheduler.py:60: UserWarning", {}),
        ("Validating Epoch: 3, loss: 0.5", {"epoch": "3", "val/loss": "0.5"}),
        ("current step: 7th step, batch loss: 0.5", {"step": "7", "batch loss": "0.5"}),
        ("two and the loss of 5 men", {}),
        ("It was a long sentence which has at its end 5", {}),
    ],
)  # fmt: skip
def test_names_and_numbers(line: str, expected: dict[str, str]) -> None:
    assert said(line) == expected


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("Validation:", "Validation"),
        ("Evaluating on the dev set...", "dev"),
        ("Test Error: ", "Test"),
        ("Saved.", ""),
    ],
)
def test_what_a_line_without_numbers_announces(line: str, part: str) -> None:
    assert understood([line]).part == part


@pytest.mark.parametrize("printer", [*BY_EPOCH, *BY_STEP], ids=lambda printer: printer.__name__)
def test_a_line_that_is_cut_anywhere_names_no_number_that_is_not_there(printer: Printer) -> None:
    for line in {len(line): line for line in printed(printer, OVERFITTING).splitlines()[:60]}.values():
        for end in range(min(len(line), 300)):
            pieces = NUMBER.split(line[:end])
            found = understood(pieces[::2])
            counts = (found.epoch, found.step, found.batch, *(found.running or ()))
            places = [*(place for place, _ in found.names), *(each for each in counts if each is not None)]
            assert all(place < len(pieces[1::2]) for place in places), line[:end]
