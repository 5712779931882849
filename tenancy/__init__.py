"""Knows schools, people, what they may, and how their rows are reached."""
