"""What kafkactl changed: kept on this machine and, where topics.yaml names a topic for it, shared with a team."""
