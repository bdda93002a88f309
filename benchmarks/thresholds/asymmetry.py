"""How far the hidden units differ under usual and under symmetric initializations.

Command: python benchmarks/thresholds/asymmetry.py (a second). The value is ||W - mean over units|| / ||W||
with W (H, a unit's weights), the larger of the input and the recurrent weights, as in the run log.
The threshold of RD601 is read from this table.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnn_doctor.capture.probe.sensors.recurrence import initial_weights


def _eye(w: Tensor) -> None:
    nn.init.eye_(w) if w.shape[0] == w.shape[1] else nn.init.normal_(w, std=0.001)


def _blocks(w: Tensor) -> None:
    for block in w.chunk(max(1, w.shape[0] // 32)):
        nn.init.orthogonal_(block)


INITIALIZATIONS: dict[str, Callable[[Tensor], object]] = {
    "default": lambda w: None,
    "xavier_uniform_": nn.init.xavier_uniform_,
    "orthogonal_ a gate": _blocks,
    "kaiming_normal_": nn.init.kaiming_normal_,
    "identity (IRNN)": _eye,
    "normal_ std 0.01": lambda w: nn.init.normal_(w, std=0.01),
    "uniform_ 0..1": nn.init.uniform_,
    "normal_ mean 0.1 std 0.01": lambda w: nn.init.normal_(w, 0.1, 0.01),
    "ones_": nn.init.ones_,
    "constant_ 0.05": lambda w: nn.init.constant_(w, 0.05),
    "zeros_": nn.init.zeros_,
    "default, bias 5 in a gate": lambda w: None,
    "default, bias 20 in a gate": lambda w: None,
}
GATE_BIAS = {"default, bias 5 in a gate": 5.0, "default, bias 20 in a gate": 20.0}


def asymmetry(module: nn.RNNBase) -> float:
    """As the probe records it."""
    return float(initial_weights(module)[0]["asymmetry"])


def main() -> None:
    """Print the table."""
    for name, fill in INITIALIZATIONS.items():
        values = []
        for cell in (nn.RNN, nn.LSTM, nn.GRU):
            for inputs in (1, 16):
                torch.manual_seed(0)
                module = cell(inputs, 32)
                fill(module.weight_ih_l0)
                fill(module.weight_hh_l0)
                if name in ("ones_", "constant_ 0.05", "zeros_"):
                    nn.init.zeros_(module.bias_ih_l0)
                    nn.init.zeros_(module.bias_hh_l0)
                with torch.no_grad():
                    module.bias_hh_l0[:32] += GATE_BIAS.get(name, 0.0)
                values.append(asymmetry(module))
        print(f"{name:26s} {min(values):.3f} .. {max(values):.3f}")


if __name__ == "__main__":
    main()
