def lint() -> None:
    """Not here yet."""
