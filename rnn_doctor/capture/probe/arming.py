"""Arms the probe when the script imports torch, and follows the process to its end."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib.util
import multiprocessing
import os
import sys
from types import ModuleType
from typing import Any, Callable, Iterator

from . import lifeline
from .config import Config, from_environment

_state: dict[str, Any] = {}


def arm() -> None:
    """Waits for `import torch`; until then costs nothing."""
    config = from_environment()
    if config is None:
        return
    _state["tied"] = lifeline.tie(config.parent)
    if "torch" in sys.modules:
        _install(config)
    else:
        sys.meta_path.insert(0, _AfterImport("torch", lambda: _install(config)))


class _AfterImport:
    """Runs a function right after a module has been executed."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The module's own spec, with the function appended to its execution."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._then()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _install(config: Config) -> None:
    with _no_collection():
        from . import hooks
        from .observer import Observer
        from .patches import Patches

    if not _state["tied"]:
        lifeline.watch(config.parent)
    patches = Patches()
    observer = Observer(config)
    _state["observer"] = observer
    try:
        if config.trial is None:
            hooks.install(observer, patches)
        else:
            _install_trial(observer, patches, config.trial)
    except Exception as error:  # a torch that we do not know must not break the script
        patches.undo()
        observer.session.switch_off("probe", error)
    atexit.register(_at_exit)
    os.register_at_fork(after_in_child=lambda: _after_fork(config))
    _watch_exceptions()


def _install_trial(observer: Any, patches: Any, trial: dict[str, Any]) -> None:
    from . import hooks
    from .interventions.applying import Applying

    applying = Applying(trial["intervention"], trial["values"], trial["repeat"], patches)
    _state["applying"] = observer.session.applying = applying
    applying.begin()
    hooks.install(observer, patches)
    applying.end()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """What is imported here is no garbage: a collection would go through all of torch and find none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _at_exit() -> None:
    observer = _state["observer"]
    # Workers that the script spawned end through here too; only those that trained have a log to end.
    if multiprocessing.parent_process() is None or observer.session.writer.is_open:
        observer.end_of_script()


def _after_fork(config: Config) -> None:
    """A forked child observes itself afresh: DataLoader workers never train, other children may."""
    observer = _state["observer"]
    if observer.session.copying:
        observer.session.active = False
        return
    lifeline.watch(config.parent)
    observer.__init__(config)
    observer.session.applying = _state.get("applying")


def _watch_exceptions() -> None:
    from . import places

    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        traceback = places.without_probe(traceback)
        try:
            _state["observer"].crashed(kind, error, traceback)
        finally:
            previous(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = hook
