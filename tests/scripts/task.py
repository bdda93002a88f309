"""The toy task of the trait scripts: which of three signals has the largest sum over time?"""

import torch


def sequences(count, length=12):
    """x (B, T, 3) and its class (B,); an LSTM of 16 units learns it within a hundred steps."""
    x = torch.randn(count, length, 3)
    return x, x.sum(1).argmax(1)


def say(step, loss):
    """Print the loss with all its bits, so that two runs can be held against each other."""
    print(f"LOSS {step} {loss.item().hex()}", flush=True)
