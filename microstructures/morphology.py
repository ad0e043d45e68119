"""Measure a structure: fractions, grains, interface areas, the interphase, contacts, two-point statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy import fft, ndimage

from microstructures.interface_normals import AREA_LEVELS, area_factor_of_level, area_level
from microstructures.jit import parallel_kernel
from microstructures.structure import VoxelStructure
from microstructures.units import NM, UM

PORE = "pore"


def volume_fractions(structure: VoxelStructure) -> dict[str, float]:
    """Return the volume fraction of every phase, named phases without voxels included as 0."""
    counts = np.bincount(structure.labels.ravel(), minlength=256)
    present = set(np.flatnonzero(counts).tolist()) | set(structure.phases)
    return {structure.phase_name(label): float(counts[label]) / structure.labels.size for label in sorted(present)}


def relative_density(structure: VoxelStructure) -> float:
    """Return the share of the volume that is not pore (the phase named pore, or label 0 where phases have no names)."""
    pores = [label for label, name in structure.phases.items() if name == PORE] if structure.phases else [0]
    return 1.0 - float(np.isin(structure.labels, pores).mean())


def interface_areas(structure: VoxelStructure) -> dict[str, float]:
    """Return the area per volume [1/um] of every interface, corrected for the staircase of voxels.

    Keys are "A|B" in alphabetical order; "A|A" is the grain boundary of A, where grains are known. Faces across the outer
    boundary count for periodic structures.
    """
    grains = structure.grains if structure.grains is not None else np.zeros((1, 1, 1), np.int32)
    size = np.array(structure.voxel_size)
    present = np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256))
    index = np.zeros(256, dtype=np.int64)
    index[present] = np.arange(len(present))
    area = np.zeros((len(present), len(present)))
    true_share = 1.0 / area_factor_of_level(np.arange(AREA_LEVELS + 1))
    for axis in range(3):
        counts = _interface_counts(
            axis, structure.labels, grains, structure.grains is not None, index, len(present), structure.periodic,
            size.min() / size,
        )  # fmt: skip
        area += (counts * true_share).sum(axis=-1) * size.prod() / size[axis]
    area /= structure.labels.size * size.prod()
    out: dict[str, float] = {}
    for a, b in np.argwhere(area > 0.0):
        names = sorted((structure.phase_name(int(present[a])), structure.phase_name(int(present[b]))))
        key = "|".join(names)
        out[key] = out.get(key, 0.0) + float(area[a, b]) * UM
    return dict(sorted(out.items()))


@parallel_kernel
def _interface_counts(axis, labels, grains, has_grains, index, n_phases, wraps, inverse_size):  # type: ignore[no-untyped-def]
    """Count interface faces by phase pair and area level, one table per plane of voxels."""
    nx, ny, nz = labels.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    tables = np.zeros((nx, n_phases, n_phases, AREA_LEVELS + 1), dtype=np.int64)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                i1, j1, k1 = i + di, j + dj, k + dk
                if i1 >= nx or j1 >= ny or k1 >= nz:
                    if not wraps[axis]:
                        continue
                    i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                a, b = index[labels[i, j, k]], index[labels[i1, j1, k1]]
                if a == b and (not has_grains or grains[i, j, k] == grains[i1, j1, k1]):
                    continue
                level = area_level(labels, grains, has_grains, i, j, k, axis, wraps, inverse_size)
                tables[i, min(a, b), max(a, b), level] += 1
    return tables.sum(axis=0)


def interphase_statistics(
    structure: VoxelStructure, product: str = "LFTAP", donor: str = "LFP", host: str = "LATP"
) -> dict[str, float]:
    """Return thickness, volume fraction and coverage of the interphase.

    The thickness is sampled at every face between interphase and host: the distance from that face to the donor's
    surface. Coverage is the area donor|interphase over the area donor|interphase + donor|host. An empty dictionary where
    the structure has no interphase.
    """
    names = {name: label for label, name in structure.phases.items()}
    if product not in names or not (structure.labels == names[product]).any() or donor not in names:
        return {}
    layer = structure.labels == names[product]
    mean_voxel = float(np.mean(structure.voxel_size))
    outer = _next_to(layer, structure.labels == names.get(host, 255), structure.periodic)
    widest = 10 + int(np.ceil(300 * NM / min(structure.voxel_size)))
    pad = [
        (min(widest, n), min(widest, n)) if wrap else (0, 0)
        for n, wrap in zip(structure.shape, structure.periodic, strict=True)
    ]
    away = ndimage.distance_transform_edt(
        np.pad(structure.labels, pad, mode="wrap") != names[donor], sampling=structure.voxel_size
    )
    inner = tuple(slice(low, low + n) for (low, _), n in zip(pad, structure.shape, strict=True))
    samples = np.asarray(away)[inner][outer] / NM
    areas = interface_areas(structure)
    covered = areas.get("|".join(sorted((donor, product))), 0.0)
    bare = areas.get("|".join(sorted((donor, host))), 0.0)
    if samples.size == 0:  # nothing of the host is left: count the deepest voxels instead
        samples = np.asarray(away)[inner][layer] / NM + 0.5 * mean_voxel / NM
    return {
        "thickness_nm_mean": float(samples.mean()),
        "thickness_nm_p05": float(np.percentile(samples, 5)),
        "thickness_nm_p95": float(np.percentile(samples, 95)),
        "volume_fraction": float(layer.mean()),
        "coverage": covered / (covered + bare) if covered + bare > 0.0 else 0.0,
        "voxels_across": float(samples.mean()) * NM / mean_voxel,
    }


def _next_to(inside: NDArray[np.bool_], other: NDArray[np.bool_], periodic: tuple[bool, bool, bool]) -> NDArray[np.bool_]:
    """Return the voxels of `inside` that share a face with `other`."""
    out = np.zeros(inside.shape, dtype=np.bool_)
    for axis in range(3):
        for shift in (1, -1):
            neighbour = np.roll(other, shift, axis=axis)
            if not periodic[axis]:
                edge: list[slice | int] = [slice(None)] * 3
                edge[axis] = 0 if shift == 1 else -1
                neighbour[tuple(edge)] = False
            out |= inside & neighbour
    return out


def two_point_statistics(structure: VoxelStructure) -> dict[str, Any]:
    """Return the two-point probability S2(r) of every phase along the axes, and its integral range.

    S2(r) is the chance that both ends of a segment of length r along an axis lie in the phase, averaged over axes; by fast
    Fourier transform, with wrap-around (for a structure that is not periodic this blurs it by r/L). The correlation length
    is the integral of (S2 - phi^2) / (phi - phi^2) over r up to half the box.
    """
    shortest = min(n // 2 for n in structure.shape)
    out: dict[str, Any] = {
        "r_um": (np.arange(shortest + 1) * float(np.mean(structure.voxel_size)) / UM).tolist(),
        "S2": {},
        "correlation_length_um": {},
    }
    for label in np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256)):
        indicator = (structure.labels == label).astype(np.float32)
        phi = float(indicator.mean(dtype=np.float64))
        power = np.abs(fft.rfftn(indicator)) ** 2
        s2_all = fft.irfftn(power, s=structure.shape) / structure.labels.size
        along = [np.take(np.moveaxis(s2_all, axis, 0)[:, 0, 0], range(shortest + 1)) for axis in range(3)]
        s2 = np.mean(along, axis=0, dtype=np.float64)
        name = structure.phase_name(int(label))
        out["S2"][name] = [round(float(value), 6) for value in np.atleast_1d(s2)]
        if 0.0 < phi < 1.0:
            out["correlation_length_um"][name] = float(np.trapezoid((s2 - phi**2) / (phi - phi**2), out["r_um"]))
    return out


def grain_sizes_um(structure: VoxelStructure) -> dict[str, dict[str, float]]:
    """Return number, mean and spread of the equivalent-sphere diameter [um] of the grains of every phase.

    A grain that holds an interphase counts with it, as the phase that most of it is.
    """
    if structure.grains is None or structure.n_grains == 0:
        return {}
    present = np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256))
    per_phase = np.stack(
        [np.bincount(structure.grains[structure.labels == label], minlength=structure.n_grains + 1) for label in present]
    )
    size = per_phase.sum(axis=0)
    main = present[per_phase.argmax(axis=0)]
    diameter = (6.0 * size * float(np.prod(structure.voxel_size)) / np.pi) ** (1.0 / 3.0) / UM
    out = {}
    for label in present:
        mine = (main == label) & (size > 0) & (np.arange(len(size)) > 0)
        if mine.any():
            out[structure.phase_name(int(label))] = {
                "count": int(mine.sum()),
                "mean": float(diameter[mine].mean()),
                "standard_deviation": float(diameter[mine].std()),
            }
    return out


def describe(structure: VoxelStructure, *, two_point: bool = True) -> dict[str, Any]:
    """Return everything above as plain values: the JSON of `cofire info`."""
    out: dict[str, Any] = {
        "process": structure.process,
        "seed": structure.seed,
        "shape": list(structure.shape),
        "voxel_nm": structure.voxel_nm[0] if len(set(structure.voxel_nm)) == 1 else list(structure.voxel_nm),
        "size_um": list(structure.edges_um),
        "periodic": all(structure.periodic),
        "volume_fraction": volume_fractions(structure),
        "relative_density": relative_density(structure),
        "grains": structure.n_grains,
        "grain_diameter_um": grain_sizes_um(structure),
        "interphase": interphase_statistics(structure),
        "interface_area_per_volume_per_um": interface_areas(structure),
    }
    contacts = structure.contacts
    if contacts is not None and len(contacts):
        out["contacts"] = {
            "count": len(contacts),
            "coordination": contacts.coordination(structure.n_grains),
            "radius_nm_mean": float(contacts.radius.mean() / NM),
            "radius_nm_min": float(contacts.radius.min() / NM),
            "radius_nm_max": float(contacts.radius.max() / NM),
            "gap_nm_largest": float(contacts.gap.max() / NM),
        }
    if two_point:
        out["two_point"] = two_point_statistics(structure)
    return out
