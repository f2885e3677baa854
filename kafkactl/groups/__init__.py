"""Consumer groups: what is known of them (facts), and what that means (verdicts)."""
