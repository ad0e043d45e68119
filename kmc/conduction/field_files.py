"""Write potential, current density and dissipation of every voxel to a file, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kmc.conduction.face_currents import kept_potential
from kmc.conduction.fields import block_length_m, current_density_vector, dissipation_density
from microstructures.errors import InputError
from microstructures.formats.guard import atomic_file
from microstructures.origin import stamp
from microstructures.units import UM

if TYPE_CHECKING:
    from kmc.conduction.steady import AxisSolution
    from kmc.network import Network

SCHEMA = 1
FIELD_SUFFIXES = (".h5", ".vti")
NORMALISATION = "mean field of 1 V/m along the axis; NaN where no current can flow"


def write_fields(path: Path, network: Network, solution: AxisSolution) -> None:
    """Write the fields of a solution as `.h5` (datasets (nx, ny, nz)) or `.vti` (cell data, x fastest).

    `potential_V` (periodic: the deviation from the mean gradient), `current_density_A_per_m2` (x, y, z last in HDF5) and
    `dissipation_W_per_m3`, for a mean field of 1 V/m along the axis: the means of the latter two, with 0 for NaN, are
    sigma_eff [S/m].

    Parameters
    ----------
    path : Path
        Where to write; an existing file is replaced in one step.
    network, solution
        See `kmc.conduction.face_currents.face_currents`.

    Raises
    ------
    InputError
        If the suffix is neither, the potential was not kept, or the system refuses to write.
    """
    if path.suffix.lower() not in FIELD_SUFFIXES:
        raise InputError(f"{path} ends in '{path.suffix}'; allowed: {', '.join(FIELD_SUFFIXES)}; rename it")
    fields = {
        "potential_V": kept_potential(solution) * block_length_m(network, solution),
        "current_density_A_per_m2": np.moveaxis(current_density_vector(network, solution), 0, -1),
        "dissipation_W_per_m3": dissipation_density(network, solution),
    }
    words = {
        "normalisation": NORMALISATION,
        "axis": solution.axis,
        "boundary": solution.boundary,
        "carrier": network.carrier,
        "outcome": str(solution.outcome),
    }
    numbers = {"temperature_C": network.temperature_C, "sigma_eff_S_per_m": solution.sigma_eff_S_per_m}
    write = _write_hdf5 if path.suffix.lower() == ".h5" else _write_vti
    with atomic_file(path) as partial:
        write(partial, network.structure.voxel_size, fields, words, numbers)


def _write_hdf5(
    path: Path,
    edges: tuple[float, float, float],
    fields: dict[str, NDArray[Any]],
    words: dict[str, str],
    numbers: dict[str, float],
) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["format"], file.attrs["schema"] = "cofire-fields", SCHEMA
        file.attrs["provenance"] = json.dumps(stamp())
        file.attrs["voxel_size_m"] = np.asarray(edges)
        for name, value in (words | numbers).items():
            file.attrs[name] = value
        for name, values in fields.items():
            file.create_dataset(name, data=values, compression="gzip", compression_opts=4, shuffle=True, fletcher32=True)


def _write_vti(
    path: Path,
    edges: tuple[float, float, float],
    fields: dict[str, NDArray[Any]],
    words: dict[str, str],
    numbers: dict[str, float],
) -> None:
    import pyvista

    shape = fields["potential_V"].shape
    grid = pyvista.ImageData(dimensions=tuple(n + 1 for n in shape), spacing=tuple(edge / UM for edge in edges))
    for name, values in fields.items():
        flat = values.reshape(-1, order="F") if values.ndim == 3 else values.reshape(-1, 3, order="F")
        grid.cell_data[name] = flat
    grid.field_data["length_unit"] = ["um"]
    grid.field_data["provenance"] = [json.dumps(stamp())]
    for name, text in words.items():
        grid.field_data[name] = [text]
    for name, number in numbers.items():
        grid.field_data[name] = [number]
    grid.save(path)
