def export() -> None:
    """Not here yet."""
