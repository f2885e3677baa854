def describe() -> None:
    """Not here yet."""
