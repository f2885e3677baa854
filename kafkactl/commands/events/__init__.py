"""kafkactl events: contracts are shown and compared, and a topic's events are checked against theirs."""
