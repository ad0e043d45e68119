"""Structures become image data and back, and pictures that show every phase, at the same scale, with a key."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.spatial import cKDTree

import viz
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.palette import PHASES, rgb
from viz.scenes import colouring
from viz.scenes.camera import fit_cameras
from viz.scenes.frame import describe, length_label, scale_bar_um
from viz.scenes.surfaces import cut_corner, exposed_faces

NAMES = {0: "pore", 1: "LFP", 2: "LATP", 3: "LFTAP"}


def grains_and_pores(shape: tuple[int, int, int] = (36, 32, 28), *, shell: bool = False, seed: int = 0) -> VoxelStructure:
    """Return Voronoi grains of two phases with blobs of pores, with a shell of a third phase if asked for."""
    draw = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    _, nearest = cKDTree(draw.random((12, 3)) * shape).query(places)
    grains = (nearest + 1).reshape(shape).astype(np.int32)
    labels = (1 + grains % 2).astype(np.uint8)
    noise = gaussian_filter(draw.standard_normal(shape), 2.0)
    if shell:
        labels[binary_dilation(labels == 1, iterations=2) & (labels == 2)] = 3
    empty = noise < np.quantile(noise, 0.25)
    labels[empty], grains[empty] = 0, 0
    return VoxelStructure.from_labels(labels, voxel_nm=25, phases=NAMES, grains=grains)


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def share_of(picture: NDArray[np.uint8], colour: str) -> float:
    """Return the share of pixels within rounding of a colour, as lit from above."""
    return float((np.abs(picture - rgb(colour) * 255) <= 2.0).all(axis=-1).mean())


# ---------------------------------------------------------------------------------------- image data


def test_image_data_keeps_labels_grains_and_anisotropic_voxels() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(np.uint8)
    structure = VoxelStructure.from_labels(labels, voxel_nm=(10, 25, 40.5), phases=NAMES, grains=labels * 3)
    field = np.random.default_rng(1).random((5, 6, 7))
    image = viz.to_image_data(structure, potential=field)
    assert image.dimensions == (6, 7, 8)
    assert image.spacing == pytest.approx((0.010, 0.025, 0.0405))
    cell = image.find_containing_cell((0.035, 0.030, 0.0405 * 6.5))
    assert image.cell_data["label"][cell] == labels[3, 1, 6]
    assert image.cell_data["potential"][cell] == field[3, 1, 6]
    back = viz.from_image_data(image)
    np.testing.assert_array_equal(back.labels, labels)
    np.testing.assert_array_equal(back.grains, structure.grains)
    assert back.voxel_nm == pytest.approx(structure.voxel_nm)
    assert dict(back.phases) == NAMES


def test_image_data_carries_vectors_and_refuses_other_shapes() -> None:
    structure = VoxelStructure.from_labels(np.ones((2, 3, 4), int), voxel_nm=25)
    flux = np.random.default_rng(0).random((2, 3, 4, 3))
    image = viz.to_image_data(structure, flux=flux)
    cell = image.find_containing_cell((0.03, 0.06, 0.09))
    np.testing.assert_array_equal(image.cell_data["flux"][cell], flux[1, 2, 3])
    with pytest.raises(InputError, match=r"field 'wrong' has shape \(2, 3\)"):
        viz.to_image_data(structure, wrong=np.ones((2, 3)))
    with pytest.raises(InputError, match="already an array"):
        viz.to_image_data(structure, label=structure.labels)


# ---------------------------------------------------------------------------------------- surfaces


def test_faces_are_those_of_a_brute_force_count_and_look_outwards() -> None:
    visible = np.random.default_rng(0).random((5, 6, 7)) < 0.5
    surface = exposed_faces(visible)
    padded = np.pad(visible, 1).astype(int)
    assert len(surface) == sum(int(np.abs(np.diff(padded, axis=axis)).sum()) for axis in range(3))
    corners = surface.points[surface.quads]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    centre = np.stack(np.unravel_index(surface.voxel, visible.shape), axis=1) + 0.5
    np.testing.assert_allclose(corners.mean(axis=1) - centre, 0.5 * normal)


def test_cut_takes_one_octant_and_spares_thin_slabs() -> None:
    assert cut_corner((8, 8, 8)).mean() == 1 - 1 / 8
    assert not cut_corner((9, 8, 7))[-1, 0, -1]
    assert cut_corner((100, 100, 3)).all()


def test_camera_fits_every_block_at_one_scale() -> None:
    cameras = fit_cameras([(4.0, 4.0, 4.0), (2.0, 1.0, 1.0)], 600, 500)
    assert cameras[0].pixels_per_um == cameras[1].pixels_per_um
    for camera in cameras:
        corners = [camera.project(camera.edges * np.array(c)) for c in np.ndindex(2, 2, 2)]
        assert np.min(corners) > 0
        assert (np.max(corners, axis=0) < [600, 500]).all()


# ---------------------------------------------------------------------------------------- pictures


def test_picture_shows_every_visible_phase_in_its_colour(tmp_path: Path) -> None:
    path = viz.render(grains_and_pores(shell=True), png=tmp_path / "new" / "s.png", size=(600, 450))
    picture = pixels(path)
    assert picture.shape == (450, 600, 3)
    for name in ("LFP", "LATP", "LFTAP"):
        assert share_of(picture, PHASES[name]) > 0.002, name
    assert share_of(picture, PHASES["pore"]) < 0.002
    assert (picture[:, 0] == 255).all()
    assert (picture[:, -1] == 255).all()


def test_scale_bar_is_as_long_as_it_says(tmp_path: Path) -> None:
    block = VoxelStructure.from_labels(np.ones((20, 20, 20), int), voxel_nm=50, phases={1: "LFP"})
    assert scale_bar_um(block.edges_um[0]) == pytest.approx(0.5)
    assert [length_label(x) for x in (0.5, 2.0)] == ["500 nm", "2 µm"]
    assert scale_bar_um(4.0) == 2.0
    picture = pixels(viz.render(block, png=tmp_path / "b.png", cut=False, size=(600, 600)))
    blue = picture[..., 2].astype(int) - picture[..., 0] > 60
    columns, ink = np.flatnonzero(blue[60:540].any(axis=0)), np.abs(picture.astype(int) - 26).max(axis=-1) < 8
    bar = np.flatnonzero(ink[330:540, columns[0] - 12 :].any(axis=0))
    camera = fit_cameras([block.edges_um], 600, 500)[0]
    share = camera.basis[0] @ np.array([0.5, 0, 0]) / (np.abs(camera.basis[0]) @ np.ones(3))
    assert np.ptp(bar) == pytest.approx(share * np.ptp(columns), rel=0.15)


def test_hidden_phases_are_gone_and_pores_can_be_shown(tmp_path: Path) -> None:
    structure = grains_and_pores()
    picture = pixels(viz.render(structure, png=tmp_path / "a.png", size=(500, 400), hide=("LFP",)))
    assert share_of(picture, PHASES["LFP"]) < 1e-4
    assert share_of(picture, PHASES["pore"]) > 0.002
    with pytest.raises(InputError, match="did you mean 'LATP'"):
        viz.render(structure, png=tmp_path / "b.png", hide=("LATPP",))
    with pytest.raises(InputError, match="leaves nothing to draw"):
        viz.render(structure, png=tmp_path / "b.png", hide=("pore", "LFP", "LATP"))


def test_grains_of_one_phase_differ(tmp_path: Path) -> None:
    structure = grains_and_pores()
    phases = pixels(viz.render(structure, png=tmp_path / "p.png", size=(400, 300)))
    grains = pixels(viz.render(structure, png=tmp_path / "g.png", size=(400, 300), field="grain"))
    assert len(np.unique(grains.reshape(-1, 3), axis=0)) > len(np.unique(phases.reshape(-1, 3), axis=0))
    viz.render(structure.with_(grains=None), png=tmp_path / "h.png", size=(400, 300), field="grain")


@pytest.mark.parametrize("field", ["potential", "current"])
def test_fields_are_coloured_and_gaps_are_grey(tmp_path: Path, field: str) -> None:
    structure = grains_and_pores()
    falling = np.broadcast_to(np.linspace(1.0, 1e-3, structure.shape[0])[:, None, None], structure.shape).copy()
    falling[structure.labels == 1] = np.nan if field == "potential" else 0.0
    picture = pixels(viz.render(structure, png=tmp_path / "f.png", size=(500, 400), field=field, **{field: falling}))
    spread = picture.astype(int).max(axis=-1) - picture.astype(int).min(axis=-1)
    assert (spread > 60).mean() > 0.05
    assert ((spread < 5) & (picture[..., 0] > 120) & (picture[..., 0] < 205)).mean() > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"field": "potentail"}, "did you mean 'potential'"),
        ({"field": "potential"}, "pass potential="),
        ({"field": "current", "current": np.ones(3)}, r"current has shape \(3,\)"),
        ({"size": (10, 10)}, "size is 10 x 10 pixels"),
        ({"field": "potential", "potential": np.zeros((36, 32, 28)), "limits": (1.0, 0.0)}, "low below high"),
    ],
)
def test_bad_requests_are_named(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        viz.render(grains_and_pores(), png=tmp_path / "x.png", **options)
    assert not (tmp_path / "x.png").exists()


def test_constant_and_empty_fields_still_give_a_picture(tmp_path: Path) -> None:
    structure = grains_and_pores((12, 12, 12))
    for number, value in enumerate((0.0, 3.0, np.nan)):
        field = np.full(structure.shape, value)
        viz.render(structure, png=tmp_path / f"p{number}.png", size=(300, 300), field="potential", potential=field)
        viz.render(structure, png=tmp_path / f"c{number}.png", size=(300, 300), field="current", current=field)


def test_pair_has_one_scale_and_one_key(tmp_path: Path) -> None:
    small, large = grains_and_pores((16, 16, 16)), grains_and_pores((32, 32, 32), shell=True)
    path = viz.render_pair(small, large, png=tmp_path / "pair.png", size=(900, 500), titles=("small", "large"))
    picture = pixels(path)[80:420]
    drawn = (picture.astype(int).max(axis=-1) - picture.astype(int).min(axis=-1)) > 60
    widths = [np.ptp(np.flatnonzero(half.any(axis=0))) for half in (drawn[:, :450], drawn[:, 450:])]
    assert widths[1] / widths[0] == pytest.approx(2.0, rel=0.1)
    assert share_of(picture[:, 450:], PHASES["LFTAP"]) > 0.001


def test_large_structures_are_thinned_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    structure = grains_and_pores((40, 30, 21))
    monkeypatch.setattr(colouring, "LARGEST_VOXELS", 40 * 30 * 21 // 8)
    shown = colouring.show_structure(structure, "phase", None, ("pore",), True)
    assert shown.stride == 3
    assert describe(shown) == "1 × 0.75 × 0.525 µm, voxels of 25 nm; every 3rd voxel drawn"
    assert shown.points_um.max(axis=0) == pytest.approx(structure.edges_um)
    viz.render(structure, png=tmp_path / "t.png", size=(400, 300))


def test_bare_images_and_single_voxels_can_be_drawn(tmp_path: Path) -> None:
    bare = VoxelStructure.from_labels(np.arange(8).reshape(2, 2, 2), voxel_nm=25)
    assert colouring.names_of(bare)[0] == "pore"
    viz.render(bare, png=tmp_path / "bare.png", size=(300, 300))
    viz.render(VoxelStructure.from_labels(np.ones((1, 1, 1), int), voxel_nm=25), png=tmp_path / "one.png", size=(300, 300))


def test_page_is_one_file_without_references(tmp_path: Path) -> None:
    page = tmp_path / "s.html"
    viz.render(grains_and_pores(), png=tmp_path / "s.png", html=page, title="<a & b>", size=(300, 300))
    text = page.read_text(encoding="utf-8")
    assert "<h1>&lt;a &amp; b&gt;</h1>" in text
    assert "LATP" in text
    assert "http" not in text
    assert "src=" not in text
    assert "@" not in text.split('id="scene">')[0]


def test_show_gives_a_picture_without_a_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("viz.scenes.window.has_screen", lambda: False)
    picture = viz.show(grains_and_pores((12, 12, 12)), size=(300, 300))
    assert picture is not None
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.path.parent == tmp_path


def test_notebooks_get_a_page_to_turn_and_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame holds the whole page, readable once unescaped; where no notebook runs there is none."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("viz.scenes.window.in_notebook", lambda: True)
    picture = viz.show(grains_and_pores((12, 12, 12)), size=(300, 300))
    assert picture is not None
    assert picture.page is not None
    frame = picture._repr_html_()
    assert frame is not None
    held = re.fullmatch(r'<iframe srcdoc="([^"]*)" title=.*></iframe>', frame, flags=re.DOTALL)
    assert held is not None
    assert html.unescape(held[1]) == picture.page.read_text(encoding="utf-8")
    assert picture._repr_png_().startswith(b"\x89PNG")
    monkeypatch.setattr("viz.scenes.window.in_notebook", lambda: False)
    monkeypatch.setattr("viz.scenes.window.has_screen", lambda: False)
    plain = viz.show(grains_and_pores((12, 12, 12)), size=(300, 300))
    assert plain is not None
    assert plain._repr_html_() is None


def test_importing_is_light() -> None:
    heavy = "pyvista vtkmodules matplotlib pandas numba"
    check = f"import sys, viz; sys.exit(' '.join(m for m in '{heavy}'.split() if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("field", ["phase", "potential"])
def test_window_shows_the_block_and_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    import pyvista

    shot = tmp_path / "window.png"
    drawn = pyvista.Plotter.show
    monkeypatch.setattr(pyvista, "OFF_SCREEN", True)
    monkeypatch.setattr(pyvista.Plotter, "show", lambda self: drawn(self, screenshot=str(shot)))
    monkeypatch.setattr("viz.scenes.window.has_screen", lambda: True)
    monkeypatch.setattr("viz.scenes.window.in_notebook", lambda: False)
    structure = grains_and_pores((16, 16, 16))
    falling = np.linspace(1.0, 0.0, structure.labels.size).reshape(structure.shape)
    assert viz.show(structure, field=field, potential=falling, size=(600, 450)) is None
    picture = pixels(shot)
    assert (picture.min(axis=-1) < 250).mean() > 0.1
    assert field == "potential" or share_of(picture, PHASES["LATP"]) > 0.005
