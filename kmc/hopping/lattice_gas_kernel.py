"""The kernels of the lattice gas: null events with an exact clock, one gas on one thread.

Every site belongs to a group with an upper bound of its hop rate along each axis. An attempt picks a group in proportion to
its carriers times its bound, a carrier of it, a direction in proportion to the bounds, and is refused with the share by which
the true rate falls short of the bound, or because the target is taken. Refused attempts cost the same waiting time as hops,
so rates and clock are exact (thinning of a Poisson process; Fichthorn & Weinberg 1991, Lewis & Shedler 1979).

Waiting times are exponential with the total bound. Their sum is carried as a product of uniform numbers, which needs a
logarithm only when the total changes. At the end of an interval the pending wait is dropped: it has no memory.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from kmc.hopping.streams import draw, open_stream
from microstructures.jit import kernel, parallel_kernel

OCCUPIED, GROUP = 128, 127
"""A site is one byte: the upper bit says occupied, the lower bits hold its group; `GROUP` itself is no site of the gas."""
X_BIT, Y_BIT, PART = 40, 20, (1 << 20) - 1
"""Coordinates of a carrier packed into one word."""
LEVELS = 3
"""Mean square displacements are kept over 1, 2 and 4 intervals."""
SMALL_PRODUCT, LARGEST_EXPONENT = 1e-250, 650.0


@parallel_kernel
def draw_sites(groups, occupancy, seed, case, replica, sites, counts, states):  # type: ignore[no-untyped-def]
    """Occupy each site by its own equilibrium probability, in each gas by its own stream.

    `groups[site]` is the group of each site and `occupancy[group]` its probability. `sites[gas, site]`,
    `counts[gas, group]` and the stream's `states[gas]` are written.
    """
    for gas in prange(len(states)):
        a, b, c, d = open_stream(seed, case, replica, np.uint64(gas))
        for n in range(len(groups)):
            group = groups[n]
            sites[gas, n] = group
            if group != GROUP:
                u, a, b, c, d = draw(a, b, c, d)
                if u < occupancy[group]:
                    sites[gas, n] = group | OCCUPIED
                    counts[gas, group] += 1
        states[gas, 0], states[gas, 1], states[gas, 2], states[gas, 3] = a, b, c, d


@parallel_kernel
def list_carriers(shape, sites, first, places, names, origins):  # type: ignore[no-untyped-def]
    """List the carriers of each gas by group in memory order: packed place, name, and the place they start from."""
    nx, ny, nz = shape
    for gas in prange(len(sites)):
        filled = np.zeros(len(first), dtype=np.int64)
        name = 0
        for i in range(nx):
            for j in range(ny):
                for k in range(nz):
                    site = sites[gas, (i * ny + j) * nz + k]
                    if site & OCCUPIED:
                        group = site & GROUP
                        slot = first[group] + filled[group]
                        filled[group] += 1
                        places[gas, slot] = (i << X_BIT) | (j << Y_BIT) | k
                        names[gas, slot] = name
                        for level in range(LEVELS):
                            origins[gas, level, name, 0] = i
                            origins[gas, level, name, 1] = j
                            origins[gas, level, name, 2] = k
                        name += 1


@parallel_kernel
def advance(  # type: ignore[no-untyped-def]
    shape, of_axis, rates, bound, inverse, part_s, parts, n_intervals, done, site_count, first, sites, counts, states,
    places, names, wraps, origins, charge, squares, residence, crossings,
):  # fmt: skip
    """Advance every gas by `n_intervals` intervals of `parts` parts of `part_s`; `done` intervals lie behind.

    `of_axis[axis, site]` is the class of the face ahead, `rates[axis, class]` is conductance * kT/(q^2 V), `bound[group,
    axis]` the largest hop rate one way and `inverse[group, axis]` = 1 / (carrier density * bound), so that rates * inverse
    is the chance to be accepted. Written by gas: `charge[gas, m]` the sum of all displacements [voxels] after part m,
    `squares[gas, level]` the sum of squared displacements over 2^level intervals, `residence[gas, group]` carriers times
    time, `crossings[gas, class]` hops.
    """
    for gas in prange(len(sites)):
        g = np.int64(gas)
        _advance_one(
            shape, of_axis, rates, bound, inverse, part_s, parts, n_intervals, done, site_count, first, sites[g],
            counts[g], states[g], places[g], names[g], wraps[g], origins[g], charge[g], squares[g], residence[g], crossings[g],
        )  # fmt: skip


@kernel
def _advance_one(  # type: ignore[no-untyped-def]
    shape, of_axis, rates, bound, inverse, part_s, parts, n_intervals, done, site_count, first, sites, counts, states,
    places, names, wraps, origins, charge, squares, residence, crossings,
):  # fmt: skip
    carriers = counts.sum()
    stuck = carriers == 0 or carriers == site_count
    # copies of its own: rows of other gases share cache lines with these
    own_counts, own_states, own_residence, own_crossings = counts.copy(), states.copy(), residence.copy(), crossings.copy()
    moved = np.zeros(3, dtype=np.int64)
    for m in range(done + 1, done + n_intervals + 1):
        for part in range((m - 1) * parts + 1, m * parts + 1):
            if stuck:
                own_residence += own_counts * part_s
            else:
                _hop_for(
                    shape, of_axis, rates, bound, inverse, part_s, first, sites, own_counts, own_states, places, names, wraps,
                    own_residence, own_crossings, moved,
                )  # fmt: skip
            charge[part] = charge[part - 1] + moved
            moved[:] = 0
        _measure(shape, m, first, own_counts, places, names, wraps, origins, squares)
    counts[:], states[:], residence[:], crossings[:] = own_counts, own_states, own_residence, own_crossings


@kernel
def _hop_for(  # type: ignore[no-untyped-def]
    shape, of_axis, rates, bound, inverse, part_s, first, sites, counts, states, places, names, wraps, residence,
    crossings, moved,
):  # fmt: skip
    """Let one gas hop for a while and add all displacements [voxels] to `moved`."""
    _, ny, nz = shape
    n_groups = len(counts)
    a, b, c, d = states[0], states[1], states[2], states[3]
    whole = 2.0 * (bound[:, 0] + bound[:, 1] + bound[:, 2])
    share = 1.0 / whole
    total = (counts * whole).sum()
    remaining, product = part_s, 1.0
    least = math.exp(-total * remaining) if total * remaining < LARGEST_EXPONENT else 0.0
    bits, strides = (X_BIT, Y_BIT, 0), (ny * nz, nz, 1)
    edges = np.empty((n_groups, 5))
    for g in range(n_groups):
        edge = 0.0
        for direction in range(5):
            edge += bound[g, direction >> 1]
            edges[g, direction] = edge
    while True:
        u, a, b, c, d = draw(a, b, c, d)
        product *= 1.0 - u
        if product <= least:
            for group in range(n_groups):
                residence[group] += counts[group] * remaining
            break
        if product < SMALL_PRODUCT:
            wait = -math.log(product) / total
            for group in range(n_groups):
                residence[group] += counts[group] * wait
            remaining, product = max(remaining - wait, 0.0), 1.0
            least = math.exp(-total * remaining) if total * remaining < LARGEST_EXPONENT else 0.0

        u, a, b, c, d = draw(a, b, c, d)
        rest = u * total
        g = 0
        while g < n_groups - 1 and rest >= counts[g] * whole[g]:
            rest -= counts[g] * whole[g]
            g += 1
        if counts[g] == 0:
            continue  # a rounding of the last bit
        pick = min(np.int64(rest * share[g]), counts[g] - 1)
        rest -= pick * whole[g]
        slot = first[g] + pick
        place = places[slot]

        direction = 0
        for edge in range(5):  # without branches: which way is random
            direction += rest >= edges[g, edge]
        axis, forward = direction >> 1, direction & 1
        bit, size, stride = bits[axis], shape[axis], strides[axis]
        here = ((place >> X_BIT) * ny + ((place >> Y_BIT) & PART)) * nz + (place & PART)
        along = ((place >> bit) & PART) + 2 * forward - 1
        turn = 0
        if along < 0:
            turn = -1
        elif along >= size:
            turn = 1
        step = 2 * forward - 1 - turn * size
        there = here + step * stride
        target = np.int64(sites[there])
        if target >= GROUP and there != here:  # taken, or no site; one voxel thick: the carrier follows its own image
            continue
        face = of_axis[axis, here if forward else there]
        chance = rates[axis, face] * inverse[g, axis]
        if chance < 1.0:
            u, a, b, c, d = draw(a, b, c, d)
            if u >= chance:
                continue

        crossings[face] += 1
        moved[axis] += 2 * forward - 1
        if turn != 0:
            wraps[names[slot], axis] += turn
        place += step << bit
        sites[here] = g
        new = target & GROUP
        sites[there] = new | OCCUPIED
        if new == g:
            places[slot] = place
            continue
        wait = -math.log(product) / total
        for group in range(n_groups):
            residence[group] += counts[group] * wait
        name = names[slot]
        last = first[g] + counts[g] - 1
        places[slot], names[slot] = places[last], names[last]
        counts[g] -= 1
        slot = first[new] + counts[new]
        places[slot], names[slot] = place, name
        counts[new] += 1
        total = 0.0
        for group in range(n_groups):
            total += counts[group] * whole[group]
        remaining, product = max(remaining - wait, 0.0), 1.0
        least = math.exp(-total * remaining) if total * remaining < LARGEST_EXPONENT else 0.0
    states[0], states[1], states[2], states[3] = a, b, c, d


@kernel
def _measure(shape, m, first, counts, places, names, wraps, origins, squares):  # type: ignore[no-untyped-def]
    """Add the squared displacements of the windows that end after interval m."""
    nx, ny, nz = shape
    for level in range(LEVELS):
        if m % (1 << level) != 0:
            break
        sum_x, sum_y, sum_z = 0, 0, 0
        origin = origins[level]
        for group in range(len(counts)):
            for slot in range(first[group], first[group] + counts[group]):
                place, name = places[slot], names[slot]
                x = (place >> X_BIT) + nx * wraps[name, 0]
                y = ((place >> Y_BIT) & PART) + ny * wraps[name, 1]
                z = (place & PART) + nz * wraps[name, 2]
                sum_x += (x - origin[name, 0]) ** 2
                sum_y += (y - origin[name, 1]) ** 2
                sum_z += (z - origin[name, 2]) ** 2
                origin[name, 0], origin[name, 1], origin[name, 2] = x, y, z
        squares[level, 0] += sum_x
        squares[level, 1] += sum_y
        squares[level, 2] += sum_z
