"""What is shown of texts that may hold secrets: each read by its parser, and what none reads by patterns."""
