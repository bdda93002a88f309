"""Who may import whom, how large a file may be, and what must not be loaded."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "rnn_doctor"
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)
LONGEST_FILE = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
CHILD = ("capture.probe", "capture.inject")
STDLIB = sys.stdlib_module_names

NOUNS = {"schema", "errors", ""}
"""The empty name is the package itself, which holds the version alone."""
STAGES = {"capture", "foreign", "derive", "diagnose", "prescribe", "trials", "compare", "render"}

OURS: dict[str, set[str]] = {
    "": set(),
    "schema": {"schema", "errors"},
    "errors": set(),
    "settings": NOUNS,
    "manifest": NOUNS | {"settings"},
    "expectations": NOUNS | {"settings"},
    "targets": NOUNS | {"pipeline"},
    "api": NOUNS | {"pipeline", "observed", "settings", "expectations", "targets", "render"},
    "pytest_plugin": NOUNS | {"api"},
    "capture": NOUNS | {"capture"},
    "foreign": NOUNS | {"foreign"},
    "derive": NOUNS | {"derive"},
    "diagnose": NOUNS | {"diagnose"},
    "prescribe": NOUNS | {"prescribe"},
    "trials": NOUNS | {"trials"},
    "compare": NOUNS | {"compare"},
    "render": NOUNS | {"render"},
    "observed": NOUNS,
    "pipeline": NOUNS | {"settings", "observed"} | STAGES - {"render"},
    "trial_pipeline": NOUNS | {"settings", "pipeline"} | STAGES - {"render"},
    "cli": NOUNS
    | {
        "cli",
        "pipeline",
        "trial_pipeline",
        "observed",
        "settings",
        "manifest",
        "expectations",
        "targets",
        "compare",
        "render",
    },
    "__main__": {"cli"},
}
"""What each part may import of ours; a stage never imports a sibling."""

TYPES: dict[str, set[str]] = {"cli": {"capture"}}
"""What each part may name in annotations besides, without importing it when it runs."""

OTHERS: dict[str, set[str]] = {
    "schema": {"pydantic"},
    "settings": {"pydantic"},
    "manifest": {"pydantic"},
    "foreign": {"tensorboard", "wandb"},
    "derive": {"numpy", "scipy"},
    "diagnose": {"pydantic"},
    "compare": {"scipy"},
    "trials": {"scipy"},
    "render": {"rich", "jinja2", "markupsafe", "pydantic"},
    "cli": {"click", "rich", "pydantic", "jsonschema"},
    "pytest_plugin": {"pytest"},
}
"""What each part may import beside the standard library."""


def _name(path: Path) -> str:
    """Dotted below rnn_doctor: `diagnose.engine`; a package's own file is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_child(path: Path) -> bool:
    return _name(path).startswith(CHILD)


def _imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, dotted name and whether for annotations alone, of all that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in node.body
        for inner in ast.walk(child)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, node in for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                name = f"{module}.{alias.name}" if _is_module(module, alias.name) else module
                yield node.lineno, name, node in for_types


def _is_module(package: str, name: str) -> bool:
    """Whether `from package import name` gets a module of ours rather than something defined in it."""
    folder = ROOT.parent.joinpath(*package.split("."), name)
    return package.startswith("rnn_doctor") and (folder.is_dir() or folder.with_suffix(".py").is_file())


def _allowed(path: Path, module: str, types: bool) -> bool:
    part = _name(path).partition(".")[0]
    package, _, rest = module.partition(".")
    if package == "rnn_doctor":
        target = rest.partition(".")[0]
        if not ((ROOT / target).is_dir() or (ROOT / f"{target}.py").is_file()):
            target = ""
        return target in OURS[part] | (TYPES.get(part, set()) if types else set())
    return package in STDLIB or package in OTHERS.get(part, set())


def _ids(path: Path) -> str:
    return _name(path) or "rnn_doctor"


@pytest.mark.parametrize("path", [p for p in FILES if not _is_child(p)], ids=_ids)
def test_imports_of_the_parent_side(path: Path) -> None:
    wrong = [
        f"line {n}: {module}" for n, module, types in _imports(path) if not _allowed(path, module, types)
    ]
    assert not wrong, f"{path.relative_to(ROOT)} may not import {wrong}"


@pytest.mark.parametrize("path", [p for p in FILES if _is_child(p)], ids=_ids)
def test_the_child_side_needs_only_torch_and_an_old_python(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    for line, module, _ in _imports(path):
        package = module.partition(".")[0]
        level = len(module) - len(module.lstrip("."))
        inside = 0 < level <= len(_name(path).split(".")) - (path.name != "__init__.py")
        assert inside or package == "torch" or package in STDLIB, f"{path.relative_to(ROOT)}:{line}: {module}"


def test_the_child_side_uses_nothing_that_an_old_python_has_not() -> None:
    """A name that a module of the standard library got later, as `itertools.pairwise` in 3.10, would end the probe."""
    files = [str(path) for path in FILES if _is_child(path)]
    vermin = str(Path(sys.executable).with_name("vermin"))
    command = [vermin, "--no-tips", "--violations", "--processes=1", "-t=3.9-", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_files_are_small_and_named_for_what_they_hold(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert path.stem not in NAMELESS
    assert path.parent.name not in NAMELESS


def test_every_package_is_shipped() -> None:
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    folders = [path.parent.relative_to(ROOT.parent) for path in FILES if path.name == "__init__.py"]
    listed = set(project["tool"]["setuptools"]["packages"]) - {"rnn_doctor.rules"}
    assert listed == {".".join(folder.parts) for folder in folders}


def test_no_module_imports_its_own_package() -> None:
    for path in FILES:
        if _is_child(path) or path.name == "__init__.py":
            continue
        package = f"rnn_doctor.{_name(path).rpartition('.')[0]}".rstrip(".")
        for line, module, _ in _imports(path):
            assert module != package or package == "rnn_doctor", f"{path.relative_to(ROOT)}:{line}: {module}"


@pytest.mark.parametrize(
    "part", ["cli", "foreign.runs", "derive.signals", "diagnose.engine", "prescribe.rank", "render"]
)
def test_torch_stays_out_of_the_parent(part: str) -> None:
    names = ("torch", "tensorboard", "wandb")
    code = f"import sys, rnn_doctor.{part}; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_starts_without_numbers() -> None:
    code = (
        "import sys, rnn_doctor.cli; "
        "print([m for m in ('torch', 'numpy', 'scipy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
