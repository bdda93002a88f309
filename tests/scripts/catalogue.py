"""What the trait scripts are, and what examining each of them must find."""

from dataclasses import dataclass

OBSERVED = 40
"""Updates that the examination observes; every script that can trains longer than that."""


@dataclass(frozen=True)
class Entry:
    """One trait: how it is run and what is expected of `rnn-doctor check --steps 40`."""

    name: str
    trait: str
    command: tuple[str, ...]
    """What follows `python`, or `rnn-doctor check` and its options."""
    folder: str = "."
    """Working directory, below this one."""
    needs: str | None = None
    """Package that must be installed."""
    modules: tuple[str, ...] = ("LSTM",)
    """Kinds of the recurrent modules that run, sorted."""
    optimizers: tuple[str, ...] = ("Adam",)
    """Kinds of the optimizers, sorted."""
    steps: int = OBSERVED
    """Updates seen."""
    exit_code: int = 0
    bare_exit_code: int | None = 0
    """Of the script without rnn-doctor; None for one that never ends."""
    losses: int = OBSERVED - 1
    """Printed losses that must be equal bit by bit; the last update ends the script before it prints."""
    ranks: int = 1
    fresh: bool = False
    """Starts further interpreters, and so needs one of its own from the beginning."""
    cold: bool = False
    """Its trait is how Python starts it, imports or ends: tests, too, examine it in a Python of its own."""
    options: tuple[str, ...] = ()
    """Further options of rnn-doctor."""
    seconds: float = 120.0
    """After which a run counts as hung; a script takes some 5 s alone and more on a busy machine."""


