"""Markers of grains: the peaks of the distance map that are neither saddles nor inside the ball of a deeper one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from microstructures.jit import kernel, parallel_kernel

STEPS_PER_VOXEL = 1000.0
"""Smoothed depths that round to the same step are equal, so that a ridge without a summit is one plateau."""

Depth = NDArray[np.float32]


def find_markers(
    depth: Depth,
    edges: tuple[float, float, float],
    periodic: tuple[bool, bool, bool],
    smoothing: float,
    peak_radius: float,
) -> NDArray[np.int64]:
    """Return the voxels that mark one grain each, shape (n, 3), in memory order.

    Parameters
    ----------
    depth : ndarray of shape (nx, ny, nz), float32
        Distance to the surface, 0 outside [smallest voxel edges].
    edges : tuple of 3 floats
        Edges of a voxel [smallest voxel edges].
    periodic : tuple of 3 bools
        Axes along which the last layer touches the first.
    smoothing : float
        Standard deviation of the Gaussian [smallest voxel edges].
    peak_radius : float
        A peak is nowhere shallower than its neighbours within this radius [smallest voxel edges].
    """
    level = _levels(depth, edges, periodic, smoothing)
    wraps = np.array(periodic)
    peaks = _summits(level, _highest(level, _ball(edges, peak_radius), wraps), wraps)
    del level
    kept = peaks[_outside_deeper_balls(peaks, depth[tuple(peaks.T)], depth.shape, edges, periodic)]
    return kept[np.lexsort(kept.T[::-1])]


def _levels(
    depth: Depth, edges: tuple[float, float, float], periodic: tuple[bool, bool, bool], smoothing: float
) -> NDArray[np.int32]:
    """Return the smoothed depth in steps, at least 1 inside and 0 outside."""
    smooth = depth
    if smoothing > 0.0:
        modes: list[Literal["wrap", "nearest"]] = ["wrap" if wraps else "nearest" for wraps in periodic]
        smooth = ndimage.gaussian_filter(depth, [smoothing / edge for edge in edges], mode=modes)
    level = np.rint(smooth * np.float32(STEPS_PER_VOXEL)).astype(np.int32)
    np.maximum(level, 1, out=level)
    level[depth == 0.0] = 0
    return level


def _ball(edges: tuple[float, float, float], radius: float) -> NDArray[np.int64]:
    """Return the offsets of a ball [voxels], nearest first, never without the 26 neighbours."""
    reach = [max(1, int(radius / edge)) for edge in edges]
    offsets = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    squared = ((offsets * np.array(edges)) ** 2).sum(axis=1)
    neighbour = np.abs(offsets).max(axis=1) == 1
    inside = neighbour | ((squared <= radius * radius) & (squared > 0.0))
    return offsets[inside][np.argsort(np.where(neighbour, 0.0, squared)[inside], kind="stable")]


def _outside_deeper_balls(
    peaks: NDArray[np.int64],
    depth: Depth,
    shape: tuple[int, ...],
    edges: tuple[float, float, float],
    periodic: tuple[bool, bool, bool],
) -> NDArray[np.bool_]:
    """Keep, from the deepest peak on, those that lie in no ball of a peak kept before."""
    box = np.array([n * edge if wraps else 0.0 for n, edge, wraps in zip(shape, edges, periodic, strict=True)])
    tree = cKDTree(peaks * np.array(edges), boxsize=box)
    keep = np.ones(len(peaks), dtype=np.bool_)
    for p in np.argsort(-depth, kind="stable"):
        if keep[p]:
            keep[tree.query_ball_point(tree.data[p], depth[p])] = False
            keep[p] = True
    return keep


@parallel_kernel
def _highest(level, ball, wraps):  # type: ignore[no-untyped-def]
    """Mark the voxels above 0 that no voxel of the ball around them exceeds."""
    nx, ny, nz = level.shape
    top = np.zeros((nx, ny, nz), dtype=np.bool_)
    for plane in prange(nx):
        i = int(plane)
        for j in range(ny):
            for k in range(nz):
                own = level[i, j, k]
                if own == 0:
                    continue
                is_top = True
                for m in range(len(ball)):
                    a, b, c = i + ball[m, 0], j + ball[m, 1], k + ball[m, 2]
                    if wraps[0]:
                        a %= nx
                    if wraps[1]:
                        b %= ny
                    if wraps[2]:
                        c %= nz
                    if a < 0 or b < 0 or c < 0 or a >= nx or b >= ny or c >= nz:
                        continue
                    if level[a, b, c] > own:
                        is_top = False
                        break
                top[i, j, k] = is_top
    return top


@kernel
def _summits(level, top, wraps):  # type: ignore[no-untyped-def]
    """Return one voxel for each plateau (26 neighbours) that holds a mark and has no higher neighbour.

    It is the plateau's voxel nearest to the mean of its positions, the first of them in a tie.
    """
    nx, ny, nz = level.shape
    seen = np.zeros((nx, ny, nz), dtype=np.bool_)
    found = [(0, 0, 0)][:0]
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if not top[i, j, k] or seen[i, j, k]:
                    continue
                own = level[i, j, k]
                members = [(i, j, k)]  # unwrapped, so that the mean has a meaning
                seen[i, j, k] = True
                is_summit = True
                done = 0
                while done < len(members):
                    x, y, z = members[done]
                    done += 1
                    for dx in range(-1, 2):
                        for dy in range(-1, 2):
                            for dz in range(-1, 2):
                                a, b, c = x + dx, y + dy, z + dz
                                u = a % nx if wraps[0] else a
                                v = b % ny if wraps[1] else b
                                w = c % nz if wraps[2] else c
                                if u < 0 or v < 0 or w < 0 or u >= nx or v >= ny or w >= nz:
                                    continue
                                if level[u, v, w] > own:
                                    is_summit = False
                                elif level[u, v, w] == own and not seen[u, v, w]:
                                    seen[u, v, w] = True
                                    members.append((a, b, c))
                if not is_summit:
                    continue
                sx, sy, sz = 0.0, 0.0, 0.0
                for x, y, z in members:
                    sx, sy, sz = sx + x, sy + y, sz + z
                n = len(members)
                nearest, least = 0, np.inf
                for m in range(n):
                    x, y, z = members[m]
                    squared = (x - sx / n) ** 2 + (y - sy / n) ** 2 + (z - sz / n) ** 2
                    if squared < least:
                        nearest, least = m, squared
                x, y, z = members[nearest]
                found.append((x % nx, y % ny, z % nz))
    out = np.empty((len(found), 3), dtype=np.int64)
    for m in range(len(found)):
        out[m, 0], out[m, 1], out[m, 2] = found[m]
    return out
