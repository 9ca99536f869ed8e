"""What-if simulation and resource planning for non-traditional security."""
