"""Paths and source lines as the log shows them."""

from pathlib import Path
from types import CodeType, TracebackType

import pytest

from rnn_doctor.capture.probe import paths, places


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_START", "/home/jo/work")
    monkeypatch.setattr(paths, "_HOME", "/home/jo")


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/jo/work/train.py", "train.py"),
        ("/home/jo/work/src/../net.py", "net.py"),
        ("/home/jo/other/net.py", "~/other/net.py"),
        ("/home/jo/workshop/net.py", "~/workshop/net.py"),
        ("/home/joe/net.py", "/home/joe/net.py"),
        ("/opt/net.py", "/opt/net.py"),
    ],
)
def test_shown(path: str, shown: str) -> None:
    assert paths.shown(path) == shown


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("--data=/home/jo/data", "--data=~/data"),
        ("/home/jo", "~"),
        ("no /home/jo/work/a.csv, no /home/jo/b.csv", "no a.csv, no ~/b.csv"),
        ('File "/home/jo/work/train.py", line 3', 'File "train.py", line 3'),
        ("a:/home/jo/x:/home/jo/y", "a:~/x:~/y"),
        ("/home/joanna/x /mnt/home/jo/x", "/home/joanna/x /mnt/home/jo/x"),
        ("/data/home/jo/work/x", "/data/home/jo/work/x"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    assert paths.masked(text) == masked


def test_nothing_is_masked_where_everything_is_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_START", "/")
    monkeypatch.setattr(paths, "_HOME", "/")
    assert paths.masked("/opt/x") == "/opt/x"
    assert paths.shown("/opt/x") == "/opt/x"


def _run(path: Path, text: str) -> dict[str, object]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    code: CodeType = compile(text, str(path), "exec")
    variables: dict[str, object] = {"here": places.here, "site": places.site}
    exec(code, variables)
    return variables


def test_here_is_the_innermost_line_of_the_script(tmp_path: Path) -> None:
    # A folder of the user's may be called torch, or lie beside one.
    path = tmp_path / "torch" / "train.py"
    found = _run(path, "def step():\n    return here(), site()\nfound, where = step()\n")
    location = found["found"]
    assert isinstance(location, dict)
    assert {k: location[k] for k in ("line", "function", "code")} == {
        "line": 2,
        "function": "step",
        "code": "return here(), site()",
    }
    assert location["file"].endswith("torch/train.py")
    assert found["where"] == (str(path), 2)


def test_torch_and_libraries_are_looked_through(tmp_path: Path) -> None:
    import torch

    text = (
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return here()\n"
        "found = Net()(1)\n"
    )
    location = _run(tmp_path / "train.py", text)["found"]
    assert isinstance(location, dict)
    assert location["line"] == 4
    library = str(Path(torch.__file__).parents[1] / "site-packages" / "other" / "loop.py")
    variables: dict[str, object] = {"here": places.here}
    exec(compile("def call(f):\n    return f()\n", library, "exec"), variables)
    call = variables["call"]
    assert callable(call)
    inside = call(places.here)
    assert inside["file"].endswith("test_paths.py")


def test_a_traceback_ends_in_the_script(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as raised:
        _run(tmp_path / "train.py", "import torch\n\ntorch.zeros(2) @ torch.zeros(3)\n")
    traceback: TracebackType | None = raised.tb
    location = places.of_traceback(traceback)
    assert location is not None
    assert (location["line"], location["code"]) == (3, "torch.zeros(2) @ torch.zeros(3)")
    assert places.of_traceback(None) is None


def test_what_cython_compiled_is_not_the_scripts_own() -> None:
    """Its frames name sources as they lay where they were built, relative to nothing that is here."""
    assert not places.is_users("pandas/_libs/parsers.pyx")
    assert places.is_users("train.py")
