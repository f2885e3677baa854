"""Words, numbers, times and names as people write them; no other room of kafkactl is needed for them. Pure."""
