"""Small materials, structures and formulas that many tests share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kmc.conduction import solve_axis
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.materials import Materials, parse_materials
from microstructures.structure import VoxelStructure

Labels = NDArray[np.integer]
PHASES = ("pore", "A", "B", "C", "D", "E")
"""Labels 0 to 5 of every structure made here."""
KNOWN = ("--voxel-nm", 25, "--materials", "a.toml")
"""What a command needs to know of the image in the folder `work`."""


def materials(
    conductivity: Mapping[str, float],
    *,
    resistance: Mapping[str, float] | None = None,
    contacts: Mapping[str, float] | None = None,
    films: Mapping[str, float] | None = None,
    energy_eV: Mapping[str, float] | None = None,
    density: Mapping[str, float] | None = None,
    electron: Mapping[str, float] | None = None,
    film_density_per_m2: float = 1e19,
    more: str = "",
) -> Materials:
    """Return materials of phases pore, A, B, ... for ions, given in measured form at 60 degC.

    Parameters
    ----------
    conductivity : mapping of phase to S/m
        Phases without an entry do not conduct.
    resistance, contacts : mapping of "A|B" (or "default") to ohm m2
        Sintered interfaces, and point contacts.
    films : mapping of "A|B" to S
        Sheet conductances.
    energy_eV : mapping of phase or pair to eV
        Activation energies, 0 unless given.
    density : mapping of phase to 1/m3
        Carriers, 6e27 unless given.
    electron : mapping of phase to S/m
        Conductivities for electrons, 6e27 per m3.
    more : str
        Further TOML tables.
    """
    energies, carriers = dict(energy_eV or {}), dict(density or {})
    lines = ["schema = 1", 'name = "test"', "reference_temperature_C = 60.0"]
    for label, name in enumerate(PHASES):
        lines += [f"[phases.{name}]", f"label = {label}"]
        if name in conductivity:
            lines += [
                f"[phases.{name}.ion]",
                f"conductivity_S_per_m = {float(conductivity[name])!r}",
                f"activation_energy_eV = {float(energies.get(name, 0.0))!r}",
                f"carrier_density_per_m3 = {float(carriers.get(name, 6e27))!r}",
            ]
    for name, value in (electron or {}).items():
        lines += [f"[phases.{name}.electron]", f"conductivity_S_per_m = {float(value)!r}", "activation_energy_eV = 0.0"]
    for table, entries in (("interfaces", resistance), ("contacts", contacts)):
        for pair, value in (entries or {}).items():
            lines += [
                f'[{table}."{pair}".ion]',
                f"area_specific_resistance_ohm_m2 = {float(value)!r}",
                f"activation_energy_eV = {float(energies.get(pair, 0.0))!r}",
            ]
    for pair, value in (films or {}).items():
        lines += [
            f'[films."{pair}".ion]',
            f"sheet_conductance_S = {float(value)!r}",
            f"activation_energy_eV = {float(energies.get(pair, 0.0))!r}",
            f"carrier_density_per_m2 = {float(film_density_per_m2)!r}",
        ]
    return parse_materials(("\n".join(lines) + "\n" + more).encode(), "test.toml")


def block(
    labels: ArrayLike,
    voxel_nm: float | tuple[float, float, float] = 25.0,
    *,
    grains: ArrayLike | None = None,
    periodic: bool = False,
) -> VoxelStructure:
    """Return a structure of the phases above."""
    return VoxelStructure.from_labels(
        labels, voxel_nm=voxel_nm, phases=dict(enumerate(PHASES)), grains=grains, periodic=periodic
    )


def network(
    labels: ArrayLike, known: Materials, voxel_nm: float | tuple[float, float, float] = 25.0, **options: object
) -> Network:
    """Return the ion network of labels at 60 degC."""
    return build_network(block(labels, voxel_nm, **options), known)  # type: ignore[arg-type]


def laminate(layers: ArrayLike, across: int = 4) -> Labels:
    """Return layers stacked along x, `across` voxels wide."""
    return np.broadcast_to(np.asarray(layers, dtype=np.uint8)[:, None, None], (len(np.asarray(layers)), across, across)).copy()


def sphere(n: int, volume_fraction: float, *, inside: int = 2, outside: int = 1) -> tuple[Labels, float]:
    """Return a sphere in the middle of a cubic cell of n voxels, and its radius [voxels]."""
    radius = n * (3.0 * volume_fraction / (4.0 * np.pi)) ** (1.0 / 3.0)
    return np.where(distance_from_middle(n) < radius, inside, outside).astype(np.uint8), radius


def distance_from_middle(n: int) -> NDArray[np.float64]:
    """Return how far [voxels] each voxel centre of a cube lies from the middle."""
    x = np.arange(n) + 0.5 - 0.5 * n
    return np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2)


def blobs(n: int, fractions: Mapping[int, float], *, seed: int, size: float = 1.5) -> Labels:
    """Return a periodic random structure: a smoothed random field cut at the quantiles of the volume fractions."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((n, n, n)), size, mode="wrap")
    cuts = np.quantile(field, np.cumsum(list(fractions.values()))[:-1])
    return np.array(list(fractions), dtype=np.uint8)[np.searchsorted(cuts, field)]


def voronoi(n: int, count: int, *, seed: int, labels: ArrayLike = (1, 2)) -> tuple[Labels, NDArray[np.int32]]:
    """Return periodic Poisson-Voronoi grains with labels in turn: labels and grain ids of every voxel."""
    points = np.random.default_rng(seed).random((count, 3)) * n
    x = np.stack(np.meshgrid(*(np.arange(n) + 0.5,) * 3, indexing="ij"), axis=-1)
    _, nearest = cKDTree(points, boxsize=n).query(x.reshape(-1, 3))
    grains = nearest.reshape(n, n, n).astype(np.int32) + 1
    return np.resize(np.asarray(labels, dtype=np.uint8), count)[grains - 1], grains


def contents(path: str | Path) -> dict[str, Any]:
    """Return every array and attribute of a structure file as bytes, but not who wrote it and when."""
    with h5py.File(path, "r") as file:
        found = {f"@{name}": np.asarray(value).tobytes() for name, value in file.attrs.items() if name != "provenance"}

        def keep(name: str, entry: Any) -> None:
            if isinstance(entry, h5py.Dataset):
                found[name] = (entry.shape, str(entry.dtype), entry[()].tobytes())

        file.visititems(keep)
    return found


def random_labels(shape: tuple[int, int, int], n_labels: int, *, seed: int, first: int = 0) -> Labels:
    """Return independent random labels first ... first + n_labels - 1."""
    return np.random.default_rng(seed).integers(first, first + n_labels, shape).astype(np.uint8)


def sigma(known: Network, axis: int = 0, boundary: str = "periodic", tolerance: float = 1e-8) -> float:
    """Return sigma_eff [S/m] along one axis; the solve must converge."""
    solution = solve_axis(known, axis, boundary=boundary, tolerance=tolerance)  # type: ignore[arg-type]
    assert solution.outcome is Outcome.CONVERGED
    return solution.sigma_eff_S_per_m
