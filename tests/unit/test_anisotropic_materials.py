"""Anisotropic phases: what a materials file may say, how crystals are oriented, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support import block, materials, voronoi

from kmc.faces import Orientations, random_rotations
from kmc.faces.orientations import STEPS, direction_table
from kmc.network import build_network
from microstructures.errors import InputError, MaterialsError
from microstructures.features import ThinShells
from microstructures.materials import Materials, load_materials, parse_materials

H = 25e-9


def crystal(lines: str = "anisotropy = [0.1, 1.0, 0.5]", *, electron: str = "", label: int = 1) -> Materials:
    """Return a phase A of 2 S/m at 60 degC with further lines in its ion table, and an isotropic B."""
    text = f"""
schema = 1
name = "crystal"
reference_temperature_C = 60.0
[phases.A]
label = {label}
[phases.A.ion]
conductivity_S_per_m = 2.0
activation_energy_eV = 0.3
{lines}
[phases.B]
label = 2
[phases.B.ion]
conductivity_S_per_m = 4.0
activation_energy_eV = 0.1
"""
    if electron:
        text += f"[phases.A.electron]\nconductivity_S_per_m = 5.0\nactivation_energy_eV = 0.0\n{electron}\n"
    return parse_materials(text.encode(), "crystal.toml")


def test_a_crystal_along_the_grid_conducts_by_axis() -> None:
    """Each axis has its own conductivity: g = s a_i A/l; temperature multiplies all alike."""
    found = build_network(block(np.ones((3, 3, 3)), (10.0, 20.0, 40.0)), crystal())
    sizes = np.array([10.0, 20.0, 40.0]) * 1e-9
    for axis, factor in enumerate((0.1, 1.0, 0.5)):
        g = found.conductance[axis][found.faces.of_axis[axis]]
        np.testing.assert_allclose(g, 2.0 * factor * sizes.prod() / sizes[axis] ** 2, rtol=1e-12)
        warm = found.at(80.0).conductance[axis][found.faces.of_axis[axis]]
        assert float((warm / g).std()) == 0.0
        assert (warm > g).all()
    assert found.phase_conductivity[0] == pytest.approx(2.0 * 1.6 / 3.0)


def test_a_face_between_crystal_and_isotropic_phase_is_two_half_cells() -> None:
    """Each side counts with its own conductivity along the normal, whatever the order of the voxels."""
    labels = np.ones((4, 4, 4), dtype=np.uint8)
    labels[2:, 2:, :] = 2
    found = build_network(block(labels), crystal())
    for axis, (factor, at) in enumerate(((0.1, (1, 3, 0)), (1.0, (3, 1, 0)))):
        expected = H / (0.5 / (2.0 * factor) + 0.5 / 4.0)
        assert found.conductance[axis][found.faces.of_axis[axis][at]] == pytest.approx(expected, rel=1e-12)
        far = [at[0], at[1], at[2]]
        far[axis] = 3
        assert found.conductance[axis][found.faces.of_axis[axis][tuple(far)]] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(found.conductance[2][found.faces.of_axis[2][labels == 2]], 4.0 * H, rtol=1e-12)


def test_plates_see_the_crystal_along_their_normal() -> None:
    """The half cells at both plates conduct as the cells behind them."""
    found = build_network(block(np.ones((3, 3, 3))), crystal())
    for axis, factor in enumerate((0.1, 1.0, 0.5)):
        for plate in found.faces.plates[axis]:
            np.testing.assert_allclose(found.conductance[axis][plate], 2.0 * factor * H, rtol=1e-12)


def test_equal_principal_conductivities_change_nothing() -> None:
    """anisotropy = [1, 1, 1] gives every face the bits of the isotropic phase, along the grid and in random grains."""
    labels, grains = voronoi(10, 12, seed=3)
    plain = build_network(block(labels, grains=grains), crystal(""))
    assert plain.faces.direction is None
    for orientation in ("grid", "random-grain"):
        turned = build_network(block(labels, grains=grains), crystal(f'anisotropy = [1, 1, 1]\norientation = "{orientation}"'))
        assert turned.faces.direction is not None
        for axis in range(3):
            a, b = (n.conductance[axis][n.faces.of_axis[axis]] for n in (plain, turned))
            assert (a == b).all()


def test_the_other_carrier_keeps_its_own_anisotropy() -> None:
    """One face table serves both carriers; ions may be anisotropic where electrons are not."""
    known = crystal(electron="carrier_density_per_m3 = 1e26")
    electron = build_network(block(np.ones((2, 2, 2))), known, carrier="electron")
    for axis in range(3):
        np.testing.assert_allclose(electron.conductance[axis][electron.faces.of_axis[axis]], 5.0 * H, rtol=1e-12)


def test_shipped_materials_are_isotropic() -> None:
    """No shipped phase has an orientation: its numbers are means over crystals."""
    for name in ("lfp-latp", "nmc-cathode"):
        known = load_materials(name)
        assert all(known.orientation(phase) is None for phase in known.file.phases)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("anisotropy = [0.0, 1.0, 1.0]", "phases.A.ion.anisotropy.*greater than or equal to"),
        ("anisotropy = [1.0, 1.0]", "phases.A.ion.anisotropy"),
        ("anisotropy = [1.0, inf, 1.0]", "phases.A.ion.anisotropy"),
        ('anisotropy = [1.0, 1.0, 2.0]\norientation = "random"', "orientation is 'random'; allowed: 'grid' or 'random-grain'"),
        ('orientation = "grid"', "orientation belongs to anisotropy; give anisotropy"),
    ],
)
def test_what_a_file_may_not_say(lines: str, message: str) -> None:
    """One line names the key and what is allowed."""
    with pytest.raises(MaterialsError, match=message):
        crystal(lines)


def test_a_crystal_has_one_orientation_for_both_carriers() -> None:
    """Ion and electron must say the same."""
    with pytest.raises(MaterialsError, match="ion and electron have different orientations"):
        crystal(electron='anisotropy = [1, 2, 1]\norientation = "random-grain"')
    both = crystal('anisotropy = [1, 2, 1]\norientation = "random-grain"', electron=
                   'anisotropy = [1, 5, 1]\norientation = "random-grain"')  # fmt: skip
    assert both.orientation("A") == "random-grain"


def test_random_orientations_need_grains_rotations_and_plain_interfaces() -> None:
    """What cannot be answered is refused in one line."""
    known = crystal('anisotropy = [0.1, 1, 0.1]\norientation = "random-grain"')
    labels, grains = voronoi(8, 6, seed=1)
    with pytest.raises(InputError, match="phase 'A' has orientation random-grain and the structure has no grains"):
        build_network(block(labels), known)
    structure = block(labels, grains=grains)
    with pytest.raises(InputError, match="4 rotations are given; allowed: 7 or more"):
        build_network(structure, known, orientations=Orientations(random_rotations(3, seed=1)))
    with pytest.raises(InputError, match="rotation 1 is off an orthogonal matrix"):
        Orientations(np.stack([np.eye(3), np.eye(3) * 1.1]))
    with pytest.raises(InputError, match="rotations have shape"):
        Orientations(np.eye(3))
    with pytest.raises(InputError, match="tilt is 'series'"):
        Orientations(np.eye(3)[None], tilt="series")  # type: ignore[arg-type]
    built = build_network(structure, known)
    with pytest.raises(InputError, match="a face table has its orientations already"):
        build_network(built.faces, known, orientations=Orientations(random_rotations(6, seed=1)))
    shells = ThinShells(
        grains=np.array([[1, 2]], dtype=np.int32), thickness=np.array([1e-8]), product="B", donor="A", host="B", donor_share=0.5
    )
    with pytest.raises(InputError, match="thin shells touch phase 'A', which is anisotropic"):
        build_network(structure.with_(shells=shells), known)


def test_random_rotations_are_uniform() -> None:
    """Proper rotations; squared cosines average to 1/3 with variance 4/45; all six nearest orientations are equally likely."""
    n = 20_000
    turned = random_rotations(n - 1, seed=7)
    np.testing.assert_allclose(np.linalg.det(turned), 1.0, atol=1e-12)
    four_errors = 4.0 * np.sqrt(4.0 / 45.0 / n)
    assert np.abs((turned**2).mean(axis=0) - 1.0 / 3.0).max() < four_errors
    assert np.abs(turned.mean(axis=0)).max() < 4.0 / np.sqrt(3.0 * n)
    counts = np.unique(Orientations(turned).squared_cosines().reshape(n, 9), axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert np.abs(counts / n - 1.0 / 6.0).max() < 4.0 * np.sqrt(5.0 / 36.0 / n)


def test_orientations_belong_to_seed_and_grain() -> None:
    """Not to the number of grains; another seed turns all of them."""
    few, many, other = random_rotations(5, seed=2), random_rotations(50, seed=2), random_rotations(5, seed=3)
    assert (few == many[:6]).all()
    assert (np.abs(few - other).max(axis=(1, 2)) > 1e-3).all()


def test_a_grain_keeps_its_orientation_at_every_voxel_size() -> None:
    """The conductivity inside a grain is the same in voxels of 50 and of 25 nm; a new seed of the structure changes it."""
    known = crystal('anisotropy = [0.1, 1.0, 0.5]\norientation = "random-grain"')
    labels, grains = voronoi(10, 8, seed=5, labels=(1,))

    def inside(factor: int, seed: int) -> np.ndarray:
        fine = grains.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)
        shape = np.ones(fine.shape, dtype=np.uint8)
        structure = block(shape, 50.0 / factor, grains=fine).with_(seed=seed)
        found = build_network(structure, known)
        out = np.zeros((9, 3))
        for axis in range(3):
            same = fine == np.roll(fine, -1, axis)
            g = found.conductance[axis][found.faces.of_axis[axis]] * factor / 50e-9
            for grain in range(1, 9):
                values = g[same & (fine == grain)]
                assert np.ptp(values) < 1e-12
                out[grain, axis] = values[0]
        return out

    coarse = inside(1, 4)
    np.testing.assert_allclose(inside(2, 4), coarse, rtol=1e-12)
    assert not np.allclose(inside(1, 5), coarse)
    assert labels.shape == grains.shape
    np.testing.assert_allclose(np.sort(coarse[1:], axis=1), np.broadcast_to([0.2, 1.0, 2.0], (8, 3)), rtol=1e-12)


def test_directions_between_the_axes_are_five_degrees_apart() -> None:
    """No direction is farther than one step from its class; 45 degrees and the body diagonal are exact."""
    table = direction_table()[1:]
    np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-12)
    for exact in ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3], [0.25, 0.75, 0.0]):
        assert np.abs(table - exact).max(axis=1).min() < 1e-12
    directions = np.abs(random_rotations(5_000, seed=1)[:, 0])
    nearest = np.clip((directions @ np.sqrt(table).T).max(axis=1), -1.0, 1.0)
    assert np.degrees(np.arccos(nearest)).max() < 90.0 / STEPS


def test_classes_stay_few() -> None:
    """A polycrystal of 200 grains: 3 directions a phase side when turned to the grid, a few thousand classes when tilted."""
    known = crystal('anisotropy = [0.1, 1.0, 0.5]\norientation = "random-grain"')
    labels, grains = voronoi(24, 200, seed=2)
    structure = block(labels, grains=grains)
    plain = build_network(structure, materials({"A": 1.0, "B": 1.0})).faces.n_classes
    nearest = build_network(structure, known).faces.n_classes
    tilted = build_network(structure, known, orientations=Orientations(random_rotations(200, seed=1), "diagonal")).faces
    assert nearest <= plain * 10
    assert tilted.n_classes < 5_000
    assert tilted.of_axis[0].dtype == np.uint16
