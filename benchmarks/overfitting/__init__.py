"""The overfitting bench: trainings whose outcome is known, watched from the first evaluation to the last."""
