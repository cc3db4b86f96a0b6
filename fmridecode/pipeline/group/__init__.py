"""The group level: tables and mean maps of all participants; no decoder is needed."""
