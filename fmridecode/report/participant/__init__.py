"""The sections of a participant's page, one a file; each has a `build`."""
