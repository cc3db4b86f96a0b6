"""The steps of a run: prepare, train, decode, explain, evaluate."""
