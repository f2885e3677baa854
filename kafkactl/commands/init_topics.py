def init_topics() -> None:
    """Not here yet."""
