"""Ears, voice, tutor and voice activity on this machine: rough, and nothing leaves it."""
