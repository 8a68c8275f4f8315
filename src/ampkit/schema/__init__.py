"""Boxes to Python values and back; knows no tag and no connection."""
