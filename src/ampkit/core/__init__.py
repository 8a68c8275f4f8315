"""Who asked what: the AMP connection without I/O, clock, schema or policy."""
