"""Programs with one thing wrong: designs that a scenario must fail. Compose override files put them in place."""
