"""The lesson while it runs: `conversation` decides, `session` waits."""
