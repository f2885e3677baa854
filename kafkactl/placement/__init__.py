"""Where replicas should be: assignments and brokers in, the moves that make them so out. Pure."""
