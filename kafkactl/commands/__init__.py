"""What a user types and sees: one file a command."""
