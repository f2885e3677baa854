"""Where kafkactl keeps its files, and where a person keeps what is their own."""

import os
from pathlib import Path


def state_directory() -> Path:
    """Where kafkactl keeps its state (sandboxes, saved offsets): $KAFKACTL_STATE, else the system's default."""
    if own := os.environ.get("KAFKACTL_STATE"):
        return Path(own).absolute()
    from platformdirs import user_state_path

    return user_state_path("kafkactl", appauthor=False).absolute()


def cache_directory() -> Path:
    """Where kafkactl keeps what it can fetch again: $KAFKACTL_CACHE, else the system's default."""
    if own := os.environ.get("KAFKACTL_CACHE"):
        return Path(own).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("kafkactl", appauthor=False).absolute()


def personal_file() -> Path:
    """A person's own environments: config.yaml in $XDG_CONFIG_HOME/kafkactl, else in ~/.config/kafkactl."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "kafkactl" / "config.yaml"
