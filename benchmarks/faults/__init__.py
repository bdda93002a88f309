"""The fault bench: trainings whose health is known, examined as a user's script would be. See benchmarks/README.md."""
