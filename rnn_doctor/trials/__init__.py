"""What to try on a run, and what came of it: a report and run logs in, measured effects out."""
