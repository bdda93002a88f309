"""Flag over file over default, and one clear sentence for everything that is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_doctor.errors import SettingsError
from rnn_doctor.settings import Settings, resolve

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_table(text: str) -> Path:
        (tmp_path / "pyproject.toml").write_text(f"[tool.rnn-doctor]\n{text}\n", encoding="utf-8")
        return tmp_path

    return write_table


def same(one: Settings, other: Settings) -> bool:
    """Whether they hold the same, wherever that was set."""
    return one.model_dump() == other.model_dump()


def test_the_defaults_hold_where_nothing_is_said(write: Write) -> None:
    assert same(resolve({}, write("")), Settings())
    assert Settings().steps == 50
    assert Settings().time_limit == 120
    assert Settings().start_limit == 600
    assert Settings().fail_on == "error"


def test_a_flag_goes_before_the_file_and_the_file_before_the_default(write: Write) -> None:
    folder = write('steps = 80\nfail-on = "warning"')
    settings = resolve({"steps": "20", "fail_on": None, "time_limit": None}, folder)
    assert (settings.steps, settings.fail_on, settings.time_limit) == (20, "warning", 120)


def test_every_key_can_be_set_in_the_file(write: Write) -> None:
    folder = write(
        'steps = "all"\ntime-limit = 5\nstart-limit = 9.5\nformat = "json"\noutput = "r.json"\n'
        'fail-on = "note"\nselect = ["RD1", "RD302"]\nignore = "RD103, RD104"\nrules = ["own", "more"]\n'
        'validate = "off"\npreview = true\ndeep = true\nlag = 30\npython = "envs/bin/python"\nverbose = true\n'
        'min-confidence = "high"\nbaseline = "b.json"\nthresholds = { RD303 = { clip_share = 0.5 } }'
    )
    wanted = Settings(
        steps="all",
        time_limit=5,
        start_limit=9.5,
        format="json",
        output=folder / "r.json",
        fail_on="note",
        select=("RD1", "RD302"),
        ignore=("RD103", "RD104"),
        rules=(folder / "own", folder / "more"),
        validate="off",
        preview=True,
        deep=True,
        lag=30,
        python=str(folder / "envs/bin/python"),
        verbose=True,
        min_confidence="high",
        baseline=folder / "b.json",
        thresholds={"RD303": {"clip_share": 0.5}},
    )
    assert same(resolve({}, folder), wanted)


def test_the_nearest_file_with_a_table_decides(write: Write) -> None:
    outer = write("steps = 7")
    inner = outer / "a" / "b"
    inner.mkdir(parents=True)
    (outer / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert resolve({}, inner).steps == 7
    (outer / "a" / "pyproject.toml").write_text("[tool.rnn-doctor]\nlag = 3\n", encoding="utf-8")
    assert same(resolve({}, inner), Settings(lag=3))


PER_SCRIPT = """
ignore = ["RD410"]
steps = 30
thresholds.RD303.clip_share = 0.5
thresholds.RD303.clip_ratio_median = 0.05

[[tool.rnn-doctor.per-script]]
match = "experiments/*.py"
steps = 10
thresholds = { RD303 = { clip_share = 0.6 }, RD301 = { displacement = 3 } }

