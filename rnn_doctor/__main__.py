"""`rnn-doctor` and `python -m rnn_doctor`."""

import sys

from rnn_doctor.cli import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
