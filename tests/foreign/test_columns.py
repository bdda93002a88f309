"""Columns by their names, and what the user says of them."""

import pytest

from rnn_doctor.errors import SettingsError
from rnn_doctor.foreign import columns
from rnn_doctor.foreign.columns import choose


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (
            "train_loss",
            "loss train_loss train/loss training_loss Loss/train trainLoss train_loss_epoch train/loss_step "
            "batch_loss training/total_loss loss_train/loss train.loss tr_loss train-loss train/mse train_nll",
        ),
        (
            "val_loss",
            "val_loss eval_loss validation/loss Loss/val valid_loss dev_loss valLoss eval/loss val/loss_epoch "
            "validation/epoch_loss val_mse test_loss loss_val/loss eval_squad_loss val_loss/dataloader_idx_0",
        ),
        (
            "learning_rate",
            "lr learning_rate train/learning_rate lr-Adam lr-AdamW/pg1 optimizer/lr learningRate",
        ),
        ("grad_norm", "grad_norm train/grad_norm grad_2.0_norm_total gradient_norm gnorm global_grad_norm"),
    ],
)
def test_usual_names(role: str, names: str) -> None:
    for name in names.split():
        found = columns.guess(name)
        assert found, name
        assert found.role == role, name


@pytest.mark.parametrize(
    "names",
    [
        "accuracy val_accuracy best_val_loss loss_scale train_runtime grad_norm/lstm.weight_hh_l0 momentum epoch "
        "lr-SGD-momentum layer_lr_decay weight_norm glossary early_stopping_patience loss_weight val_loss_improved"
    ],
)
def test_names_of_something_else(names: str) -> None:
    for each in names.split():
        assert columns.guess(each) is None, each


def taken(counts: dict[str, int], **said: str) -> dict[str, str]:
    return dict(choose(counts, said).taken.items())


def test_a_summary_at_the_end_is_no_curve() -> None:
    assert taken({"train_loss": 1, "loss": 500}) == {"train_loss": "loss"}


def test_of_a_loss_by_step_and_by_epoch_the_training_loss_is_taken_by_step_and_the_validation_loss_by_epoch() -> (
    None
):
    counts = {"train_loss_step": 500, "train_loss_epoch": 10, "val_loss_step": 90, "val_loss_epoch": 10}
    assert taken(counts) == {"train_loss": "train_loss_step", "val_loss": "val_loss_epoch"}


def test_the_loss_itself_comes_before_its_parts_and_before_other_measures() -> None:
    counts = {"train/loss": 10, "train/kl_loss": 10, "train/mse": 10, "val_mse": 10, "val_loss": 10}
    assert taken(counts) == {"train_loss": "train/loss", "val_loss": "val_loss"}


def test_of_several_parts_none_is_the_training_loss() -> None:
    choice = choose({"kl_loss": 10, "adv_loss": 10, "val_loss": 10}, {})
    assert dict(choice.taken) == {"val_loss": "val_loss"}
    assert choice.doubts == (
        "each of 'adv_loss' and 'kl_loss' may be a part of the training loss; none was taken",
    )


def test_a_part_comes_after_another_measure_of_the_training_and_one_name_in_two_spellings_is_no_doubt() -> (
    None
):
    choice = choose({"Gate Loss": 10, "Train MSE": 10, "Val MSE": 10, "val mse": 4}, {})
    assert dict(choice.taken) == {"train_loss": "Train MSE", "val_loss": "Val MSE"}
    assert choice.doubts == ()


def test_a_test_loss_stands_in_and_that_is_said() -> None:
    choice = choose({"loss": 10, "test_loss": 10}, {})
    assert choice.taken["val_loss"] == "test_loss"
    assert "for want of a validation loss" in choice.doubts[0]
    assert choose({"test_loss": 10, "val_loss": 10}, {}).taken == {"val_loss": "val_loss"}


def test_of_several_validation_sets_the_first_is_taken_and_that_is_said() -> None:
    choice = choose({"eval_a_loss": 10, "eval_b_loss": 10}, {})
    assert choice.taken == {"val_loss": "eval_a_loss"}
    assert "'eval_b_loss'" in choice.doubts[0]


def test_the_user_knows_better() -> None:
    assert taken({"loss": 10, "objective": 10}, train_loss="objective")["train_loss"] == "objective"
    said = columns.parse(["loss=loss/train=x", " val_loss = b ", "lr=rate", "step=t"])
    assert said == {"train_loss": "loss/train=x", "val_loss": "b", "learning_rate": "rate", "step": "t"}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("train_los=a", "no role 'train_los' (did you mean 'train_loss'?)"),
        ("train_loss", "'train_loss' is not of the form ROLE=COLUMN"),
        ("train_loss=", "is not of the form ROLE=COLUMN"),
    ],
)
def test_what_is_wrong_with_map_is_told(pair: str, message: str) -> None:
    with pytest.raises(SettingsError) as told:
        columns.parse([pair])
    assert message in told.value.message
    with pytest.raises(SettingsError, match="given twice"):
        columns.parse(["loss=a", "train_loss=b"])
