"""Training scripts that the tests examine, one trait each."""
