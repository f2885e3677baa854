"""topics.yaml: what is declared."""
