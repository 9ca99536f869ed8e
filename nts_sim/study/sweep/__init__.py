"""Sweeps: cells (values of axes) × policies × replications, never lost, told in one table."""
