"""The kernel of independent tracers: exact continuous time on the faces of the network.

A carrier on voxel i waits an exponential time with the sum of its six rates and leaves through one face with probability
proportional to its conductance (direct method, Gillespie 1977). Nothing is rejected and no time step is chosen.

Boundary: periodic, or mirrored. A block between plates with closed sides carries the same currents as its mirror images
repeated for ever (plates are mirror planes of the field, sides those of the flow), so walkers unfold into the images.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from kmc.hopping.streams import draw, open_stream
from microstructures.jit import parallel_kernel


@parallel_kernel
def walk(  # type: ignore[no-untyped-def]
    of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, rates, labels, density, film_class, film_density,
    phase_of_label, starts, first_walker, sample_times, seed, case, replica, n_blocks, places, residence, crossings, hops,
):  # fmt: skip
    """Walk one batch of carriers and record where each is at the sample times.

    `rates` holds conductance * kT/(q^2 V) by axis and class; dividing by the carrier density of a voxel gives hop rates.
    `places[w, m]` receives the unfolded position [voxels] of walker w at sample time m; `residence[block, phase]` the time
    spent, `crossings[block, class]` and `hops[block]` the number of hops.
    """
    nx, ny, nz = labels.shape
    n_walkers, n_samples = len(starts), len(sample_times)
    any_film = film_density > 0.0
    for block in prange(n_blocks):
        own_hops = 0
        for w in range(block, n_walkers, n_blocks):
            a, b, c, d = open_stream(seed, case, replica, first_walker + w)
            _, a, b, c, d = draw(a, b, c, d)  # the first number chose the start
            k = starts[w] % nz
            j = (starts[w] // nz) % ny
            i = starts[w] // (nz * ny)
            sx, sy, sz = 1, 1, 1
            x, y, z = 0, 0, 0
            t = 0.0
            sample = 0
            while sample < n_samples:
                # classes of the six faces, in the voxel's own (unmirrored) directions
                if i > 0:
                    f0 = of_x[i - 1, j, k]
                else:
                    f0 = low_x[j, k] if mirrored else of_x[nx - 1, j, k]
                f1 = high_x[j, k] if mirrored and i + 1 == nx else of_x[i, j, k]
                if j > 0:
                    f2 = of_y[i, j - 1, k]
                else:
                    f2 = low_y[i, k] if mirrored else of_y[i, ny - 1, k]
                f3 = high_y[i, k] if mirrored and j + 1 == ny else of_y[i, j, k]
                if k > 0:
                    f4 = of_z[i, j, k - 1]
                else:
                    f4 = low_z[i, j] if mirrored else of_z[i, j, nz - 1]
                f5 = high_z[i, j] if mirrored and k + 1 == nz else of_z[i, j, k]
                label = labels[i, j, k]
                carriers = density[label]
                if any_film and (
                    film_class[f0] or film_class[f1] or film_class[f2] or film_class[f3] or film_class[f4] or film_class[f5]
                ):
                    carriers += film_density
                c0 = rates[0, f0]
                c1 = c0 + rates[0, f1]
                c2 = c1 + rates[1, f2]
                c3 = c2 + rates[1, f3]
                c4 = c3 + rates[2, f4]
                c5 = c4 + rates[2, f5]
                u, a, b, c, d = draw(a, b, c, d)
                wait = -math.log(1.0 - u) * carriers / c5 if c5 > 0.0 else np.inf
                after = t + wait
                phase = phase_of_label[label]
                while sample < n_samples and sample_times[sample] <= after:
                    places[w, sample, 0], places[w, sample, 1], places[w, sample, 2] = x, y, z
                    sample += 1
                if sample == n_samples:
                    residence[block, phase] += sample_times[n_samples - 1] - t
                    break
                residence[block, phase] += wait
                t = after
                u, a, b, c, d = draw(a, b, c, d)
                u *= c5
                own_hops += 1
                if u < c0:
                    crossings[block, f0] += 1
                    x -= sx
                    if i > 0:
                        i -= 1
                    elif mirrored:
                        sx = -sx
                    else:
                        i = nx - 1
                elif u < c1:
                    crossings[block, f1] += 1
                    x += sx
                    if i + 1 < nx:
                        i += 1
                    elif mirrored:
                        sx = -sx
                    else:
                        i = 0
                elif u < c2:
                    crossings[block, f2] += 1
                    y -= sy
                    if j > 0:
                        j -= 1
                    elif mirrored:
                        sy = -sy
                    else:
                        j = ny - 1
                elif u < c3:
                    crossings[block, f3] += 1
                    y += sy
                    if j + 1 < ny:
                        j += 1
                    elif mirrored:
                        sy = -sy
                    else:
                        j = 0
                elif u < c4:
                    crossings[block, f4] += 1
                    z -= sz
                    if k > 0:
                        k -= 1
                    elif mirrored:
                        sz = -sz
                    else:
                        k = nz - 1
                else:
                    crossings[block, f5] += 1
                    z += sz
                    if k + 1 < nz:
                        k += 1
                    elif mirrored:
                        sz = -sz
                    else:
                        k = 0
        hops[block] += own_hops
