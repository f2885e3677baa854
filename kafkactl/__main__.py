"""The process: `kafkactl`, or `python -m kafkactl`."""

import sys

from kafkactl import process
from kafkactl.errors import Terminated


def main() -> None:
    """Run the command line and exit with its code."""
    # Before the imports, and until the process is gone: a sixth of the start went into looking for garbage.
    process.collect_garbage_by_hand()
    process.raise_on_signals()
    try:
        from kafkactl import cli

        cli.main()
    except (KeyboardInterrupt, Terminated):  # while it was still importing
        sys.exit(process.code_of_signal())
    finally:
        process.leave_garbage()


if __name__ == "__main__":
    main()
