"""Other tools on trainings of the bench."""
