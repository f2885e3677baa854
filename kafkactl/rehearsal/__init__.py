"""A plan tried on a throw-away copy of a cluster: its topics, settings and brokers, and no record."""
