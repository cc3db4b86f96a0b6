#!/usr/bin/env python
"""The container's entry point."""

from fmridecode.cli.main import run

if __name__ == "__main__":
    run()
