"""Whole runs beside the scripts that a user would otherwise write."""
