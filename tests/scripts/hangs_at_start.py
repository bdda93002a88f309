"""Trait: the script hangs before its first step."""

import time

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
print("waiting for the data set", flush=True)
while True:
    time.sleep(0.1)
