"""Decoders are trained fold by fold, beside what they are compared with, and kept on disk."""
