"""Tutors of Amazon Bedrock."""
