"""The catalogue of remedies: every snippet is valid, runs, and does what its file says."""

import ast
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.schema.remedy import Remedy

ROOT = Path(__file__).parents[2]
CATALOGUE = load().remedies
SNIPPETS = [
    pytest.param(text, id=f"{remedy.id}-{which}")
    for remedy in CATALOGUE.values()
    for which, text in (("before", remedy.before), ("after", remedy.after))
    if text
]
LONGEST_LINE = 74
"""What a report of 80 columns can show."""


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_is_python_of_readable_width(snippet: str) -> None:
    ast.parse(snippet)
    assert max(map(len, snippet.splitlines())) <= LONGEST_LINE


@pytest.mark.parametrize("remedy", CATALOGUE.values(), ids=lambda remedy: remedy.id)
def test_entry_is_complete(remedy: Remedy) -> None:
    assert remedy.cautions, "say where it does not help, or what it costs"
    texts = (remedy.title, remedy.does, *remedy.cautions, *remedy.sources)
    assert all(text == " ".join(text.split()) for text in texts)
    assert not remedy.title.endswith(".")
    assert all(text.endswith(".") for text in (remedy.does, *remedy.cautions))
    assert all(remedy.id != other for other in remedy.excludes)


@pytest.mark.parametrize("remedy", CATALOGUE.values(), ids=lambda remedy: remedy.id)
def test_what_was_measured_of_it_is_said_with_its_source(remedy: Remedy) -> None:
    assert remedy.trial is not None, "say whether a trial can apply it, and how"
    assert remedy.evidence or remedy.kind == "repair", "say what a treatment rests on"
    for study in remedy.evidence:
        ours = study.source.startswith("benchmarks/")
        assert study.source in remedy.sources or ours, "a study is one of the sources, or ours"
        assert not ours or (ROOT / study.source).with_suffix(".txt").is_file(), (
            "its table is in the repository"
        )
        assert not ours or study.effect, "say what our own table shows"
        assert not (study.effect or "").endswith(".")
    known = [bool(study.effect) for study in remedy.evidence]
    assert known == sorted(known, reverse=True), "what has an effect stands in front"


def test_remedies_that_cannot_cure_vanishing_gradients_say_so() -> None:
    for remedy in ("clip-gradient-norm", "skip-connections", "l2-regularization", "shorten-backpropagation"):
        assert "across time" in (said := " ".join(CATALOGUE[remedy].cautions)) or "vanishing" in said


class Classifier(nn.Module):
    """(B, T, I) -> (B, C)"""

    def __init__(self, kind: type[nn.LSTM | nn.GRU] = nn.LSTM) -> None:
        super().__init__()
        self.rnn = kind(I, H, batch_first=True)
        self.head = nn.Linear(H, C)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.rnn(x)[0][:, -1])
        return logits


class Tagger(nn.Module):
    """(B, T, I), state -> (B, T, C), state"""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(I, H, batch_first=True)
        self.head = nn.Linear(H, C)

    def forward(self, x: torch.Tensor, state: Any = None) -> Any:
        output, state = self.rnn(x, state)
        return self.head(output), state


B, T, I, H, C = 4, 50, 6, 8, 3  # noqa: E741


def surroundings() -> dict[str, Any]:
    """The names that snippets take from the script around them."""
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(B, T, I)
    target = torch.randint(C, (B,))
    loss_fn = nn.CrossEntropyLoss()
    rnn = nn.LSTM(I, H, batch_first=True)
    output, (h_n, _) = nn.LSTM(I, H, batch_first=True, bidirectional=True)(x)
    return {
        "torch": torch,
        "model": model,
        "rnn": rnn,
        "lstm": rnn,
        "bilstm": nn.LSTM(I, H, batch_first=True, bidirectional=True),
        "cell": nn.RNNCell(I, H),
        "h": torch.zeros(B, H),
        "head": nn.Linear(2 * H, C),
        "output": output[:, -1],
        "h_n": h_n,
        "x": x,
        "target": target,
        "y": torch.randint(C, (B, T)),
        "loss_fn": loss_fn,
        "loss": loss_fn(model(x), target),
        "optimizer": optimizer,
        "scaler": torch.amp.GradScaler("cpu", init_scale=1024.0),
        "loader": [(x, target)] * 2,
        "dataset": torch.utils.data.TensorDataset(x, target),
        "samples": [(torch.randn(n), 0) for n in (5, 30, 60)],
        "lengths": torch.tensor([50, 20, 3, 1]),
        "scores": torch.randn(B, T),
        "prediction": torch.randn(B, 1),
        "train_x": torch.randn(20, T, I),
        "vectors": torch.randn(10, I),
        "state": None,
        "self": nn.Module(),
        "epochs": 2,
        "batch": B,
        "device": "cpu",
        "input_size": I,
        "hidden_size": H,
        "T": T,
        "train_one_epoch": optimizer.step,
        "train_step": lambda x, y: optimizer.step(),
        "train_on": len,
        "train_and_validate": lambda model, data: 0.0,
        "validation_loss": lambda: 1.0,
    }


def without_lstm() -> dict[str, Any]:
    """Some CPUs have no LSTM in half precision."""
    model = Classifier(nn.GRU)
    return {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)}


