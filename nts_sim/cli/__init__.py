"""The command line: verbs, the security gate before Hydra, and what is told to the planner."""
