"""Which runs the other tools see, and where what they said is kept."""

import hashlib
from pathlib import Path

PEERS = Path(__file__).resolve().parents[1] / "peers.jsonl"
EVERY = 3


def is_sampled(key: str) -> bool:
    """Whether the run of this key is one of every EVERYth: by its hash, so that nothing else can move the choice."""
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % EVERY == 0
