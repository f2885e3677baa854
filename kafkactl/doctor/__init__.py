"""What is wrong, why, and how to fix it: facts, collected once → checks, pure → findings, root cause first."""
