"""How fast the core is beside the programs that a user would otherwise write.

Nothing but torch, numpy and scipy is needed, so that ``python -m
fmridecode.experiments.benchmarks`` runs on a bare GPU image (captum is used where it is there).
"""
