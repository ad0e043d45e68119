"""Smooth surfaces are as large as what they stand for, planes show their voxels, and looks show and hide what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import viz
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.palette import PHASES, rgb
from viz.scenes import colouring
from viz.scenes.arrange import arrange
from viz.scenes.frame import Frame, describe
from viz.scenes.look import Look
from viz.scenes.smoothing import area, smoothed
from viz.scenes.surfaces import exposed_faces, on_cut

NAMES = {0: "pore", 1: "LFP", 2: "LATP", 3: "LFTAP"}
RADIUS = 12


def ball(radius: float, edge: int) -> NDArray[np.bool_]:
    place = np.indices((edge, edge, edge)) - (edge - 1) / 2.0
    return (place**2).sum(axis=0) <= radius**2


def shelled_grain(edge: int = 28) -> VoxelStructure:
    """Return a grain of LFP with a shell of LFTAP in LATP, and a pore in one corner."""
    labels = np.full((edge, edge, edge), 2, dtype=np.uint8)
    labels[ball(9.0, edge)], labels[ball(6.5, edge)] = 3, 1
    labels[-8:, :8, -8:] = 0
    return VoxelStructure.from_labels(labels, voxel_nm=25, phases=NAMES)


def drawn(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def share_of(picture: NDArray[np.uint8], colour: str, *, shades: tuple[float, ...] = (1.0,)) -> float:
    """Return the share of pixels within rounding of a colour, in full light or darkened to one of these shades."""
    near = [(np.abs(picture - rgb(colour) * 255 * shade) <= 3.0).all(axis=-1) for shade in shades]
    return float(np.any(near, axis=0).mean())


# ---------------------------------------------------------------------------------------- smooth surfaces


def test_smooth_sphere_has_its_area_and_volume() -> None:
    block = ball(RADIUS, 2 * RADIUS + 5)
    steps = exposed_faces(block)
    smooth = smoothed(steps, np.ones(len(steps), np.int64), on_cut(steps, np.ones_like(block)))
    exact = 4.0 * np.pi * RADIUS**2
    assert area(steps, (1.0, 1.0, 1.0)) / exact == pytest.approx(1.5, abs=0.05)
    assert area(smooth, (1.0, 1.0, 1.0)) / exact == pytest.approx(1.0, abs=0.03)
    from_middle = np.linalg.norm(smooth.points - block.shape[0] / 2.0, axis=1)
    assert from_middle.mean() == pytest.approx(RADIUS, rel=0.01)
    assert from_middle.std() < 0.02 * RADIUS


def test_cuts_stay_flat_and_lines_between_phases_lose_their_steps() -> None:
    x, y, _ = np.indices((24, 24, 6))
    labels = (1 + (x + y / 3.0 > 16.0)).astype(np.uint8)
    surface = exposed_faces(np.ones(labels.shape, dtype=np.bool_))
    smooth = smoothed(surface, labels.ravel()[surface.voxel].astype(np.int64), np.ones(len(surface), dtype=np.bool_))
    assert area(smooth, (1.0, 1.0, 1.0)) == pytest.approx(2 * (24 * 24 + 2 * 24 * 6), rel=1e-6)
    np.testing.assert_allclose(smooth.points.max(axis=0), labels.shape, atol=1e-6)
    first, second = (set(surface.quads[labels.ravel()[surface.voxel] == k].ravel()) for k in (1, 2))
    line = sorted(first & second)
    inner = [p for p in line if surface.points[p, 2] == 6 and 2 < surface.points[p, 1] < 22]
    off = [np.ptp(points[inner, 0] + points[inner, 1] / 3.0) for points in (surface.points, smooth.points)]
    assert off[1] < 0.6 * off[0]


def test_thin_shell_keeps_its_thickness() -> None:
    block = ball(10.5, 27) & ~ball(8.5, 27)
    surface = exposed_faces(block)
    smooth = smoothed(surface, np.ones(len(surface), np.int64), np.zeros(len(surface), dtype=np.bool_))
    from_middle = np.linalg.norm(smooth.points - 13.5, axis=1)
    outside = np.linalg.norm(surface.points - 13.5, axis=1) > 9.5
    assert from_middle[outside].mean() - from_middle[~outside].mean() == pytest.approx(2.0, abs=0.15)
    assert from_middle[outside].min() > from_middle[~outside].max()


def test_lines_between_grains_are_smoothed_too() -> None:
    structure = shelled_grain()
    grains = 1 + (np.indices(structure.shape)[0] > 13).astype(np.int32)
    shown = colouring.show_layers(structure.with_(grains=grains), "grain", None, Look(surface="smooth", view="whole"))[0]
    plain = colouring.show_layers(structure, "phase", None, Look(surface="smooth", view="whole"))[0]
    assert len(np.unique(shown.colours, axis=0)) > len(np.unique(plain.colours, axis=0))
    assert shown.surface.corner_brightness is not None


def test_large_smooth_surfaces_are_thinned_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    structure = shelled_grain()
    monkeypatch.setattr(colouring, "LARGEST_SMOOTH_FACES", 2000)
    shown = colouring.show_layers(structure, "phase", None, Look(surface="smooth"))[0]
    assert shown.stride == 2
    assert len(shown.surface) <= 2000
    assert describe(shown).endswith("every 2nd voxel drawn")
    assert colouring.show_layers(structure, "phase", None, Look())[0].stride == 1
    told: list[str] = []
    viz.render(structure, png=tmp_path / "thin.png", look=Look(surface="smooth"), size=(240, 240), tell=told.append)
    assert told == [f"{structure.process}: {describe(shown)}"]
    viz.render(structure, png=tmp_path / "whole.png", size=(240, 240), tell=told.append)
    assert len(told) == 1


# ---------------------------------------------------------------------------------------- views


@pytest.mark.parametrize("stride", [1, 2])
def test_planes_show_the_labels_of_their_voxels(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.random.default_rng(0).integers(0, 4, (8, 10, 12)).astype(np.uint8)
    structure = VoxelStructure.from_labels(labels, voxel_nm=(100, 50, 25), phases=NAMES)
    monkeypatch.setattr(colouring, "LARGEST_VOXELS", labels.size // stride**3)
    shown = colouring.show_layers(structure, "phase", None, Look(view="slices", slices_um=(0.62, None, 0.0)))
    assert len(shown) == 1
    assert shown[0].stride == stride
    surface, thin = shown[0].surface, labels[::stride, ::stride, ::stride]
    colours = np.array([np.rint(rgb(PHASES[name]) * 255) for name in NAMES.values()])
    for axis, place in enumerate((6 // stride, 5 // stride, 0)):
        mine = surface.side // 2 == axis
        assert np.count_nonzero(mine) == thin.take(place, axis=axis).size
        middle = surface.points[surface.quads[mine]].mean(axis=1)
        assert (middle[:, axis] == place + 0.5).all()
        found = thin[tuple(middle.astype(int).T)]
        np.testing.assert_array_equal(shown[0].colours[mine], colours[found])


def test_planes_in_a_picture_have_the_colours_of_the_key(tmp_path: Path) -> None:
    structure = shelled_grain()
    picture = drawn(viz.render(structure, png=tmp_path / "s.png", size=(400, 360), look=Look(view="slices")))
    for name in ("LFP", "LATP", "LFTAP"):
        assert share_of(picture, PHASES[name]) > 0.01, name
    assert share_of(picture, PHASES["pore"]) > 0.0005


@pytest.mark.parametrize("surface", ["voxels", "smooth"])
def test_shell_inside_a_grain_is_seen_through_glass_only(tmp_path: Path, surface: str) -> None:
    structure = shelled_grain()
    seen = {}
    for opacity in ("solid", "glass"):
        look = Look(view="whole", surface=surface, opacity=opacity)
        picture = drawn(viz.render(structure, png=tmp_path / f"{opacity}.png", size=(400, 360), look=look))[40:320]
        red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
        seen[opacity] = float(((red - green > 60) & (green > blue)).mean())
        assert share_of(picture, "#FFFFFF") > 0.2
    assert seen["solid"] < 1e-3
    assert seen["glass"] > 0.05


def test_smooth_pictures_show_every_phase(tmp_path: Path) -> None:
    look = Look(surface="smooth", view="corner")
    picture = drawn(viz.render(shelled_grain(), png=tmp_path / "s.png", size=(500, 420), look=look))
    lit_from_above = (1.0, 0.9, 0.8, 0.62, 0.45)
    for name in ("LATP", "LFTAP", "LFP"):
        colour = rgb(PHASES[name])
        along = picture.reshape(-1, 3) @ colour / (colour @ colour) / 255.0
        off = np.abs(picture.reshape(-1, 3) - along[:, None] * colour * 255).max(axis=1)
        assert ((off < 4.0) & (along > lit_from_above[-1] * 0.4) & (along <= 1.02)).mean() > 0.002, name


def test_only_some_phases_are_drawn(tmp_path: Path) -> None:
    structure = shelled_grain()
    for only, gone in ((("LFTAP",), "LATP"), (("pore",), "LFTAP")):
        path = viz.render(structure, png=tmp_path / f"{only[0]}.png", size=(400, 360), look=Look(only=only, view="whole"))
        picture = drawn(path)[50:320]
        assert share_of(picture, PHASES[only[0]]) > 0.001
        assert share_of(picture, PHASES[gone]) < 1e-4
    entries = dict(
        (text, colour) for colour, text in arrange([structure], "phase", [None], Look(only=("LFTAP",)), None).key.entries()
    )
    assert [colour for text, colour in entries.items() if "(hidden)" in text] == ["#FFFFFF"] * 3


def test_opacities_by_phase_give_layers_from_solid_to_clear() -> None:
    look = Look(opacity={"LFTAP": 1.0, "LFP": 0.5, "others": 0.1}, view="whole")
    layers = colouring.show_layers(shelled_grain(), "phase", None, look)
    assert [layer.opacity for layer in layers] == [1.0, 0.1]
    assert len(layers[0].surface) == len(exposed_faces(shelled_grain().labels == 3))
    none = colouring.show_layers(shelled_grain(), "phase", None, Look(opacity={"LATP": 0.0}, view="whole"))
    assert {tuple(c) for c in none[0].colours} == {tuple(np.rint(rgb(PHASES["LFTAP"]) * 255).astype(int))}


def test_clear_faces_are_drawn_far_ones_first(tmp_path: Path) -> None:
    from viz.scenes.camera import fit_cameras
    from viz.scenes.drawing import _far_first

    layer = colouring.show_layers(shelled_grain(), "phase", None, Look(opacity="ghost", view="whole"))[0]
    camera = fit_cameras([layer.structure.edges_um], 300, 300)[0]
    ordered = _far_first(layer, camera)
    depth = ordered.points_um[ordered.surface.quads].mean(axis=1) @ camera.basis[2]
    assert (np.diff(depth) > -1e-5).all()
    assert sorted(ordered.surface.voxel) == sorted(layer.surface.voxel)


def test_pair_takes_a_look(tmp_path: Path) -> None:
    look = Look(view="slices")
    picture = drawn(viz.render_pair(shelled_grain(), shelled_grain(20), png=tmp_path / "p.png", size=(700, 400), look=look))
    assert min(share_of(half, PHASES["LFTAP"]) for half in (picture[:, :350], picture[:, 350:])) > 0.003


# ---------------------------------------------------------------------------------------- fields


def test_hot_spots_are_the_highest_voxels_and_the_rest_is_clear(tmp_path: Path) -> None:
    structure = shelled_grain()
    heat = np.random.default_rng(0).lognormal(size=structure.shape)
    heat[structure.labels == 0] = np.nan
    spots = colouring.hot_spots(structure, "dissipation", heat, 1.0, 1)
    assert spots is not None
    hottest = np.flatnonzero(heat >= np.nanquantile(heat, 0.99))
    np.testing.assert_array_equal(np.unique(spots.surface.voxel), hottest)
    scene = arrange([structure], "dissipation", [heat], Look(hot_percent=1.0), None)
    assert [layer.opacity for layer in scene.layers[0]] == [1.0, scene.look.opacity_of("LATP")]
    assert scene.look.view == "whole"
    assert scene.key.scale.norm.vmin < np.nanquantile(heat, 0.2)
    assert any("LATP" in text and "(clear)" in text for _, text in scene.key.entries())
    assert Frame(900, 700, 1, scene.key).bottom > Frame(900, 700, 1, scene.key).top
    picture = drawn(viz.render(structure, png=tmp_path / "h.png", size=(400, 360), field="dissipation", dissipation=heat,
                               look=Look(hot_percent=1.0)))  # fmt: skip
    spread = picture[40:270].max(axis=-1).astype(int) - picture[40:270].min(axis=-1)
    assert (spread > 90).mean() > 0.01


def test_heat_is_shown_on_a_logarithmic_scale_of_four_decades() -> None:
    structure = shelled_grain()
    heat = np.logspace(0.0, 8.0, structure.labels.size).reshape(structure.shape)
    norm = arrange([structure], "dissipation", [heat], Look(view="whole"), None).key.scale.norm
    assert type(norm).__name__ == "LogNorm"
    assert norm.vmax / norm.vmin == pytest.approx(1e4)


def test_nothing_hot_is_no_layer() -> None:
    structure = shelled_grain()
    assert colouring.hot_spots(structure, "current", np.zeros(structure.shape), 1.0, 1) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "slice"}, "did you mean 'slices'"),
        ({"surface": "smoth"}, "did you mean 'smooth'"),
        ({"opacity": "glas"}, "did you mean 'glass'"),
        ({"opacity": {"LFP": 1.5}}, r"the opacity of LFP is 1\.5; allowed: 0 \(not seen\) to 1"),
        ({"hot_percent": 80.0}, "hot_percent is 80; allowed: 0"),
        ({"slices_um": (1.0, 2.0)}, "slices_um has 2 places"),
    ],
)
def test_bad_looks_are_named(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Look(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"look": Look(only=("LFTPA",))}, "cannot show phase 'LFTPA'; did you mean 'LFTAP'"),
        ({"look": Look(opacity={"LAT": 0.5})}, "cannot see through phase 'LAT'"),
        ({"look": Look(opacity={"others": 0.0})}, "leaves nothing to draw"),
        ({"look": Look(view="slices", slices_um=(0.1, 9.0, 0.1))}, "plane across y is at 9 um; allowed: 0 to 0.7 um"),
        ({"look": Look(hot_percent=1.0)}, "no hot spots in field 'phase'; allowed: current, dissipation"),
        ({"field": "dissipation"}, "pass dissipation="),
    ],
)
def test_bad_requests_for_a_scene_are_named(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        viz.render(shelled_grain(), png=tmp_path / "x.png", **options)
    assert not (tmp_path / "x.png").exists()
