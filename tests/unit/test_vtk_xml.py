"""VTK files in every encoding that VTK writes, and every length that a damaged one may claim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from microstructures.errors import FormatError
from microstructures.formats import load_image, read, write
from microstructures.structure import VoxelStructure

LABELS = np.random.default_rng(0).integers(0, 3, (40, 30, 20)).astype(np.uint8)


def write_vti(path: Path, *, mode: str, packer: str, wide: bool = False, dtype: str = "u1", points: bool = False) -> Path:
    """Write labels with VTK's own writer."""
    pyvista = pytest.importorskip("pyvista")
    from vtkmodules.vtkIOXML import vtkXMLImageDataWriter

    grid = pyvista.ImageData(dimensions=tuple(n + (not points) for n in LABELS.shape), spacing=(0.1, 0.2, 0.3))
    (grid.point_data if points else grid.cell_data)["label"] = LABELS.ravel(order="F").astype(dtype)
    grid.field_data["length_unit"] = ["um"]
    writer = vtkXMLImageDataWriter()
    writer.SetInputData(grid)
    writer.SetFileName(str(path))
    getattr(writer, f"SetDataModeTo{mode.removesuffix('Raw')}")()
    writer.SetEncodeAppendedData(not mode.endswith("Raw"))
    getattr(writer, f"SetCompressorTypeTo{packer}")()
    if wide:
        writer.SetHeaderTypeToUInt64()
    writer.Write()
    return path


@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended", "AppendedRaw"])
@pytest.mark.parametrize("packer", ["None", "ZLib", "LZMA"])
@pytest.mark.parametrize("wide", [False, True], ids=["UInt32", "UInt64"])
def test_every_encoding(tmp_path: Path, mode: str, packer: str, wide: bool) -> None:
    image = load_image(write_vti(tmp_path / "a.vti", mode=mode, packer=packer, wide=wide))
    np.testing.assert_array_equal(image.values, LABELS)
    assert image.spacing == pytest.approx((1e-7, 2e-7, 3e-7))


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "f4", "f8"])
def test_every_type(tmp_path: Path, dtype: str) -> None:
    image = load_image(write_vti(tmp_path / "a.vti", mode="Appended", packer="ZLib", dtype=dtype))
    np.testing.assert_array_equal(image.values, LABELS)
    assert image.values.dtype == np.dtype(dtype)


def test_values_at_points(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(write_vti(tmp_path / "a.vti", mode="Binary", packer="ZLib", points=True)).labels, LABELS)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"vtkZLibDataCompressor", b"vtkLZ4DataCompressor", "compressor"),
        (b'header_type="UInt32"', b'header_type="UInt33"', "header_type"),
        (b'header_type="UInt32"', b'header_type="UInt64"', "blocks|claims|truncated"),
        (b"LittleEndian", b"BigEndian", "claims|blocks"),
        (b"LittleEndian", b"MiddleEndian", "byte_order"),
        (b'format="binary"', b'format="hex"', "format 'hex'"),
        (b'format="binary"', b'format="appended" offset="9999"', "beyond the end"),
        (b'WholeExtent="0 40 ', b'WholeExtent="0 41 ', "as large as the whole"),
        (b'"0 40 0 30 0 20"', b'"0 41 0 30 0 20"', "claims 24000 bytes; allowed: 24600"),
        (b'Direction="1 0 0 ', b'Direction="0 1 0 ', "rotated"),
        (b'<DataArray type="UInt8"', b'<DataArray NumberOfComponents="3" type="UInt8"', "several components"),
        (b"</Piece>", b'</Piece><Piece Extent="0 1 0 1 0 1"></Piece>', "2 pieces"),
        (b"<VTKFile", b"<!DOCTYPE a [<!ENTITY b 'c'>]><VTKFile", "entities"),
        (b"</CellData>", b"", "cannot be read as VTI"),
    ],
    ids=lambda value: None if isinstance(value, str) else value.decode()[:24],
)
def test_damaged_files(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    path = write(VoxelStructure.from_labels(LABELS, voxel_nm=25), tmp_path / "a.vti")
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(FormatError, match=words):
        read(path)
