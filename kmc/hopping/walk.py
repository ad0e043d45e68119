"""The kernel of independent tracers: exact continuous time on the faces of the network.

A carrier on voxel i waits an exponential time with the sum of its six rates and leaves through one face with probability
proportional to its conductance (direct method, Gillespie 1977). Nothing is rejected and no time step is chosen. Carriers go
in bundles, one hop each in turn: while one waits for memory, the others go on.

Boundary: periodic, or mirrored. A block between plates with closed sides carries the same currents as its mirror images
repeated for ever (plates are mirror planes of the field, sides those of the flow), so walkers unfold into the images.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from kmc.hopping.exponential import draw_exponential
from kmc.hopping.streams import draw
from kmc.hopping.surroundings import CROSSES, FLAGS, OUTER, PACKED, PHASE, WAIT, WAYS
from microstructures.jit import parallel_kernel, prefetch

BUNDLE = 16


@parallel_kernel
def walk(  # type: ignore[no-untyped-def]
    shape, mirrored, kind, rows, faces, until, sites, clocks, states, places, signs, residence, crossings, hops,
):  # fmt: skip
    """Advance all carriers to one time.

    State of carrier w, changed in place: `sites[w]` its voxel, `clocks[w]` the time of its next hop [s], `states[w]` its
    random stream, `places[w]` its unfolded position [voxels], `signs[w]` -1 along the axes where it is in a mirror image.
    Added to: `residence[block, phase]` the waits begun [s], `crossings[block, class]` hops to another phase or grain,
    `hops[block]`. The tables are those of `Surroundings`.
    """
    nx, ny, nz = shape
    stride = np.array([-ny * nz, ny * nz, -nz, nz, -1, 1], dtype=np.int64)
    around = np.array([nx * ny * nz, -nx * ny * nz, ny * nz, -ny * nz, nz, -nz], dtype=np.int64)
    n_blocks = len(hops)
    for block in prange(n_blocks):
        own_hops = 0
        own_residence, own_crossings = residence[block].copy(), crossings[block].copy()
        walker, at = np.empty(BUNDLE, dtype=np.int64), np.empty(BUNDLE, dtype=np.int64)
        clock, leaves = np.empty(BUNDLE), np.empty(BUNDLE, dtype=np.bool_)
        state = np.empty((BUNDLE, 4), dtype=np.uint64)
        place, sign = np.empty((BUNDLE, 3), dtype=np.int64), np.empty((BUNDLE, 3), dtype=np.int64)
        active, waiting = 0, np.int64(block)
        while True:
            while active < BUNDLE and waiting < len(sites):
                w = waiting
                waiting += n_blocks
                if clocks[w] < until:
                    walker[active], at[active], clock[active], leaves[active] = w, sites[w], clocks[w], True
                    for n in range(4):
                        state[active, n] = states[w, n]
                    for n in range(3):
                        place[active, n], sign[active, n] = places[w, n], signs[w, n]
                    active += 1
            if active == 0:
                break
            slot = 0
            full = active
            while active == full:
                e = np.int64(kind[at[slot]])
                packed = np.int64(rows[e, PACKED])
                a, b, c, d = state[slot, 0], state[slot, 1], state[slot, 2], state[slot, 3]
                if leaves[slot]:  # its wait was drawn before this call
                    leaves[slot] = False
                else:
                    wait, a, b, c, d = draw_exponential(a, b, c, d)
                    wait *= rows[e, WAIT]
                    own_residence[packed >> PHASE] += wait
                    clock[slot] += wait
                if clock[slot] >= until:
                    w = walker[slot]
                    sites[w], clocks[w] = at[slot], clock[slot]
                    states[w, 0], states[w, 1], states[w, 2], states[w, 3] = a, b, c, d
                    for n in range(3):
                        places[w, n], signs[w, n] = place[slot, n], sign[slot, n]
                    active -= 1
                    if slot < active:
                        walker[slot], at[slot] = walker[active], at[active]
                        clock[slot], leaves[slot] = clock[active], leaves[active]
                        for n in range(4):
                            state[slot, n] = state[active, n]
                        for n in range(3):
                            place[slot, n], sign[slot, n] = place[active, n], sign[active, n]
                    break
                u, a, b, c, d = draw(a, b, c, d)
                state[slot, 0], state[slot, 1], state[slot, 2], state[slot, 3] = a, b, c, d
                which = np.int64(u * WAYS)
                direction = which if u * WAYS - which < rows[e, which] else (packed >> (3 * which)) & 7
                go = packed >> (FLAGS + 2 * direction)
                axis = direction >> 1
                place[slot, axis] += sign[slot, axis] * (2 * (direction & 1) - 1)
                if go & CROSSES:
                    own_crossings[faces[e, direction]] += 1
                there = at[slot] + stride[direction]
                if go & OUTER:
                    if mirrored:
                        sign[slot, axis] = -sign[slot, axis]
                        there = at[slot]
                    else:
                        there += around[direction]
                prefetch(kind, there)
                at[slot] = there
                own_hops += 1
                slot += 1
                if slot == active:
                    slot = 0
        residence[block], crossings[block] = own_residence, own_crossings
        hops[block] += own_hops
