"""The charts of the pages, one kind a file."""
