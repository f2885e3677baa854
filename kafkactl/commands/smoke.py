def smoke() -> None:
    """Not here yet."""
