"""From a folder of contrast maps to one map set, and what was used, left out or out of line."""
