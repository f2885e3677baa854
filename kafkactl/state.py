"""Where kafkactl keeps what it must not forget."""

import os
from pathlib import Path


def state_directory() -> Path:
    """$KAFKACTL_STATE, else $XDG_STATE_HOME/kafkactl, else ~/.local/state/kafkactl: sandboxes, and groups' offsets."""
    if own := os.environ.get("KAFKACTL_STATE"):
        return Path(own).absolute()
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state").absolute() / "kafkactl"
