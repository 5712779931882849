"""Measures the server from outside, as its students meet it: `python -m bench`."""
