"""A person at a terminal who rehearses a runbook: what they see, what they say, and what they are told afterwards."""
