"""The memory guard: estimates that follow shape and task, refusals that name the numbers and what would fit."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cofire.memory.estimate import (
    ESTIMATORS,
    KINDS,
    build_bytes,
    built_edge_voxels,
    case_bytes,
    conduct_bytes,
    hop_bytes,
    image_case_bytes,
    import_bytes,
    percolate_bytes,
    thin_layer_classes,
)
from cofire.memory.guard import check_build, check_firing, check_memory, workers_that_fit
from cofire.memory.reading import read_for, room_to_import
from microstructures.errors import FormatError, InputError
from microstructures.formats import load_image
from microstructures.formats.guard import check_claim
from microstructures.pressing.press import press_powders
from microstructures.recipe import Recipe, parse_recipe

GB = 10**9


@pytest.fixture
def room(monkeypatch):
    """Return a function that states the memory [GB]."""
    return lambda stated_GB: monkeypatch.setenv("COFIRE_MEMORY_GB", str(stated_GB))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("needs", [conduct_bytes, percolate_bytes, hop_bytes])
def test_estimates_grow_with_the_voxels(needs, kind):
    small, double, deep = (needs(shape, kind=kind) for shape in ((100, 100, 100), (200, 100, 100), (50, 200, 200)))
    assert double == deep
    more = (double - small) / 1e6
    assert 40.0 < more < 500.0
    assert 150e6 < small - 1e6 * more < 500e6


def test_what_costs_memory():
    shape = (128, 128, 128)
    one, three = conduct_bytes(shape), conduct_bytes(shape, axes=3)
    assert one < three < conduct_bytes(shape, axes=3, keep_potential=True)
    assert conduct_bytes(shape, voxel_nm=40.0, thin_layer=True) > one + 100e6
    assert percolate_bytes(shape, kind="co-fired", carrier="electron") > percolate_bytes(shape, kind="co-fired", carrier="ion")
    assert percolate_bytes(shape, threads=2) > percolate_bytes(shape, threads=1)
    assert percolate_bytes(shape, kind="co-fired", voxel_nm=20.0) > percolate_bytes(shape, kind="co-fired", voxel_nm=40.0)
    assert hop_bytes(shape, walkers=1_000_000) - hop_bytes(shape, walkers=0) > 1.9 * GB  # 65 places of 3 x 8 bytes, and sums
    assert hop_bytes(shape, boundary="plates") < hop_bytes(shape)
    assert import_bytes(shape, bytes_per_voxel=4) > import_bytes(shape)


def test_case_takes_what_its_most_demanding_stage_takes():
    of = {"process": "co-fired", "size_um": 4.0, "voxel_nm": 25.0}
    edge = built_edge_voxels(**of, recipe=Recipe())
    alone = {name: case_bytes(**of, estimators=[name]) for name in ESTIMATORS}
    assert alone["kMC"] == hop_bytes((edge,) * 3, kind="co-fired")
    assert case_bytes(**of) > max(alone.values())
    assert case_bytes(**of) < sum(alone.values())
    assert case_bytes(**of, estimators=[]) == build_bytes(**of)
    assert image_case_bytes((64, 64, 64)) > image_case_bytes((64, 64, 64), estimators=["solver"])


def test_body_of_coarse_voxels_has_thin_layers():
    coarse, fine = ({"process": "co-fired", "size_um": size, "voxel_nm": nm} for size, nm in ((4.0, 32.0), (3.75, 30.0)))
    assert built_edge_voxels(**coarse, recipe=Recipe()) == built_edge_voxels(**fine, recipe=Recipe())
    assert case_bytes(**coarse, estimators=["solver"]) > case_bytes(**fine, estimators=["solver"]) + 50e6
    bare = parse_recipe({"fire": {"relative_density": 0.9}}, "test").model_copy(
        update={"fire": Recipe().fire.model_copy(update={"interphase": None})}
    )
    assert case_bytes(**coarse, recipe=bare, estimators=["solver"]) < case_bytes(**coarse, estimators=["solver"]) - 50e6


def test_classes_of_thin_layers_are_as_many_as_counted():
    """Counted on default bodies of 4, 4, 3 and 6 um by `kmc.faces.build_faces`."""
    for edge, voxel_nm, counted in ((109, 32, 165_973), (44, 80, 62_416), (44, 60, 47_548), (87, 60, 194_813)):
        assert thin_layer_classes((edge,) * 3, voxel_nm) == pytest.approx(counted, rel=0.2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: conduct_bytes((4, 4, 4), kind="cofired"), "process is 'cofired'; did you mean 'co-fired'"),
        (lambda: image_case_bytes((4, 4, 4), estimators=["slover"]), "estimator 'slover' is unknown; did you mean 'solver'"),
        (
            lambda: image_case_bytes((4, 4, 4), carriers=["electrons"]),
            "carrier 'electrons' is unknown; did you mean 'electron'",
        ),
    ],
)
def test_unknown_names(call, says):
    with pytest.raises(InputError, match=re.escape(says)):
        call()


def test_refusal_names_both_numbers_and_the_remedy(room):
    room(2)
    check_memory(2 * GB, "a thing")
    says = "a thing takes about 2.5 GB of memory; available: 2 GB; buy more, or say with COFIRE_MEMORY_GB what may be used"
    with pytest.raises(InputError, match=f"^{re.escape(says)}$"):
        check_memory(2_500_000_000, "a thing", remedy="buy more")


def test_workers_that_fit(room):
    room(10)
    assert [workers_that_fit(4, each * GB) for each in (1, 3, 5, 10, 11)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(("process", "stated_GB"), [("co-fired", 1), ("cold-pressed", 0.4), ("co-fired", 20)])
def test_what_a_refused_build_is_told_to_use_fits(room, process, stated_GB):
    room(stated_GB)
    with pytest.raises(InputError) as refused:
        check_build(process, size_um=40.0, voxel_nm=10.0)
    voxel_nm, size_um = (
        float(re.search(rf"{name} of at (?:least|most) ([\d.]+)", str(refused.value))[1])
        if name in str(refused.value)
        else None
        for name in ("a voxel_nm", "a size_um")
    )
    assert size_um is not None
    check_build(process, size_um=size_um, voxel_nm=10.0)
    with pytest.raises(InputError):
        check_build(process, size_um=1.1 * size_um, voxel_nm=10.0)
    if voxel_nm is not None:
        check_build(process, size_um=40.0, voxel_nm=voxel_nm)
        with pytest.raises(InputError):
            check_build(process, size_um=40.0, voxel_nm=0.9 * voxel_nm)


def test_coarser_voxels_are_proposed_only_where_they_resolve_the_particles(room):
    room(0.5)
    with pytest.raises(InputError, match="use a size_um of at most"):
        check_build("co-fired", size_um=500.0, voxel_nm=25.0)


def test_nothing_fits(room):
    room(0.05)
    with pytest.raises(InputError, match="use a machine with more memory"):
        check_build("co-fired", size_um=3.0, voxel_nm=50.0)


@pytest.mark.parametrize(("size_um", "voxel_nm"), [(0.0, 25.0), (4.0, 0.0), (float("nan"), 25.0), (4.0, float("inf"))])
def test_sizes_that_make_no_body_are_left_to_the_builder(room, size_um, voxel_nm):
    room(1e-6)
    check_build("co-fired", size_um=size_um, voxel_nm=voxel_nm)


def test_firing_a_body_pressed_before(room):
    green = press_powders(size_um=3.0, seed=1)
    room(1)
    check_firing("co-fired", green, voxel_nm=25.0)
    with pytest.raises(InputError, match="body of 2621 x 2621 x 2621 voxels"):
        check_firing("co-fired", green, voxel_nm=1.0)


@pytest.fixture
def image(tmp_path):
    """Return an image of 64 MB of which nothing is on the disk."""
    path = tmp_path / "claim.npy"
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (400, 400, 400)})
        file.truncate(file.tell() + 400**3)
    return path


def test_reader_alone_refuses_what_it_cannot_hold(room, image):
    room(0.1)
    with pytest.raises(
        FormatError, match=r"claims 400 x 400 x 400 voxels, which take 0\.128 GB to read; available: 0\.1 GB; crop"
    ):
        load_image(image)
    room(0.2)
    assert load_image(image).values.shape == (400, 400, 400)


def test_structure_is_refused_for_its_solver_before_it_is_read(room, image):
    room(2)
    with pytest.raises(
        FormatError, match=r"0\.064 GB of labels, and the solver would take about 5\.\d+ GB in all; available: 2 GB;"
    ):
        read_for("the solver", image, "25", conduct_bytes)


def test_cube_proposed_for_a_crop_fits(room, image):
    room(2)
    with pytest.raises(FormatError, match="crop it to") as refused:
        read_for("the solver", image, "25", conduct_bytes)
    edge = int(re.search(r"crop it to (\d+) x", str(refused.value))[1])
    times = float(re.search(r"make its voxels ([\d.]+) times", str(refused.value))[1])
    assert conduct_bytes((edge,) * 3) <= 2 * GB < conduct_bytes((edge + 1,) * 3)
    assert conduct_bytes((round(400 / times),) * 3) <= 2 * GB


def test_crop_counts_before_an_import_is_refused(room, image):
    room(0.3)
    with room_to_import(None, segment_grains=False), pytest.raises(FormatError, match="importing it would take about"):
        load_image(image)
    with room_to_import([(0, 50), (None, None), (0, 20)], segment_grains=False):
        assert load_image(image).values.size == 400**3


def test_check_ends_with_its_block(room, tmp_path):
    room(0.3)
    with room_to_import(None, segment_grains=False), pytest.raises(FormatError):
        check_claim(tmp_path, (300, 300, 300), 1, 300**3)
    check_claim(tmp_path, (300, 300, 300), 1, 300**3)
