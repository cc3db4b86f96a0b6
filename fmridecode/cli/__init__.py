"""The command lines: ``fmridecode`` for data sets, ``fmridecode-tools`` for all else."""
