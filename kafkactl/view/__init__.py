"""Everything that renders. What a command prints is made here, from what the nouns have decided."""
