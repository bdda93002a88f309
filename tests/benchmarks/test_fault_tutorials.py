"""The tutorials' part of the fault bench: what its faults do, its cells by hand, its batches and its data."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from benchmarks.faults.part import folders
from benchmarks.faults.plan import plan
from benchmarks.faults.planting import COMMON
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import REPORTED, TUTORIALS
from benchmarks.faults.tasks import TASKS
from benchmarks.faults.tutorials import data, optimizing, places, spotting, tunes, tweets, wiring
from benchmarks.faults.tutorials.fitting import Fit
from benchmarks.faults.tutorials.forms import FORMS
from benchmarks.faults.tutorials.networks import build
from benchmarks.faults.tutorials.plant import Scratch
from benchmarks.faults.tutorials.running import Run
from tests.benchmarks.trained import answers, drawn, mixes, weights_after


def run_of(setting: Setting) -> Run:
    return Run(TASKS[setting.task], setting, 1, lambda _, __: True, lambda _, __: None)


def fit_of(setting: Setting) -> Fit:
    torch.manual_seed(setting.seed)
    return Fit(run_of(setting), build(TASKS[setting.task], setting), classes=TASKS[setting.task].classes)


def test_threads_are_others_than_those_of_the_reported_part() -> None:
    said = [form.reported for forms in FORMS.values() for form in forms]
    known = [where for where in said if where.startswith("https://")]
    assert set(said) - set(known) == {COMMON}
    assert len(known) >= 0.7 * len(said)
    assert len(set(known)) >= 0.9 * len(known), "threads of their own"
    reported = {form.reported for forms in folders()[REPORTED].forms.values() for form in forms}
    assert not reported & set(known)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("pixelrows", {"axes": "forgotten"}),
        ("prices", {"axes": "forgotten"}),
        ("anomaly", {"axes": "forgotten"}),
        ("chatbot", {"axes": "forgotten"}),
        ("prices", {"axes": "permuted"}),
        ("tweets", {"axes": "permuted"}),
        ("wearable", {"axes": "unbatched_first"}),
        ("places", {"axes": "time_first_data"}),
        ("tunes", {"axes": "batch_first_wrong"}),
        ("plant", {"axes": "rows"}),
        ("tweets", {"view": "both_ways", "bidirectional": True}),
        ("pixelrows", {"view": "all_layers", "layers": 2}),
        ("wearable", {"view": "windows"}),
        ("documents", {"view": "sentences_first"}),
        ("anomaly", {"view": "repeated"}),
    ],
)
def test_these_faults_mix_samples(name: str, fault: dict[str, Any]) -> None:
    assert mixes(TASKS[name], Setting(name, hidden=8).changed(**fault))


@pytest.mark.parametrize("view", ["channels", "class_axis"])
def test_these_views_mix_steps_of_one_sample(view: str) -> None:
    name = "spotting" if view == "channels" else "places"
    task, setting = TASKS[name], Setting(name, hidden=8)
    batch = drawn(task)
    assert not mixes(task, setting.changed(view=view))
    right, wrong = answers(task, setting, batch), answers(task, setting.changed(view=view), batch)
    assert right.shape == wrong.shape
    assert not torch.allclose(right, wrong)


@pytest.mark.parametrize(
    ("name", "padding", "pad_to", "reaches"),
    [
        ("tweets", "packed", 28, False),
        ("tweets", "post", 28, True),
        ("spotting", "packed", 40, False),
        ("spotting", "averaged", 40, True),
        ("chatbot", "packed", 16, False),
        ("chatbot", "encoded", 16, True),
    ],
)
def test_padding_reaches_the_answer_with_a_fault_alone(
    name: str, padding: str, pad_to: int, reaches: bool
) -> None:
    task, setting = TASKS[name], Setting(name, hidden=8, padding=padding)
    x, y, lengths = drawn(task)
    assert lengths is not None
    short = answers(task, setting, (x, y, lengths))
    if name == "tweets":  # which pads by itself, before or after
        more = answers(task, setting.changed(pad_to=pad_to), (x, y, lengths))
        if padding == "packed":  # as many steps of padding run before the words
            assert torch.equal(tweets.pad_sequences(x, lengths, setting)[:, -1] > 0, torch.ones(len(x)) > 0)
            return
    else:
        empty = torch.zeros(len(x), pad_to - x.shape[1], *x.shape[2:], dtype=x.dtype)
        more = answers(task, setting, (torch.cat([x, empty], 1), y, lengths))
    assert torch.allclose(short, more, atol=1e-6) is not reaches


def test_a_cell_by_hand_is_torchs() -> None:
    torch.manual_seed(0)
    mine, its = Scratch(TASKS["plant"], Setting("plant", hidden=4)), nn.LSTMCell(3, 4)
    p = mine.params
    its.load_state_dict({
        "weight_ih": torch.cat([p[f"W_x{gate}0"].t() for gate in "ifgo"]),
        "weight_hh": torch.cat([p[f"W_h{gate}0"].t() for gate in "ifgo"]),
        "bias_ih": torch.zeros(16), "bias_hh": torch.zeros(16),
    })  # fmt: skip
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    for got, wanted in zip(mine.step(0, x, (h, c)), its(x, (h, c)), strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(
    ("name", "how", "known"),
    [("plant", "dictionary", {"out"}), ("wearable", "list", {"dense", "out"})],
)
def test_what_no_network_knows_is_used(name: str, how: str, known: set[str]) -> None:
    model = build(TASKS[name], Setting(name, hidden=4, optimized=how))
    assert {key.partition(".")[0] for key, _ in model.named_parameters()} == known
    model(drawn(TASKS[name])[0])


@pytest.mark.parametrize(
    ("how", "moved"),
    [
        ("encoder", {"encoder"}),
        ("decoder", {"decoder"}),
        ("head", {"out"}),
        ("all", {"encoder", "decoder", "out"}),
    ],
)
def test_what_the_optimizer_of_an_autoencoder_moves(how: str, moved: set[str]) -> None:
    setting = Setting("anomaly", hidden=4, batch=4, samples=8, optimized=how)
    torch.manual_seed(setting.seed)
    begun = build(TASKS["anomaly"], setting).named_parameters()
    after = weights_after(setting, 2)
    changed = {
        name.partition(".")[0] for (name, p), q in zip(begun, after, strict=True) if not torch.equal(p, q)
    }
    assert changed == moved


@pytest.mark.parametrize(
    ("how", "unknown"),
    [("all", 0), ("copied", 8), ("new_head", 2), ("new_weights", 4), ("no_embedding", 0)],
)
def test_what_an_optimizer_does_not_know(how: str, unknown: int) -> None:
    fit = fit_of(Setting("prices", hidden=4, optimized=how))
    known = {id(p) for group in fit.optimizer.param_groups for p in group["params"]}
    assert sum(id(p) not in known for p in fit.model.parameters()) == unknown


@pytest.mark.parametrize(
    ("how", "accumulate", "cleared"),
    [("each", 1, [0, 1, 2, 3, 4]), ("each", 2, [0, 2, 4]), ("once", 1, [0]), ("3", 1, [0, 3])],
)
def test_when_gradients_are_cleared(how: str, accumulate: int, cleared: list[int]) -> None:
    fit = fit_of(Setting("prices", hidden=4, clearing=how, accumulate=accumulate))
    seen = []
    for batch in range(5):
        fit.batch = batch
        for p in fit.model.parameters():
            p.grad = torch.ones_like(p)
        fit.clear()
        seen += [batch] if all(p.grad is None for p in fit.model.parameters()) else []
    assert seen == cleared


def test_the_last_layer_has_a_rate_of_its_own() -> None:
    fit = fit_of(Setting("prices", hidden=4, group_rate=2.0))
    rest, head = fit.optimizer.param_groups
    assert head["lr"] == 2 * rest["lr"]
    assert [id(p) for p in head["params"]] == [id(p) for p in fit.model.out.parameters()]


def test_an_average_of_the_weights_follows_them() -> None:
    fit = fit_of(Setting("prices", hidden=4, average=0.5))
    assert isinstance(fit.average, AveragedModel)
    x, y, _ = drawn(TASKS["prices"])
    for _ in range(2):
        loss = wiring.regressed(fit.model(x), y, fit.setting)
        fit.clear()
        fit.backward(loss)
        fit.step(loss)
    pairs = zip(fit.average.module.parameters(), fit.model.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("schedule", "changes", "shares"),
    [
        ("milestones", {"span": 2, "gamma": 0.1}, [1, 0.1, 0.1, 0.01]),
        ("linear", {"span": 2}, [0.50005, 0.0001, 0.0001, 0.0001]),
        ("inverse_time", {"gamma": 1.0}, [0.5, 1 / 3, 0.25, 0.2]),
        ("counts_up", {}, [2, 3, 4, 5]),
    ],
)
def test_what_a_schedule_leaves_of_the_rate(
    schedule: str, changes: dict[str, Any], shares: list[float]
) -> None:
    setting = Setting("prices", hidden=4, schedule=schedule).changed(**changes)
    optimizer = fit_of(setting.changed(schedule="none")).optimizer
    rate, seen = optimizer.param_groups[0]["lr"], []
    scheduler = optimizing.scheduler_for(optimizer, setting)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
        seen.append(optimizer.param_groups[0]["lr"] / rate)
    assert seen == pytest.approx(shares)


@pytest.mark.parametrize("gate", ["input", "forget", "output", "all"])
def test_a_gate_gets_its_bias_in_one_of_two(gate: str) -> None:
    model = build(TASKS["novel"], Setting("novel", hidden=4, gate=gate, gate_bias=-7.0))
    parts = model.cells[0].bias_ih.chunk(4)
    wanted = [gate in (name, "all") for name in ("input", "forget", "cell", "output")]
    assert [bool((part == -7).all()) for part in parts] == wanted


@pytest.mark.parametrize("name", ["wearable", "plant"])
def test_small_recurrent_weights_leave_those_of_the_input(name: str) -> None:
    model = build(TASKS[name], Setting(name, cell="RNN", hidden=20, init="normal_hh", gain=0.01))
    weights = model.state_dict()
    recurrent = weights["params.W_hh0" if name == "plant" else "layers.0.weight_hh_l0"]
    given = weights["params.W_xh0" if name == "plant" else "layers.0.weight_ih_l0"]
    assert float(recurrent.std()) == pytest.approx(0.01, rel=0.2)
    assert float(given.std()) > 0.05


def test_a_state_is_repackaged_wholly_in_part_or_not_at_all() -> None:
    model = build(TASKS["tunes"], Setting("tunes", hidden=4))
    model.hidden = tuple(torch.ones(1, requires_grad=True) * 2 for _ in range(2))

    def bound_to_the_past(state: str) -> list[bool]:
        model.setting = model.setting.changed(state=state)
        return [part.grad_fn is not None for part in model.repackage()]

    assert bound_to_the_past("carried") == [False, False]
    assert bound_to_the_past("cell_kept") == [False, True]
    assert bound_to_the_past("kept") == bound_to_the_past("retained") == [True, True]


def test_bars_go_on_where_the_one_before_ended() -> None:
    bars = tunes.bars(run_of(Setting("tunes", batch=3)))
    (begins, x, y), (again, after, _) = next(bars), next(bars)
    assert begins
    assert not again
    assert torch.equal(y[:-1], x[1:])
    assert torch.equal(after[0], y[-1])


def test_a_loss_by_hand_is_the_mean_over_words() -> None:
    x, y, lengths = drawn(TASKS["places"], 6)
    scores = answers(TASKS["places"], Setting("places", hidden=4), (x, y, lengths))
    loss = places.masked_loss(scores, y, 1, Setting("places"))
    torch.testing.assert_close(loss, nn.functional.cross_entropy(scores.reshape(-1, 5), y.reshape(-1)))
    assert places.masked_loss(scores, y, 1, Setting("places", not_a_number=1)).isnan()


def test_words_are_padded_before_or_after() -> None:
    x, lengths = torch.tensor([[5, 6, 0], [7, 8, 9]]), torch.tensor([2, 3])
    before, after = (
        tweets.pad_sequences(x, lengths, Setting("tweets", padding=how, pad_to=4)).tolist()
        for how in ("packed", "post")
    )
    assert before == [[0, 0, 5, 6], [0, 7, 8, 9]]
    assert after == [[5, 6, 0, 0], [7, 8, 9, 0]]
    assert spotting.padded(torch.ones(2, 3, 1), Setting("spotting", pad_to=5)).sum() == 6


@pytest.mark.parametrize("name", ["pixelrows", "spotting", "wearable", "tweets", "documents"])
def test_samples_lie_folder_after_folder(name: str) -> None:
    _, y, _ = run_of(Setting(name, order="by_folder", samples=60)).training_set()
    assert torch.equal(y, y.sort().values)


def test_a_batch_that_was_left_in_comes_again_and_again() -> None:
    x = torch.arange(20)

    def rows(order: str) -> list[Tensor]:
        batches = run_of(Setting("novel", order=order, batch=4)).batches(x)
        return [next(batches)[0] for _ in range(5)]

    assert all(torch.equal(batch, x[:4]) for batch in rows("one_batch"))
    assert torch.cat(rows("in_order")).tolist() == list(range(20))
    shuffled = torch.cat(rows("shuffled")).tolist()
    assert sorted(shuffled) == list(range(20)) != shuffled


@pytest.mark.parametrize("broken", ["input", "label", "log", "flat"])
def test_one_value_is_spoiled_once(broken: str) -> None:
    x, y = torch.ones(3, 4, 2), torch.ones(3, 1)
    setting = Setting("plant", broken=broken, not_a_number=2)
    for update in (1, 2):
        a, b = wiring.spoiled(x, y, setting, update)
        assert bool(a.isfinite().all() and b.isfinite().all()) is (update == 1)
    assert x.isfinite().all()
    assert y.isfinite().all()


def test_a_softmax_goes_over_classes_or_over_the_batch() -> None:
    out = torch.randn(3, 4)
    for how, axis in (("softmax", 1), ("softmax_over_batch", 0)):
        chances = wiring.answered(out, Setting("pixelrows", output=how))
        torch.testing.assert_close(chances.sum(axis), torch.ones(out.shape[1 - axis]))
    y = torch.tensor([0, 1, 3])
    once = wiring.classified(out, y, Setting("pixelrows"))
    twice = Setting("pixelrows", output="log_softmax")
    torch.testing.assert_close(wiring.classified(wiring.answered(out, twice), y, twice), once)


def test_tweets_have_one_stressed_opinion_which_counts() -> None:
    x, y, _ = drawn(TASKS["tweets"], 200)
    for tweet, good in zip(x.tolist(), y.tolist(), strict=True):
        (at,) = (i for i, word in enumerate(tweet) if word in (12, 13))
        assert (tweet[at + 1] in range(2, 7)) == bool(good)


def test_answers_are_of_what_was_asked_and_end() -> None:
    x, y, lengths = drawn(TASKS["chatbot"], 50)
    assert lengths is not None
    for asked, told, n in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        assert told == [
            *((word * 3) % data.SAID + 1 for word in asked[:n]),
            0,
            *[-100] * (data.TURNS - n - 1),
        ]


def test_entities_follow_what_stands_before() -> None:
    x, y, lengths = drawn(TASKS["places"], 50)
    assert lengths is not None
    for words, tags, n in zip(x.tolist(), y.tolist(), lengths.tolist(), strict=True):
        for before, tag in zip(words[: n - 1], tags[1:n], strict=True):
            assert (tag == 1) == (before in (12, 13))
            assert (tag == 3) == (before in (14, 15))


def test_documents_are_of_the_topic_of_the_marked_sentence() -> None:
    x, y, _ = drawn(TASKS["documents"], 50)
    for document, topic in zip(x.tolist(), y.tolist(), strict=True):
        (marked,) = (sentence for sentence in document if sentence[0] == 11)
        assert [(word - 2) // 3 for word in marked if 2 <= word < 11 and word != 11] == [topic]


def test_the_text_and_the_tune_to_validate_on_are_others() -> None:
    for name in ("novel", "tunes"):
        task = TASKS[name]
        seen, other = (task.draw(40, torch.Generator().manual_seed(1), training=t)[0] for t in (True, False))
        assert seen.shape == other.shape
        assert not torch.equal(seen, other)


def test_a_fault_has_to_do_worse_than_both_twins() -> None:
    scenario = next(s for s in plan(1) if s.part == TUTORIALS and s.dose == "gross" and s.fault == "cut-off")
    twin, other = scenario.twins
    assert (twin.seed, other.seed) == (71, 72)
    assert twin.changed(seed=72) == other
