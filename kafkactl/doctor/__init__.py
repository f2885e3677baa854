"""What is wrong, why, and what heals it: facts, collected once → checks, pure → findings, root cause first."""
