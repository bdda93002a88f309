"""From a script to a run log: `launch` starts the script, `probe` observes it from inside its process."""
