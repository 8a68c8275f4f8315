"""Decisions, not actions: time and randomness are arguments, and nothing here does I/O."""
