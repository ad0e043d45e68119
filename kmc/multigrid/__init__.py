"""Multigrid on the voxel network: the approximate inverse that the solver, basins of hops and grain graphs share."""
