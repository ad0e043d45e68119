"""Kernels that put a lattice gas onto its sites, each drawn by its own probability."""

from __future__ import annotations

import numpy as np
from numba import prange

from kmc.hopping.lattice_gas.kernel import GROUP_BIT, HELD
from kmc.hopping.lattice_gas.measure import LEVELS
from kmc.hopping.streams import draw, open_stream
from microstructures.jit import parallel_kernel


@parallel_kernel
def draw_sites(words, occupancy, vacancies, seed, case, replica, sites, counts, states):  # type: ignore[no-untyped-def]
    """Occupy each site by its own equilibrium probability, in each gas by its own stream.

    `words[site]` is a site without a mover, `occupancy[group]` its probability to have a carrier. `sites[gas, site]`, the
    movers `counts[gas, group]` and the stream's `states[gas]` are written.
    """
    for gas in prange(len(states)):
        a, b, c, d = open_stream(seed, case, replica, np.uint64(gas))
        for n in range(len(words)):
            word = words[n]
            sites[gas, n] = word
            if word & HELD == 0:
                u, a, b, c, d = draw(a, b, c, d)
                group = word >> GROUP_BIT
                if (u < occupancy[group]) != vacancies:
                    sites[gas, n] = word | HELD
                    counts[gas, group] += 1
        states[gas, 0], states[gas, 1], states[gas, 2], states[gas, 3] = a, b, c, d


@parallel_kernel
def list_movers(shape, bit, words, vacancies, sites, first, places, names, origins):  # type: ignore[no-untyped-def]
    """List the movers of each gas by group in memory order, name its carriers, and note the places they start from."""
    nx, ny, nz = shape
    for gas in prange(len(sites)):
        filled = np.zeros(len(first), dtype=np.int64)
        name = 0
        for i in range(nx):
            for j in range(ny):
                for k in range(nz):
                    site = (i * ny + j) * nz + k
                    if words[site] & HELD:
                        continue
                    held = sites[gas, site] & HELD != 0
                    group = words[site] >> GROUP_BIT
                    slot = first[group] + filled[group]
                    if held:
                        places[gas, slot] = (((i << bit) | j) << bit) | k
                        filled[group] += 1
                    if held != vacancies:
                        names[gas, site if vacancies else slot] = name
                        for level in range(LEVELS):
                            origins[gas, level, name, 0] = i
                            origins[gas, level, name, 1] = j
                            origins[gas, level, name, 2] = k
                        name += 1
