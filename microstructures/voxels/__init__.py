"""Tools on voxels: the cells of particles, the nearest mark, the true area of an interface."""
