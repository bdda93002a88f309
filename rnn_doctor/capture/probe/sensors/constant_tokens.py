"""Whether all tokens that a loss depends on are one and the same, as where each word is taken for the unknown one."""

from __future__ import annotations

import torch

from ..writer import Writer


class ConstantTokens:
    """Looks at the tables of the graph at sampled steps, until two tokens differ."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._only: int | None = None
        self._looked = 0
        self.open = True
        """All tokens seen so far were the same."""

    def on_graph(self, step: int, modules: list[int], tables: list[torch.Tensor]) -> None:
        """A backward pass is about to run through hand-written recurrences; of tables that the loss depends on."""
        if not (tables and modules):
            return
        self._looked += sum(table.numel() for table in tables)
        for table in tables:
            low, high = (int(value) for value in table.aminmax())
            self._only = low if self._only is None else self._only
            if not low == high == self._only:
                self.open = False
        for module in modules:
            self._writer.write("tokens", step=step, module=module, looked=self._looked, constant=self.open)
