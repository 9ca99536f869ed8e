"""What happened, as a flat table of events."""
