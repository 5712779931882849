"""What was said, how long it took and what it came to; kept, and found again."""
