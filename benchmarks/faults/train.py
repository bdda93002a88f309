"""One training of the bench as a script: `python -m benchmarks.faults.train "task=recall cell=GRU"`.

The argument is a key (setting.py). `rnn-doctor check -m benchmarks.faults.train KEY` examines it.
"""

import sys

from benchmarks.faults.setting import from_key
from benchmarks.faults.training import train

if __name__ == "__main__":
    train(from_key(sys.argv[1]), updates=1000)
