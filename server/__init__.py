"""Turns the outside world into commands and frames, and back."""
