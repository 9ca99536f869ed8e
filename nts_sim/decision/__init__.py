"""The conversation between the simulation and whoever decides: types only."""
