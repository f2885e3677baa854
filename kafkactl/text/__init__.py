"""Words, numbers, times and names as people write them; imports nothing else of kafkactl. Pure."""
