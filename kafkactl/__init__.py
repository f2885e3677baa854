"""kafkactl: one command-line tool for the people who run a payment platform's Kafka."""

__version__ = "0.1.0"
