"""Powders pressed into a green body: sizes, packing, contacts, voxels."""
