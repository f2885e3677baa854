"""kafkactl dlq: dead letters are found, shown, sent back, saved and deleted."""
