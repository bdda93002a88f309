"""SCRIPT [ARGS...] and -m PKG.MOD [ARGS...]: where our options end and the script's begin."""

from __future__ import annotations

from pathlib import Path

import click

from rnn_doctor.cli import output


class ScriptCommand(click.Command):
    """A command whose options end at SCRIPT, or after `-m PKG.MOD`, as those of Python do.

    Everything behind goes to the script as it stands, `--help` and `--` included.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Our options of the command line; what belongs to the script becomes the argument."""
        start = self.start_of_script(ctx, args)
        if start is not None and args[start - 1 : start] != ["--"]:
            args = [*args[:start], "--", *args[start:]]
        return super().parse_args(ctx, args)

    def start_of_script(self, ctx: click.Context, args: list[str]) -> int | None:
        """Index of SCRIPT, or after the value of -m; None when there is neither."""
        valued = {
            name
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        index = 0
        while index < len(args):
            arg = args[index]
            if arg == "--":
                return index + 1
            if arg == "-" or not arg.startswith("-"):
                return index
            option, inline = (
                (arg.split("=")[0], "=" in arg) if arg.startswith("--") else _cluster(arg, valued)
            )
            index += 1 if inline or option not in valued else 2
            if option == "-m":
                return index if index <= len(args) else None
        return None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The two forms for the first line of --help."""
        return ["[OPTIONS]", "SCRIPT [ARGS]...", "|", "-m PKG.MOD [ARGS]..."]


def _cluster(arg: str, valued: set[str]) -> tuple[str, bool]:
    """The option of `-qm`, `-mpkg` that takes a value, and whether the value is in the same word."""
    for position, letter in enumerate(arg[1:], 1):
        if f"-{letter}" in valued:
            return f"-{letter}", position + 1 < len(arg)
    return arg, False


def tell_of_options_given_to_the_script(
    ctx: click.Context, module: str | None, words: tuple[str, ...]
) -> None:
    """Say so, where the script is given an option of the name of one of ours that its own text does not hold.

    It gets it all the same: it may know the option from elsewhere.
    """
    script, *arguments = (module, *words) if module else words or ("",)
    ours = {name for param in ctx.command.get_params(ctx) for name in param.opts if name.startswith("--")}
    given = [word for word in arguments if word.partition("=")[0] in ours - {"--help"}]
    if not given:
        return
    text = "" if module else Path(script).read_text(encoding="utf-8", errors="replace")
    # `--fail-on` is `args.fail_on` there, and its name alone in a parser that adds the dashes.
    if foreign := [word for word in given if _key(word).replace("-", "_") not in text.replace("-", "_")]:
        output.say(
            f"{', '.join(foreign)}: given to {script}, for what follows {'PKG.MOD' if module else 'SCRIPT'} is its own",
            f"if rnn-doctor is meant, type it in front: rnn-doctor {ctx.info_name} {foreign[0]} ... "
            f"{'-m ' if module else ''}{script}",
        )


def _key(word: str) -> str:
    return word.partition("=")[0].removeprefix("--")


def tell_of_scripts_given_as_arguments(words: tuple[str, ...]) -> None:
    """Say so, where all arguments of the script are scripts: whoever typed them may have meant to check several."""
    script, *arguments = words or ("",)
    if arguments and all(Path(word).suffix == ".py" and Path(word).is_file() for word in arguments):
        output.say(
            f"{', '.join(arguments)}: given to {script}, for what follows SCRIPT is its own",
            "to check several scripts, list them in pyproject.toml, one [[tool.rnn-doctor.check]] each",
        )
