"""The stack's containers: every Docker call. Nothing else in kafkactl knows the docker library."""
