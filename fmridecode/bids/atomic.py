"""Files appear whole or not at all; see `fmridecode.atomic`."""

from fmridecode.atomic import atomic, make_folder, write_atomically

__all__ = ["atomic", "make_folder", "write_atomically"]