CATALOGUE = (
    # How scripts are laid out and started.
    Entry("plain-loop", "plain loop at top level", ("plain_loop.py",), cold=True),
    Entry(
        "main-guard",
        "argparse with a required argument, main guard, scheduler, clipping, validation",
        ("main_guard.py", "--epochs", "5", "--hidden", "16"),
        modules=("GRU",),
        optimizers=("AdamW",),
        cold=True,
    ),
    Entry(
        "siblings",
        "script in a folder with sibling modules",
        ("siblings/train.py",),
        modules=("GRU",),
        cold=True,
    ),
    Entry("package", "package run with -m, relative imports", ("-m", "packaged.train"), modules=("RNN",)),
    Entry(
        "relative-data",
        "data read relative to the working directory",
        ("train.py",),
        folder="relative_data",
        modules=("GRU",),
        cold=True,
    ),
    Entry("import-trains", "training on import of a module", ("import_trains/main.py",), cold=True),
    Entry(
        "changes-directory",
        "changes its directory, replaces sys.stdout",
        ("changes_directory.py",),
        cold=True,
    ),
    # Data.
    Entry("loader-workers0", "DataLoader, no workers", ("loader_workers0.py",)),
    Entry("loader-fork", "DataLoader, 2 forked workers", ("loader_fork.py",)),
    Entry("loader-spawn", "DataLoader, 2 spawned workers", ("loader_spawn.py",), fresh=True),
    Entry(
        "hand-batches",
        "hand-made batches, time first",
        ("hand_batches.py",),
        modules=("GRU",),
        optimizers=("RMSprop",),
    ),
    Entry("packed", "packed sequences, bidirectional", ("packed.py",)),
    Entry("reads-last-state", "time first, the final state alone is read", ("reads_last_state.py",)),
    Entry("unbatched", "unbatched 2-D input", ("unbatched.py",)),
    # Networks.
    Entry(
        "encoder-decoder",
        "two models with an optimizer each",
        ("encoder_decoder.py",),
        modules=("GRU", "GRU"),
        optimizers=("Adam", "AdamW"),
    ),
    Entry("lstm-cell", "LSTMCell in a loop", ("lstm_cell.py",), modules=("LSTMCell",)),
    Entry("gru-cell", "two GRUCells in a loop", ("gru_cell.py",), modules=("GRUCell", "GRUCell")),
    Entry(
        "linear-cell",
        "hand-written cell of Linear layers",
        ("linear_cell.py",),
        modules=("custom",),
        optimizers=("SGD",),
    ),
    Entry(
        "raw-parameters",
        "hand-written recurrence of raw tensors, no nn.Module",
        ("raw_parameters.py",),
        modules=("custom",),
        optimizers=("SGD",),
    ),
    Entry(
        "detached-cell",
        "hand-written cell that cuts its state off at every step",
        ("detached_cell.py",),
        modules=("custom",),
        optimizers=("SGD",),
        exit_code=1,
    ),
    Entry("weight-drop", "recurrent matrix set anew at each forward call", ("weight_drop.py",)),
    Entry("weight-tying", "output layer shares the embedding's weight", ("weight_tying.py",)),
    Entry("unused-head", "a head and an LSTM that never run", ("unused_head.py",)),
    Entry("torchscript", "torch.jit.script", ("torchscript.py",), cold=True),
    Entry("compiled-aot-eager", "torch.compile, backend aot_eager", ("compiled.py",), cold=True),
    Entry("compiled-eager", "torch.compile, backend eager", ("compiled.py", "--backend", "eager")),
    Entry(
        "reservoir",
        "frozen recurrent weights, the read-out alone is trained",
        ("reservoir.py",),
        modules=("RNN",),
    ),
    Entry("loaded-model", "whole model from torch.load", ("loaded_model.py",)),
    Entry("no-rnn", "trains, but no recurrent network", ("no_rnn.py",), modules=(), exit_code=3),
    # Losses and gradients.
    Entry(
        "accumulation", "gradient accumulation over 4 batches", ("accumulation.py",), losses=4 * OBSERVED - 1
    ),
    Entry("grad-scaler", "GradScaler", ("grad_scaler.py",)),
    Entry("truncated-bptt", "truncated backpropagation through time", ("truncated_bptt.py",)),
    Entry("many-losses", "many loss calls before one backward pass", ("many_losses.py",), modules=("GRU",)),
    Entry("model-zero-grad", "model.zero_grad() alone, after the update", ("model_zero_grad.py",)),
    Entry("no-eval-mode", "validation without eval()", ("no_eval_mode.py",)),
    Entry("zero-gradients", "gradients that are rightly zero", ("zero_gradients.py",), modules=("GRUCell",)),
    # Updates.
    Entry("manual-update", "p.data changed by hand", ("manual_update.py",), optimizers=()),
    Entry(
        "no-grad-update",
        "an SGD of its own under no_grad",
        ("no_grad_update.py",),
        modules=("GRU",),
        optimizers=(),
    ),
    Entry("functional-grad", "functional_call and autograd.grad", ("functional_grad.py",), optimizers=()),
    Entry("lbfgs", "closure optimizer, several backward passes a step", ("lbfgs.py",), optimizers=("LBFGS",)),
    Entry("optimizer-fused", "fused=True", ("optimizer_fused.py",), optimizers=("AdamW",)),
    Entry("optimizer-single-tensor", "foreach=False", ("optimizer_single_tensor.py",), optimizers=("AdamW",)),
    Entry(
        "optimizer-in-backward",
        "an optimizer a parameter, stepped inside backward",
        ("optimizer_in_backward.py",),
        optimizers=("Adam",) * 6,
    ),
    Entry(
        "gan",
        "two optimizers that take turns",
        ("gan.py",),
        modules=("GRU", "GRU"),
        optimizers=("Adam", "Adam"),
    ),
    Entry("step-an-epoch", "one update an epoch, 12 in all", ("step_an_epoch.py",), steps=12, losses=240),
    # Frameworks and several processes.
    Entry("lightning", "Lightning", ("lightning_module.py",), needs="lightning"),
    Entry("skorch", "skorch", ("skorch_classifier.py",), needs="skorch"),
    Entry(
        "hf-trainer",
        "Hugging Face Trainer, accumulation over 2 batches",
        ("hf_trainer.py",),
        needs="transformers",
        modules=("GRU",),
        optimizers=("AdamW",),
        losses=2 * OBSERVED - 1,
    ),
    Entry(
        "ddp-torchrun",
        "DistributedDataParallel under torchrun, 2 ranks",
        ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "ddp_torchrun.py"),
        ranks=2,
    ),
    Entry(
        "ddp-spawn", "DistributedDataParallel by mp.spawn, 2 ranks", ("ddp_spawn.py",), ranks=2, fresh=True
    ),
    # Scripts that misbehave.
    Entry("catches-exception", "`except Exception` around each step", ("catches_exception.py",)),
    Entry("bare-except", "a bare `except:` around each step", ("bare_except.py",), cold=True),
    Entry(
        "finally-and-interrupt",
        "`except KeyboardInterrupt` and `finally`",
        ("finally_and_interrupt.py",),
        cold=True,
    ),
    Entry("crash", "fails at step 7", ("crash.py",), steps=7, exit_code=3, bare_exit_code=1, losses=7),
    Entry("hard-exit", "ends by os._exit after 30 steps", ("hard_exit.py",), steps=30, losses=30, cold=True),
    Entry(
        "hangs",
        "hangs after step 5",
        ("hangs.py",),
        steps=5,
        losses=5,
        bare_exit_code=None,
        options=("--time-limit", "4"),
        cold=True,
    ),
    Entry(
        "hangs-at-start",
        "hangs before its first step",
        ("hangs_at_start.py",),
        modules=(),
        optimizers=(),
        steps=0,
        losses=0,
        exit_code=3,
        bare_exit_code=None,
        options=("--start-limit", "10"),
        cold=True,
    ),
    Entry("megabytes", "prints 20 MB", ("megabytes.py",)),
    Entry("reads-stdin", "reads its standard input", ("reads_stdin.py",), cold=True),
    Entry(
        "never-trains",
        "evaluates only",
        ("never_trains.py",),
        optimizers=(),
        steps=0,
        losses=0,
        exit_code=3,
    ),
    Entry(
        "no-torch",
        "never imports torch",
        ("no_torch.py",),
        modules=(),
        optimizers=(),
        steps=0,
        losses=0,
        exit_code=3,
        cold=True,
    ),
)


def readme() -> str:
    """The text of README.md."""
    rows = "\n".join(f"| `{' '.join(e.command)}` | {e.trait} |" for e in CATALOGUE)
    return f"""# Training scripts, one trait each

Small scripts as people write them; each is healthy in all but its trait, and learns. They print every training
loss with all its bits, so that a run under `rnn-doctor check` can be held against a bare one.
`catalogue.py` says what the examination of each must find, `runner.py` finds out, and
`benchmarks/traits.py` makes the table of results.

| script | trait |
|---|---|
{rows}

Commands are what follows `python` in this folder (in `relative_data/` for `train.py`).
This file is generated: `python -m tests.scripts.catalogue`.
"""


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).with_name("README.md").write_text(readme(), encoding="utf-8")
