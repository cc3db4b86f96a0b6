"""BIDS data sets in and out; the only layer that touches files of images."""
