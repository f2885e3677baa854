"""A plan carried out: shown, asked about, noted in the history, applied, and accounted for. Shared by commands."""