PARTICULAR: dict[str, dict[str, Any]] = {
    # What some snippets call by the same name but in another shape.
    "align-target-shape": {"target": torch.randn(B)},
    "average-loss-over-time": {"output": torch.randn(B, T, C)},
    "detach-between-batches": {"model": Tagger(), "state": (torch.zeros(1, B, H), torch.zeros(1, B, H))},
    "lengthen-backpropagation": {"model": Tagger()},
    "narrow-embedding": {"embedding": nn.Embedding(9, I)},
    "keep-output-attached": {"head": nn.Linear(H, C)},
    "loss-scaling": without_lstm(),
    "normalize-right-dimension": {"output": torch.randn(B, T, H), "logits": torch.randn(B, C)},
    "pass-raw-scores": {"head": nn.Linear(2 * H, 1), "target": torch.ones(B, 1)},
    "reset-hidden-state": {"model": Tagger()},
    "shorten-backpropagation": {"model": Tagger()},
    "stay-in-domain": {"target": torch.ones(B, 1), "prediction": torch.zeros(B, 1)},
    "skip-connections": {"x": torch.randn(B, T, H)},
    "train-with-gradients": {"head": nn.Linear(H, C)},
    "standardize-targets": {"train_y": torch.randn(20), "y": torch.randn(B, C)},
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def execute(remedy: str) -> dict[str, Any]:
        names = surroundings() | PARTICULAR.get(remedy, {})
        exec(compile(CATALOGUE[remedy].after, remedy, "exec"), names)
        return names

    return execute


@pytest.mark.parametrize("remedy", CATALOGUE)
def test_snippet_runs(run: Any, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(remedy)


def test_orthogonal_blocks_are_orthogonal(run: Any) -> None:
    for gate in run("orthogonal-initialization")["rnn"].weight_hh_l0.detach().split(H):
        torch.testing.assert_close(gate @ gate.T, torch.eye(H), atol=1e-5, rtol=0)


def test_xavier_blocks_have_the_bound_of_a_square_block(run: Any) -> None:
    for gate in run("xavier-initialization")["rnn"].weight_hh_l0.detach().split(H):
        bound = math.sqrt(6 / (H + H))
        assert 0.8 * bound < gate.abs().max() <= bound


def test_relu_recurrence_starts_as_the_identity(run: Any) -> None:
    torch.testing.assert_close(run("he-initialization")["rnn"].weight_hh_l0.detach(), torch.eye(H))


def test_forget_gates_sum_to_one_and_the_others_stay(run: Any) -> None:
    before, lstm = surroundings()["lstm"], run("forget-gate-bias")["lstm"]
    total = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach()
    assert torch.equal(total[H : 2 * H], torch.ones(H))
    assert torch.equal(lstm.bias_ih_l0[:H], before.bias_ih_l0[:H])
    assert torch.equal(lstm.bias_ih_l0[2 * H :], before.bias_ih_l0[2 * H :])


def test_chrono_biases_span_the_time_scales(run: Any) -> None:
    lstm = run("chrono-initialization")["lstm"]
    total = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach()
    assert torch.equal(total[:H], -total[H : 2 * H])
    assert (total[H : 2 * H] >= 0).all()
    assert (total[H : 2 * H] <= math.log(199)).all()


def test_locked_dropout_keeps_its_mask_over_time_and_its_mean(run: Any) -> None:
    drop = run("variational-dropout")["LockedDropout"](0.5)
    dropped = drop(torch.ones(2000, T, 1))
    assert torch.equal(dropped[:, 0], dropped[:, -1])
    assert 0.9 < dropped.mean() < 1.1
    assert torch.equal(drop.eval()(torch.ones(2, T, 1)), torch.ones(2, T, 1))


def test_permuted_rows_belong_to_one_sample_each(run: Any) -> None:
    names = run("permute-before-view")
    expected = torch.cat([names["h_n"][0], names["h_n"][1]], dim=-1)
    assert torch.equal(names["features"], expected)
    exec(CATALOGUE["permute-before-view"].before or "", names)
    assert not torch.equal(names["features"], expected)


def test_both_directions_are_read_at_their_ends(run: Any) -> None:
    names = run("read-both-directions")
    assert torch.equal(names["last"][:, :H], names["output"][:, -1, :H])
    assert torch.equal(names["last"][:, H:], names["output"][:, 0, H:])


def test_packed_states_have_not_seen_padding(run: Any) -> None:
    names = run("pack-padded-sequences")
    for row, length in enumerate(names["lengths"]):
        alone = names["rnn"](names["x"][row : row + 1, :length])[1][0][-1, 0]
        torch.testing.assert_close(names["last"][row], alone)


def test_a_dead_layer_speaks_again_and_learns(run: Any) -> None:
    names = surroundings()
    exec(CATALOGUE["revive-dead-layer"].before or "", names)
    assert not names["activated"].any()
    names = run("revive-dead-layer")
    names["activated"].sum().backward()
    assert names["head"].weight.grad.any(dim=1).all()


def test_an_embedding_starts_narrow(run: Any) -> None:
    assert 0.05 < run("narrow-embedding")["embedding"].weight.std() < 0.15


def test_attention_weights_sum_to_one_over_positions(run: Any) -> None:
    names = run("normalize-right-dimension")
    torch.testing.assert_close(names["weights"].sum(1), torch.ones(B))
    torch.testing.assert_close(names["log_probabilities"].exp().sum(1), torch.ones(B))
