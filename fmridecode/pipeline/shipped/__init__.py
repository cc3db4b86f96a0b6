"""The decoder that comes with fmridecode: simulate, train, calibrate, evaluate, pack."""
