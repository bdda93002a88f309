"""Loads the probe into the script's process, then gets out of the way.

Python imports `sitecustomize` before the script. This one takes its folder off `sys.path`, lets the user's own
`sitecustomize` run, and loads the probe package by its path, so that the examined environment needs torch alone.
"""

import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _let_the_users_own_run() -> None:
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != _HERE]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except ImportError:
        if ours is not None:
            sys.modules["sitecustomize"] = ours  # the import machinery expects the entry to stay


def _arm_the_probe() -> None:
    folder = os.path.join(os.path.dirname(_HERE), "probe")
    spec = importlib.util.spec_from_file_location(
        "_rnn_doctor_probe", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    sys.modules["_rnn_doctor_probe"] = package
    spec.loader.exec_module(package)
    importlib.import_module("_rnn_doctor_probe.arming").arm()


try:
    _let_the_users_own_run()
finally:  # Python reports an error in it, and goes on
    if "RNN_DOCTOR_PROBE" in os.environ:
        _arm_the_probe()
