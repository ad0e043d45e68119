"""The kernel of carriers that go from basin to basin: one event is one exit.

A carrier in a state waits an exponential time of the mean of that state, chooses the port and then the face by which it leaves
(direct method, Gillespie 1977), and is then in the state of the voxel beyond. At long times the mean square displacement
depends on the mean times alone, not on their law or on how they go with the exits, so it is that of single hops.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from kmc.hopping.exponential import draw_exponential
from kmc.hopping.streams import draw
from microstructures.jit import parallel_kernel


@parallel_kernel
def advance_basins(  # type: ignore[no-untyped-def]
    first, ports, row, port_share, tau_s, phase_share, at, exits, exit_share, exit_state, exit_at, exit_class,
    until, sites, clocks, streams, places, residence, crossings, hops,
):  # fmt: skip
    """Advance all carriers to one time.

    The first twelve arrays are `Basins.states`. State of carrier w, changed in place: `sites[w]` its state, `clocks[w]` the
    time of its next exit [s], `streams[w]` its random stream, `places[w]` the voxel by which it entered, unfolded [voxels].
    Added to: `residence[block, phase]` the waits begun [s], `crossings[block, class]` and `hops[block]` the exits; what happens
    inside basins is not counted.
    """
    n_blocks, n_phases = len(hops), phase_share.shape[1]
    for block in prange(n_blocks):
        own_hops = 0
        own_residence, own_crossings = residence[block].copy(), crossings[block].copy()
        for w in range(block, len(sites), n_blocks):
            t = clocks[w]
            if t >= until:
                continue
            a, b, c, d = streams[w, 0], streams[w, 1], streams[w, 2], streams[w, 3]
            state = np.int64(sites[w])
            x, y, z = np.int64(places[w, 0]), np.int64(places[w, 1]), np.int64(places[w, 2])
            while t < until:
                port = state
                if row[state] >= 0:
                    u, a, b, c, d = draw(a, b, c, d)
                    low, high = row[state], row[state] + ports[state] - 1
                    while low < high:  # the first whose running sum exceeds u
                        middle = (low + high) >> 1
                        if port_share[middle] > u:
                            high = middle
                        else:
                            low = middle + 1
                    port = first[state] + low - row[state]
                u, a, b, c, d = draw(a, b, c, d)
                face = exits[port]
                while exit_share[face] <= u:
                    face += 1
                own_crossings[exit_class[face]] += 1
                own_hops += 1
                x += exit_at[face, 0] - at[state, 0]
                y += exit_at[face, 1] - at[state, 1]
                z += exit_at[face, 2] - at[state, 2]
                state = np.int64(exit_state[face])
                wait, a, b, c, d = draw_exponential(a, b, c, d)
                wait *= tau_s[state]
                for phase in range(n_phases):
                    own_residence[phase] += wait * phase_share[state, phase]
                t += wait
            sites[w], clocks[w] = state, t
            streams[w, 0], streams[w, 1], streams[w, 2], streams[w, 3] = a, b, c, d
            places[w, 0], places[w, 1], places[w, 2] = x, y, z
        residence[block], crossings[block] = own_residence, own_crossings
        hops[block] += own_hops
