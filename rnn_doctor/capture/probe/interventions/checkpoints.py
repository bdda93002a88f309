"""Checkpoints of a trial, which must not take the place of the script's own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from typing import Any, Callable

import torch

from ..patches import Patches


def divert(patches: Patches) -> None:
    """What `torch.save` would write to a path goes to a folder that ends with the process; `torch.load` looks there."""
    diverted: dict[str, str] = {}
    folder: list[str] = []

    def saving(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
            if not isinstance(f, (str, os.PathLike)):
                return original(obj, f, *args, **kwargs)
            if not folder:
                folder.append(tempfile.mkdtemp(prefix="rnn-doctor-trial-"))
                atexit.register(shutil.rmtree, folder[0], True)
            place = os.path.abspath(f)
            aside = diverted.setdefault(place, os.path.join(folder[0], str(len(diverted))))
            return original(obj, aside, *args, **kwargs)

        return save

    def loading(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def load(f: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(f, (str, os.PathLike)):
                f = diverted.get(os.path.abspath(f), f)
            return original(f, *args, **kwargs)

        return load

    patches.replace(torch, "save", saving)
    patches.replace(torch, "load", loading)
