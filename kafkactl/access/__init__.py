"""Who may do what: Kafka's rules (ACLs), what topics.yaml declares of them, and how they are judged."""
