"""Tutors by OpenAI, and by whoever speaks its protocols."""
