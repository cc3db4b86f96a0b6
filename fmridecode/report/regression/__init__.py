"""Sections of the pages where a number was decoded."""
