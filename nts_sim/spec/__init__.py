"""What the planner writes: the models of a study and the only gate that loads one."""