[[tool.rnn-doctor.per-script]]
match = ["train_lm.py", "project.*"]
fail-on = "warning"
ignore = ["RD302"]
baseline = "lm.json"
"""


def test_a_script_of_a_folder_is_met_with_what_the_file_says_of_it(write: Write) -> None:
    folder = write(PER_SCRIPT)
    settings = resolve({}, folder, "experiments/sub/tag.py")
    assert (settings.steps, settings.ignore) == (10, ("RD410",))
    assert settings.thresholds == {
        "RD303": {"clip_share": 0.6, "clip_ratio_median": 0.05},
        "RD301": {"displacement": 3},
    }


@pytest.mark.parametrize(
    ("script", "steps", "fail_on"),
    [
        ("train_lm.py", 30, "warning"),
        ("./train_lm.py", 30, "warning"),
        ("elsewhere/train_lm.py", 30, "warning"),
        ("project.train", 30, "warning"),
        ("-m project.train", 30, "warning"),
        ("experiments/train_lm.py", 10, "warning"),
        ("experiments/../experiments/x.py", 10, "error"),
        ("more/experiments/x.py", 30, "error"),
        ("train.py", 30, "error"),
        ("~/train_lm.py", 30, "warning"),
        ("tra\0in.py", 30, "error"),
    ],
)
def test_scripts_are_matched_by_path_name_and_module(
    write: Write, script: str, steps: int, fail_on: str
) -> None:
    settings = resolve({}, write(PER_SCRIPT), script)
    assert (settings.steps, settings.fail_on) == (steps, fail_on)
    assert settings.ignore == (("RD302",) if fail_on == "warning" else ("RD410",))


def test_paths_are_matched_from_the_folder_of_the_file(write: Write) -> None:
    folder = write(PER_SCRIPT)
    (folder / "experiments").mkdir()
    assert resolve({}, folder / "experiments", "x.py").steps == 10
    assert resolve({}, folder / "experiments", str(folder / "experiments" / "x.py")).steps == 10
    assert resolve({}, folder / "experiments", "../x.py").steps == 30
    assert resolve({}, folder, "train_lm.py").baseline == folder / "lm.json"
    assert resolve({"steps": "5"}, folder / "experiments", "x.py").steps == 5, "a flag goes first"
    assert resolve({}, folder).fail_on == "error", "no script is none of them"


def test_a_bare_interpreter_name_is_left_to_the_search_path(write: Write) -> None:
    assert resolve({}, write('python = "python3.12"')).python == "python3.12"


def test_a_threshold_may_be_written_in_one_word(write: Write) -> None:
    folder = write("[tool.rnn-doctor.thresholds]\n'RD303.clip_share' = 0.5\nRD303.x = [1, 2]")
    assert resolve({}, folder).thresholds == {"RD303": {"clip_share": 0.5, "x": (1, 2)}}


def test_quiet_on_the_command_line_replaces_verbose_of_the_file(write: Write) -> None:
    settings = resolve({"quiet": True}, write("verbose = true"))
    assert settings.quiet
    assert not settings.verbose


def test_all_steps_have_no_limit() -> None:
    assert Settings(steps="all").step_limit is None
    assert Settings(steps=3).step_limit == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("stpes = 3", "[tool.rnn-doctor] has no key 'stpes' (did you mean 'steps'?)"),
        ("fail_onn = 3", "has no key 'fail_onn' (did you mean 'fail-on'?)"),
        (
            'fail-on = "eror"',
            "fail-on: 'eror' is not one of error, warning, note, never (did you mean 'error'?)",
        ),
        (
            'format = "jsn"',
            "format: 'jsn' is not one of terminal, json, markdown, github, gitlab, sarif, junit, html "
            "(did you mean 'json'?)",
        ),
        ("validate = 'of'", "validate: 'of' is not one of auto, off (did you mean 'off'?)"),
        ("steps = 0", 'steps: 0 is not a whole number of at least 1, or "all"'),
        ("steps = true", "steps: True is not a whole number"),
        ("time-limit = nan", "time-limit: nan is not a number of seconds above 0"),
        ("start-limit = -1", "start-limit: -1 is not a number of seconds above 0"),
        ('preview = "perhaps"', "preview: 'perhaps' is not true or false"),
        ("select = 5", "select: 5 is not a list of rule ids, id prefixes or names"),
        ("rules = [3]", "rules: 3 is not a folder, or a list of folders"),
        ("lag = 0", "lag: 0 is not a whole number of at least 1"),
        ("fail-on = 'error'\nfail_on = 'note'", "sets 'fail_on' twice"),
        ("quiet = true\nverbose = true", "quiet and verbose exclude each other"),
        ("steps = ", "cannot be read"),
        ('min-confidence = "hi"', "min-confidence: 'hi' is not one of hint, moderate, high, certain"),
        ("baseline = 3", "baseline: 3 is not a path"),
        ("thresholds = 3", "[tool.rnn-doctor] thresholds: 3 is not a table"),
        ("thresholds.RD303 = 3", "thresholds: RD303: 3 is not a table of signals"),
        ('thresholds.RD303.x = "3"', "thresholds: RD303.x: '3' is not a number, or two as [low, high]"),
        ("thresholds.RD303.x = true", "RD303.x: True is not a number"),
        ("thresholds.RD303.x = nan", "RD303.x: nan is not a number"),
        ("thresholds.RD303.x = [1, 2, 3]", "RD303.x: [1, 2, 3] is not a number"),
        ("[tool.rnn-doctor.per-script]\nsteps = 3", "[tool.rnn-doctor.per-script] is one table"),
        ("per-script = [3]", "[[tool.rnn-doctor.per-script]] 1 is not a table"),
        ("per-script = [{ steps = 3 }]", "[[tool.rnn-doctor.per-script]] 1 has no match"),
        ("per-script = [{ match = 3 }]", "1 match: 3 is not a pattern or a list of patterns"),
        ("per-script = [{ match = [] }]", "1 match: [] is not a pattern or a list of patterns"),
        (
            'per-script = [{ match = "a" }, { match = "b", stpes = 3 }]',
            "[[tool.rnn-doctor.per-script]] 2 has no key 'stpes' (did you mean 'steps'?)",
        ),
        ('per-script = [{ match = "a", quiet = true }]', "1 has no key 'quiet'"),
        ('per-script = [{ match = "a", steps = 0 }]', "[[tool.rnn-doctor.per-script]] 1 steps: 0 is not a"),
        ('per-script = [{ match = "a", thresholds = 1 }]', "1 thresholds: 1 is not a table"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_in_one_sentence(write: Write, table: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({}, write(table))
    assert message in caught.value.message
    assert caught.value.hint
    if "exclude" not in message:
        assert "pyproject.toml" in caught.value.message


def test_a_table_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nrnn-doctor = 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="is not a table"):
        resolve({}, tmp_path)


def test_a_bad_flag_is_named_as_it_was_typed(write: Write) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({"time_limit": "soon"}, write("time-limit = 5"))
    assert caught.value.message == "--time-limit: 'soon' is not a number of seconds above 0"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_said(write: Write) -> None:
    folder = write("")
    (folder / "pyproject.toml").chmod(0)
    with pytest.raises(SettingsError, match="cannot be read"):
        resolve({}, folder)


def test_each_setting_knows_where_it_was_set(write: Write) -> None:
    folder = write(
        'lag = 3\nselect = ["RD1"]\nignore = ["RD2"]\nthresholds.RD303.clip_share = 0.5\n'
        '[[tool.rnn-doctor.per-script]]\nmatch = "train.py"\nlag = 4\nthresholds.RD305.decay = 1'
    )
    settings = resolve({"select": ["RD3"], "steps": "9"}, folder, "train.py", origins={"steps": "elsewhere"})
    path = folder / "pyproject.toml"
    table, per_script = f"{path}: [tool.rnn-doctor]", f"{path}: [[tool.rnn-doctor.per-script]] 1"
    assert settings.origin("select") == "--select"
    assert settings.origin("steps") == "elsewhere"
    assert settings.origin("ignore") == f"{table} ignore"
    assert settings.origin("lag") == f"{per_script} lag"
    assert settings.origin("thresholds.RD303.clip_share") == f"{table} thresholds.RD303.clip_share"
    assert settings.origin("thresholds.RD305") == f"{per_script} thresholds.RD305"
    assert settings.origin("fail_on") == "--fail-on"
