"""kafkactl groups: consumer groups looked at, and their offsets moved, with a way back."""
