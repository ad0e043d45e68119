"""The one network: what a face conducts, which classes there are, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support import block, laminate, materials, network, random_labels, sphere

from kmc.conduction import conduct
from kmc.faces import BLOCKED
from kmc.network import build_network
from kmc.rates import mobility_factor
from microstructures.errors import InputError, MaterialsError
from microstructures.features import Coating
from microstructures.materials import load_materials
from microstructures.structure import VoxelStructure

H = 25e-9


def face(labels: list[int], known: object, **options: object) -> float:
    """Return the conductance [S] of the face between the first two of a row of voxels."""
    found = network(np.array(labels)[:, None, None], known, **options)  # type: ignore[arg-type]
    return float(found.conductance[0][found.faces.of_axis[0][0, 0, 0]])


def test_face_is_two_half_cells_and_the_interface() -> None:
    """g = h^2 / (h/(2 s_i) + R + h/(2 s_j))."""
    known = materials({"A": 2.0, "B": 0.5}, resistance={"A|B": 3e-8})
    assert face([1, 1], known) == pytest.approx(2.0 * H, rel=1e-12)
    assert face([1, 2], known) == pytest.approx(H**2 / (H / 4.0 + 3e-8 + H / 1.0), rel=1e-12)
    assert face([2, 1], known) == face([1, 2], known)
    assert face([1, 0], known) == 0.0


def test_flat_voxels_conduct_more_across_their_face() -> None:
    """g = s A/l along each axis."""
    known = network(np.ones((2, 2, 2)), materials({"A": 3.0}), (10.0, 20.0, 40.0))
    class_ = known.faces.of_axis[0][0, 0, 0]
    np.testing.assert_allclose(known.conductance[:, class_], 3.0 * np.array([800.0 / 10.0, 400.0 / 20.0, 200.0 / 40.0]) * 1e-9)
    area, length = known.faces.face_geometry()
    np.testing.assert_allclose(area, np.array([800.0, 400.0, 200.0]) * 1e-18)
    np.testing.assert_allclose(length, np.array([10.0, 20.0, 40.0]) * 1e-9)


def test_hop_rates_follow_from_conductances() -> None:
    """k = g kT/(q^2 c V): in a uniform phase D = k h^2 = sigma kT/(q^2 c)."""
    known = network(np.ones((3, 3, 3)), materials({"A": 0.9}, density={"A": 5e27}))
    rate = known.conductance[0, known.faces.of_axis[0][0, 0, 0]] * known.rate_factor / known.phase_carrier_density[0]
    assert rate * H**2 == pytest.approx(0.9 * mobility_factor(60.0) / 5e27, rel=1e-12)


def test_a_whole_structure_is_a_few_classes() -> None:
    """Face tables hold classes, not conductances: 2 bytes a face, one row a kind."""
    labels, _ = sphere(24, 0.3)
    faces = network(labels, materials({"A": 1.0, "B": 2.0}, resistance={"A|B": 1e-8})).faces
    assert faces.n_classes < 100
    assert all(part.dtype == np.uint16 for part in faces.of_axis)
    assert faces.phase_names == ("A", "B")


def test_class_zero_is_blocked() -> None:
    """The blocked class conducts nothing at any temperature."""
    known = network(random_labels((4, 4, 4), 3, seed=1), materials({"A": 1.0, "B": 2.0}))
    for temperature_C in (0.0, 60.0, 500.0):
        assert not known.at(temperature_C).conductance[:, BLOCKED].any()


def test_a_new_temperature_shares_the_faces() -> None:
    """Only the table changes; and a table of faces can be used again as a structure."""
    known = materials({"A": 1.0}, energy_eV={"A": 0.3})
    base = network(np.ones((4, 4, 4)), known)
    warm = base.at(80.0)
    assert warm.faces is base.faces
    assert (warm.temperature_C, base.temperature_C) == (80.0, 60.0)
    assert warm.conductance[0, 1] > base.conductance[0, 1]
    again = build_network(base.faces, known, temperature_C=80.0)
    np.testing.assert_array_equal(again.conductance, warm.conductance)


def test_images_are_matched_by_label_structures_by_name() -> None:
    """A bare image takes its names from the materials file, a structure brings its own."""
    known = materials({"A": 1.0, "B": 5.0})
    image = VoxelStructure.from_labels(np.full((2, 2, 2), 2), voxel_nm=25)
    named = VoxelStructure.from_labels(np.full((2, 2, 2), 77), voxel_nm=25, phases={77: "B"})
    for structure in (image, named):
        assert build_network(structure, known).faces.phase_names == ("B",)
        assert build_network(structure, known).phase_conductivity.tolist() == [5.0]
    both = VoxelStructure.from_labels([[[7, 8]]], voxel_nm=25, phases={7: "B", 8: "B"})
    assert build_network(both, known).faces.phase_names == ("B",)


def test_unknown_labels_phases_and_carriers_are_refused() -> None:
    """Each names the value seen and what is known."""
    known = materials({"A": 1.0})
    with pytest.raises(InputError, match=r"label 9 \(8 voxels\) has no phase in test.toml; known: 0=pore"):
        build_network(VoxelStructure.from_labels(np.full((2, 2, 2), 9), voxel_nm=25), known)
    with pytest.raises(MaterialsError, match="phase 'LATB' is not in the materials file"):
        build_network(VoxelStructure.from_labels(np.ones((2, 2, 2)), voxel_nm=25, phases={1: "LATB"}), "lfp-latp")
    with pytest.raises(InputError, match="carrier is 'electrons'; did you mean 'electron'"):
        build_network(block(np.ones((2, 2, 2))), known, carrier="electrons")


def test_shipped_materials_at_their_reference_temperature() -> None:
    """The default file and the default temperature are those of the LFP|LATP system."""
    structure = VoxelStructure.from_labels(laminate([1, 2, 3]), voxel_nm=25, phases={1: "LFP", 2: "LATP", 3: "LFTAP"})
    found = build_network(structure)
    assert found.temperature_C == load_materials().reference_temperature_C == 60.0
    assert dict(zip(found.faces.phase_names, found.phase_conductivity, strict=True))["LATP"] == 0.9
    assert found.conducts()
    electron = build_network(structure, carrier="electron")
    assert electron.film_conductance.max() == pytest.approx(3.08e-6)
    assert electron.film_carrier_density > 0.0


def test_barriers_are_symmetric_and_infinite_where_nothing_conducts() -> None:
    """The equivalent barrier of a face between two phases uses the geometric mean of both prefactors."""
    known = network(random_labels((5, 5, 5), 3, seed=2), materials({"A": 1.0, "B": 1e-3}))
    barrier = known.barrier_eV
    assert np.isinf(barrier[~(known.conductance > 0.0).any(axis=0)]).all()
    ranked = np.argsort(known.conductance[0])[::-1]
    finite = ranked[np.isfinite(barrier[ranked])]
    assert (np.diff(barrier[finite]) >= -1e-12).all()


@pytest.mark.parametrize(
    ("thickness_nm", "coverage", "factor"), [(4.0, 1.0, 1.0), (2.0, 1.0, 0.5), (8.0, 0.75, 1.0), (4.0, 0.4, 0.0)]
)
def test_a_coating_scales_its_film(thickness_nm: float, coverage: float, factor: float) -> None:
    """Sheet conductance as the thickness, and as 2 c - 1 of the coverage; the solver's sigma_eff follows in proportion."""
    labels = np.zeros((4, 16, 4), dtype=np.uint8)
    labels[:, 4:12] = 1
    bare = VoxelStructure.from_labels(labels, voxel_nm=25.0, phases={0: "pore", 1: "LFP"}, periodic=True)
    coated = bare.with_(coatings={"LFP": Coating(thickness_nm * 1e-9, coverage)})
    plain, scaled = (build_network(s, carrier="electron") for s in (bare, coated))
    assert scaled.film_conductance == pytest.approx(plain.film_conductance * factor)
    known = [10.0 * conduct(network).sigma_eff_S_per_m for network in (plain, scaled)]
    base = 10.0 * 0.5 * 1.2e-6
    assert known[1] - base == pytest.approx(factor * (known[0] - base), rel=1e-3, abs=1e-9)
