"""Kernels that read the mean square displacements off a lattice gas, at the end of an interval."""

from __future__ import annotations

from microstructures.jit import inline_kernel, kernel

LEVELS = 3
"""Mean square displacements are kept over 1, 2 and 4 intervals."""


@inline_kernel
def _step_and_reset(origin, x, y, z, squares):  # type: ignore[no-untyped-def]
    """Add the squares of the way [voxels] from an origin, which moves here."""
    dx, dy, dz = x - origin[0], y - origin[1], z - origin[2]
    squares[0] += dx * dx
    squares[1] += dy * dy
    squares[2] += dz * dz
    origin[0], origin[1], origin[2] = x, y, z


@kernel
def measure_carriers(shape, bit, m, first, counts, places, names, wraps, origins, squares):  # type: ignore[no-untyped-def]
    """Add the squared displacements of the windows that end after interval m; the carriers are listed by slot."""
    nx, ny, nz = shape
    mask = (1 << bit) - 1
    for level in range(LEVELS):
        if m % (1 << level) != 0:
            break
        for group in range(len(counts)):
            for slot in range(first[group], first[group] + counts[group]):
                place, name = int(places[slot]), names[slot]
                x = (place >> (2 * bit)) + nx * wraps[name, 0]
                y = ((place >> bit) & mask) + ny * wraps[name, 1]
                z = (place & mask) + nz * wraps[name, 2]
                _step_and_reset(origins[level, name], x, y, z, squares[level])


@kernel
def measure_by_site(shape, m, sites, names, wraps, origins, squares):  # type: ignore[no-untyped-def]
    """Add the squared displacements of the windows that end after interval m; sites that are not held have a carrier."""
    nx, ny, nz = shape
    for level in range(LEVELS):
        if m % (1 << level) != 0:
            break
        for i in range(nx):
            for j in range(ny):
                for k in range(nz):
                    site = (i * ny + j) * nz + k
                    if sites[site] & 1 == 0:
                        name = names[site]
                        x, y, z = i + nx * wraps[name, 0], j + ny * wraps[name, 1], k + nz * wraps[name, 2]
                        _step_and_reset(origins[level, name], x, y, z, squares[level])
