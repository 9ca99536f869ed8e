"""The accountable plan: every order a task with its Six Clarities, and what became of it."""
