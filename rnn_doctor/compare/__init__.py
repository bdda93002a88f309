"""Two reports on one script in, what changed between them out."""
