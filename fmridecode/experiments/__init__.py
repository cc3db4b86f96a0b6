"""Studies with known truth: the paper's synthetic experiment, and simulated 3-D maps."""
