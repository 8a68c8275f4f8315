"""Bytes to boxes and back; knows no command and no tag."""
