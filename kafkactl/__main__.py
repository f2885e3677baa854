"""The process: `kafkactl`, or `python -m kafkactl`."""

from kafkactl import process


def main() -> None:
    """Run the command line and exit with its code."""
    # Before the imports, and until the process is gone: a sixth of the start went into looking for garbage.
    process.collect_garbage_by_hand()
    from kafkactl import cli

    try:
        cli.main()
    finally:
        process.leave_garbage()


if __name__ == "__main__":
    main()
