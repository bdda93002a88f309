"""`rnn-doctor` and `python -m rnn_doctor`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from rnn_doctor.cli import run

        code = run()
    except KeyboardInterrupt:  # before anything could be asked of us
        sys.stderr.write("rnn-doctor: interrupted\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
