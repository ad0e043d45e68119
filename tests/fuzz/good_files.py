"""One good file for every reader, and how it is read: what the mutants are made of."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Shape = tuple[int, int, int]
SMALL: Shape = (32, 28, 24)
LARGE: Shape = (160, 140, 120)
VOXEL_NM = (20.0, 25.0, 31.3)
NRRD = 'NRRD0004\ntype: uint8\ndimension: 3\nsizes: {} {} {}\nencoding: {}\nspacings: 20 25 31.3\nunits: "nm" "nm" "nm"\n\n'
META = "NDims = 3\nDimSize = {} {} {}\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\nCompressedData = {}\nElementDataFile = {}\n"
RECIPE = """\
# all keys of a recipe once
[powders.LFP]
mass_fraction = 0.5425
median_diameter_nm = 500.0
carbon = {thickness_nm = 4.0, coverage = 0.9}
[powders.LATP]
label = 2
[press]
relative_density = 0.60
[fire]
grain_growth = {"LFP" = 2.0, LATP = 2.0}
[fire.interphase]
thickness_p05_nm = 40.0
representation = "auto"
"""
IDENTITY = {"schema": 2, "network": "ab" * 32, "seed": 1, "mode": "tracer"}


@dataclass(frozen=True)
class Kind:
    """A kind of file: how a good one is written, how it is read, and whether what is read must be what was written."""

    name: str
    write: Callable[[Path, Shape], object]
    read: Callable[[Path], Any]
    exact: bool = False


def labels(shape: Shape) -> np.ndarray:
    """Return random labels of three phases."""
    return np.random.default_rng(0).integers(0, 3, shape).astype(np.uint8)


def structure(shape: Shape) -> Any:
    """Return a structure that uses every dataset of the file format."""
    from microstructures.features import Coating, Particles, PointContacts, ThinShells
    from microstructures.structure import VoxelStructure

    draw, image = np.random.default_rng(1), labels(shape)
    bare = VoxelStructure.from_labels(
        image, voxel_nm=VOXEL_NM, phases={0: "pore", 1: "LFP", 2: "LATP"}, grains=image.astype(int) * 2, periodic=True
    )
    pairs = np.array([[1, 2], [2, 4]], dtype=np.int32)
    return bare.with_(
        contacts=PointContacts(pairs, draw.random((2, 3)), draw.random((2, 3)), draw.random(2), -draw.random(2)),
        particles=Particles(
            draw.random((4, 3)), draw.random(4), np.array([1, 2, 1, 2], np.uint8), np.arange(1, 5, dtype=np.int32)
        ),
        shells=ThinShells("LFTAP", "LFP", "LATP", 0.25, pairs, np.array([4e-8, 7e-8])),
        coatings={"LFP": Coating(4e-9, 0.8)},
        recipe={"press": {"relative_density": 0.6}},
        process="cold-pressed",
        seed=7,
    )


def _structure_file(path: Path, shape: Shape) -> None:
    from microstructures.formats import write

    write(structure(shape), path)


def _compressed_tif(path: Path, shape: Shape) -> None:
    import tifffile

    tifffile.imwrite(path, labels(shape), photometric="minisblack", compression="zlib", rowsperstrip=8, bigtiff=True)


def _grey_tif(path: Path, shape: Shape) -> None:
    import tifffile

    tifffile.imwrite(path, np.where(labels(shape) > 0, 3e4, 1e4).astype(np.float32), photometric="minisblack", byteorder=">")


def _dream3d(path: Path, shape: Shape) -> None:
    import h5py

    with h5py.File(path, "w") as file:  # as other programs write: without checksums of the metadata
        group = file.create_group("DataContainers/Image")
        group["_SIMPL_GEOMETRY/SPACING"] = np.array([0.02, 0.025, 0.03], np.float32)
        group["_SIMPL_GEOMETRY/DIMENSIONS"] = np.array(shape, np.int64)
        cells = labels(shape).transpose(2, 1, 0)[..., None]
        group.create_dataset(
            "CellData/Phases", data=cells.astype(np.int32), chunks=(8, shape[1], shape[0], 1), compression="gzip"
        )
        group["CellData/FeatureIds"] = cells.astype(np.int32)


def _slices(path: Path, shape: Shape) -> None:
    from PIL import Image as Picture

    for z in range(3):
        Picture.fromarray(labels(shape)[:, :, z].T.copy()).save(path.with_name(f"s{z}.png"))
    Picture.fromarray(labels(shape)[:, :, 3].T.copy()).save(path)


def _checkpoint(path: Path, shape: Shape) -> None:
    from kmc.hopping.checkpoint import save_checkpoint

    save_checkpoint(
        path, IDENTITY, {"positions": np.arange(3 * shape[0] ** 2).reshape(-1, 3), "clock": np.linspace(0.0, 1.0, 1000)}
    )


def _materials(path: Path, _: Shape) -> None:
    from importlib import resources

    path.write_bytes((resources.files("microstructures.materials") / "nmc-cathode.toml").read_bytes())


def _mhd(path: Path, shape: Shape) -> None:
    path.with_name("voxels.bin").write_bytes(labels(shape).tobytes(order="F"))
    path.write_text(META.format(*shape, False, "voxels.bin"))


def _image(**options: Any) -> Callable[[Path], Any]:
    def load(path: Path) -> Any:
        from microstructures.formats import read

        return read(path, voxel_nm=VOXEL_NM, **options).labels

    return load


def _dataset(path: Path) -> Any:
    from microstructures.formats import read

    return read(path, voxel_nm=VOXEL_NM, dataset="/DataContainers/Image/CellData/Phases").labels


def _folder(path: Path) -> Any:
    return _image()(path.parent)


def _arrays(path: Path) -> Any:
    from kmc.hopping.checkpoint import load_checkpoint

    return load_checkpoint(path, IDENTITY)["positions"]


def _recipe(path: Path) -> Any:
    from microstructures.recipe import load_recipe

    return load_recipe(path)


def _materials_file(path: Path) -> Any:
    from microstructures.materials import load_materials

    return load_materials(path)


KINDS = {
    "structure-h5": Kind("a.h5", _structure_file, _image(), exact=True),
    "dream3d": Kind("a.dream3d", _dream3d, _dataset),
    "tif": Kind("a.tif", _structure_file, _image()),
    "tif-packed": Kind("a.tif", _compressed_tif, _image()),
    "tif-grey": Kind("a.tif", _grey_tif, _image(thresholds="otsu")),
    "npy": Kind("a.npy", lambda path, shape: np.save(path, labels(shape)), _image()),
    "npy-grey": Kind(
        "a.npy",
        lambda path, shape: np.save(path, labels(shape).astype(">f8") * 1e4),
        _image(thresholds="multi-otsu", phases={0: "a", 1: "b", 2: "c"}),
    ),
    "vti": Kind("a.vti", _structure_file, _image()),
    "nrrd": Kind(
        "a.nrrd",
        lambda path, shape: path.write_bytes(NRRD.format(*shape, "raw").encode() + labels(shape).tobytes(order="F")),
        _image(),
    ),
    "nrrd-packed": Kind(
        "a.nrrd",
        lambda path, shape: path.write_bytes(
            NRRD.format(*shape, "gzip").encode() + gzip.compress(labels(shape).tobytes(order="F"))
        ),
        _image(),
    ),
    "mhd": Kind("a.mhd", _mhd, _image()),
    "mha": Kind(
        "a.mha",
        lambda path, shape: path.write_bytes(META.format(*shape, False, "LOCAL").encode() + labels(shape).tobytes(order="F")),
        _image(),
    ),
    "slices-png": Kind("s3.png", _slices, _folder),
    "materials-toml": Kind("a.toml", _materials, _materials_file),
    "recipe-toml": Kind("r.toml", lambda path, _: path.write_text(RECIPE), _recipe),
    "checkpoint-npz": Kind("c.npz", _checkpoint, _arrays, exact=True),
}
