"""`python -m kafkactl`."""

from kafkactl.cli import main

if __name__ == "__main__":
    main()
