"""The sections of the group page, one a file; each has a `build`."""
