"""Dead letters: where they come from, what became of them, and how they are sent back."""
