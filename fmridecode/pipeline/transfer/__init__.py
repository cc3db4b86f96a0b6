"""Learning curves from few participants, with and without a decoder to start from."""
