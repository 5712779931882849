"""Lesson plans, their versions, and the brief they compile to."""
