"""Input tables: what their columns mean, how they are read, how names are understood."""
