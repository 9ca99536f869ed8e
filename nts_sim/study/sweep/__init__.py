"""Sweeps: many cells (choices of values) × policies × replications, never lost, told in one table."""
