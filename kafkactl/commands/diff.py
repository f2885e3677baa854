def diff() -> None:
    """Not here yet."""
