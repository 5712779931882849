"""Hears, thinks and speaks through an engine; knows nothing of schools, lessons or databases."""
