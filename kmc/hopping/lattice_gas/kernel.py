"""The kernel of the lattice gas: null events with an exact clock, one gas on one thread.

What is followed are movers: the carriers, or in a crowded gas the vacancies that trade places with them. Every site belongs to
a group with an upper bound of the rate at which a mover leaves it in each direction. An attempt picks a group in proportion to
its movers times its bound, a mover of it, a direction in proportion to the bounds, and is refused with the share by which the
true rate falls short of the bound, or because the target holds a mover too. Refused attempts cost the same waiting time as
hops, so rates and clock are exact (thinning of a Poisson process; Fichthorn & Weinberg 1991, Lewis & Shedler 1979).

Attempts come in blocks, with one total rate that no hop of the block can lift the true total above. Waiting times are
exponential with it. Their sum over a block is carried as a product of uniform numbers and needs one logarithm; within a block
they are exchangeable, so that each counts as their mean. What is pending at the end of a part is dropped: it has no memory.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from kmc.hopping.lattice_gas.measure import measure_by_site, measure_carriers
from kmc.hopping.streams import draw
from microstructures.jit import kernel, parallel_kernel

HELD, GROUP_BIT = 1, 4
"""A site: bit 0 says that no mover can enter (one sits there, or it is no site of the gas), bits 1 to 3 that the face ahead
along x, y, z is not of the plain kind of its group, the bits above hold the group."""
BLOCK, BLOCK_COST = 256, 2.0
"""Most attempts of a block, and what a block costs in attempts: long blocks share it, short ones have fewer null attempts."""


@parallel_kernel
def advance(  # type: ignore[no-untyped-def]
    shape, bit, of_axis, rates, weights, inverse, plain, vacancies, part_s, parts, done, n_parts, site_count, first, sites,
    counts, states, places, names, wraps, origins, charge, squares, residence, crossings, hops,
):  # fmt: skip
    """Advance every gas by `n_parts` parts of `part_s`, `parts` to an interval; `done` parts lie behind.

    `of_axis[axis, site]` is the class of the face ahead, `rates[axis, class]` is conductance * kT/(q^2 V). `weights[group,
    2 axis + forward]` is the largest rate at which a mover leaves a site, `inverse[group, group of the target, axis]` =
    1 / (carrier density * weight without field), so that rates * inverse is the chance to be accepted, and `plain[group,
    axis]` that chance over a plain face. Coordinates are packed into `bit` bits each. With `vacancies`, `names[gas, site]`
    is the carrier on a site, else `names[gas, slot]` that in a slot. Written by gas: `charge[gas, m]` the sum of all
    displacements [voxels] after part m, `squares[gas, level]` the sum of squared displacements over 2^level intervals,
    `residence[gas, group]` movers times time, `crossings[gas, class]` hops over faces that are not plain, `hops[gas]` all.
    """
    for gas in prange(len(sites)):
        g = np.int64(gas)
        _advance_one(
            shape, bit, of_axis, rates, weights, inverse, plain, vacancies, part_s, parts, done, n_parts, site_count, first,
            sites[g], counts[g], states[g], places[g], names[g], wraps[g], origins[g], charge[g], squares[g], residence[g],
            crossings[g], hops[g],
        )  # fmt: skip


@kernel
def _advance_one(  # type: ignore[no-untyped-def]
    shape, bit, of_axis, rates, weights, inverse, plain, vacancies, part_s, parts, done, n_parts, site_count, first, sites,
    counts, states, places, names, wraps, origins, charge, squares, residence, crossings, hops,
):  # fmt: skip
    movers = counts.sum()
    stuck = movers == 0 or movers == site_count
    # copies of its own: rows of other gases share cache lines with these
    own_counts, own_states, own_residence, own_crossings = counts.copy(), states.copy(), residence.copy(), crossings.copy()
    own_hops, sign = hops.copy(), -1 if vacancies else 1
    moved = np.zeros(3, dtype=np.int64)
    whole, edges = np.zeros(len(weights)), np.empty((len(weights), 5))
    for group in range(len(weights)):
        for direction in range(6):
            if direction > 0:
                edges[group, direction - 1] = whole[group]
            whole[group] += weights[group, direction]
    for part in range(done + 1, done + n_parts + 1):
        if stuck:
            own_residence += own_counts * part_s
        else:
            _hop_for(
                shape, bit, of_axis, rates, whole, edges, inverse, plain, vacancies, part_s, first, sites, own_counts,
                own_states, places, names, wraps, own_residence, own_crossings, own_hops, moved,
            )  # fmt: skip
        charge[part] = charge[part - 1] + sign * moved
        moved[:] = 0
        if part % parts == 0:
            if vacancies:
                measure_by_site(shape, part // parts, sites, names, wraps, origins, squares)
            else:
                measure_carriers(shape, bit, part // parts, first, own_counts, places, names, wraps, origins, squares)
    counts[:], states[:], residence[:], crossings[:] = own_counts, own_states, own_residence, own_crossings
    hops[:] = own_hops


@kernel
def _hop_for(  # type: ignore[no-untyped-def]
    shape, bit, of_axis, rates, whole, edges, inverse, plain, vacancies, part_s, first, sites, counts, states, places, names,
    wraps, residence, crossings, hops, moved,
):  # fmt: skip
    """Let one gas hop for a while and add the displacements [voxels] of its movers to `moved`."""
    _, ny, nz = shape
    n_groups = len(counts)
    a, b, c, d = states[0], states[1], states[2], states[3]
    share, low = 1.0 / whole, np.empty(n_groups)
    largest = whole.max() if n_groups > 1 else 0.0
    mask, strides, bits = (1 << bit) - 1, (ny * nz, nz, 1), (2 * bit, bit, 0)
    remaining, n_hops = part_s, 0
    while remaining > 0.0:
        total = _accumulate(counts, whole, low)
        block = BLOCK if n_groups == 1 else max(min(np.int64(math.sqrt(BLOCK_COST * total / largest)), BLOCK), 1)
        upper = total + (block - 1) * largest
        least = math.exp(-upper * remaining)
        product, n = 1.0, 0
        for _ in range(block):
            u, a, b, c, d = draw(a, b, c, d)
            product *= 1.0 - u
            n += product > least
        last = n < block
        wait = remaining / (n + 1) if last else -math.log(product) / (upper * n)
        remaining = 0.0 if last else remaining - wait * n
        told = 0
        for attempt in range(n):
            u, a, b, c, d = draw(a, b, c, d)
            rest = u * upper
            if rest >= total:
                continue
            g = 0
            for group in range(1, n_groups):
                g += rest >= low[group]
            rest -= low[g]
            pick = min(np.int64(rest * share[g]), counts[g] - 1)
            rest -= pick * whole[g]
            slot = first[g] + pick
            place = np.int64(places[slot])
            direction = 0
            for edge in range(5):  # without branches: which way is random
                direction += rest >= edges[g, edge]
            axis, forward = direction >> 1, direction & 1
            along = ((place >> bits[axis]) & mask) + 2 * forward - 1
            turn = np.int64(along >= shape[axis]) - np.int64(along < 0)
            step = 2 * forward - 1 - turn * shape[axis]
            here = ((place >> bits[0]) * ny + ((place >> bits[1]) & mask)) * nz + (place & mask)
            there = here + step * strides[axis]
            left, target = np.int64(sites[here]), np.int64(sites[there])
            u, a, b, c, d = draw(a, b, c, d)

            enters = ((target & HELD) ^ 1) | (there == here)  # one voxel thick: the mover follows its own image
            new, goes = g, enters & (u < plain[g, axis])
            if (target + (left - target) * forward) & (2 << axis):
                new = target >> GROUP_BIT
                face = of_axis[axis, here if forward else there]
                goes = enters & (u < rates[axis, face] * inverse[g, new, axis])
                crossings[face] += goes
            n_hops += goes
            moved[axis] += (2 * forward - 1) * goes
            if vacancies:
                names[here] = names[there]  # a refused vacancy takes a name that nobody reads
            if turn != 0:
                if vacancies:
                    wraps[names[here], axis] -= turn * goes
                else:
                    wraps[names[slot], axis] += turn * goes
            place += step * goes << bits[axis]
            places[slot] = place
            sites[here] = left ^ goes
            sites[there] = target | goes
            if new == g or goes == 0:
                continue
            for group in range(n_groups):
                residence[group] += counts[group] * wait * (attempt + 1 - told)
            told = attempt + 1
            end = first[g] + counts[g] - 1
            counts[g] -= 1
            free = first[new] + counts[new]
            counts[new] += 1
            if not vacancies:
                name = names[slot]
                names[slot], names[free] = names[end], name
            places[slot], places[free] = places[end], place
            total = _accumulate(counts, whole, low)
        for group in range(n_groups):
            residence[group] += counts[group] * wait * (n + last - told)
    hops[0] += n_hops
    states[0], states[1], states[2], states[3] = a, b, c, d


@kernel
def _accumulate(counts, whole, low):  # type: ignore[no-untyped-def]
    """Write the rate of all groups before each into `low` and return that of all."""
    total = 0.0
    for group in range(len(counts)):
        low[group] = total
        total += counts[group] * whole[group]
    return total
