"""Randomness: keyed draws and the hazard calendar; made nowhere else."""
