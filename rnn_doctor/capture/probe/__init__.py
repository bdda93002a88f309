"""The child's side: observes a training script from inside its process.

Imports torch and the standard library alone, and only relatively of its own, since it is loaded by path into
environments where nothing of rnn-doctor is installed. It parses on Python 3.9, the oldest that torch 2.4 runs on
with annotations as they stand here.
"""
