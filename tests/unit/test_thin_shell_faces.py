"""How faces near thin reaction layers are sorted, what is refused, and what carbon does there."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from support import block, laminate, materials, voronoi

from kmc.conduction import solve_axis
from kmc.faces import build_faces
from kmc.faces.thin_shells import BINS, bin_thickness
from kmc.network import build_network
from microstructures.errors import InputError
from microstructures.features import ThinShells
from microstructures.structure import VoxelStructure

H = 25e-9
SHEET = 1e-6
KNOWN = materials({"A": 0.1, "B": 1.0, "C": 3.0})


def shells(pairs: list[list[int]], thickness: float | NDArray[np.float64] = 40e-9, product: str = "C") -> ThinShells:
    grains = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return ThinShells(product, "A", "B", 0.25, grains, np.broadcast_to(thickness, len(grains)).astype(float))


def layers(pairs: list[list[int]], thickness: float = 40e-9) -> VoxelStructure:
    labels = laminate([1] * 8 + [2] * 8, across=6)
    return block(labels, grains=labels, periodic=True).with_(shells=shells(pairs, thickness))


def sigma(structure: VoxelStructure, known: object, axis: int) -> float:
    return solve_axis(build_network(structure, known), axis, boundary="periodic", tolerance=1e-10).sigma_eff_S_per_m  # type: ignore[arg-type]


def test_bins_keep_the_mean_thickness() -> None:
    """At most 16 bins; the thickness summed over faces is kept, and no pair moves by more than the ratio of a bin."""
    rng = np.random.default_rng(1)
    thickness, faces = 65e-9 * np.exp(0.28 * rng.standard_normal(500)), rng.integers(1, 400, 500)
    which, mean = bin_thickness(thickness, faces)
    assert len(mean) <= BINS
    assert float(faces @ mean[which]) == pytest.approx(float(faces @ thickness), rel=1e-12)
    ratio = (thickness.max() / thickness.min()) ** (1.0 / BINS)
    assert np.abs(np.log(mean[which] / thickness)).max() <= np.log(ratio) * (1.0 + 1e-9)
    assert bin_thickness(np.array([4e-8, 7e-8, 4e-8]), np.zeros(3, np.int64))[1].tolist() == [4e-8, 7e-8]


def test_bad_thin_shells_are_refused() -> None:
    """Pairs out of order, a product nobody knows, no grains, no thickness, flat voxels, far too thick: one line each."""
    base = layers([[1, 2]])
    for changed, message in (
        (base.with_(shells=shells([[3, 4], [1, 2]])), "out of order"),
        (base.with_(shells=shells([[1, 2], [1, 2]])), "listed twice"),
        (base.with_(shells=shells([[1, 2]], product="nothing")), "phase 'nothing' is not in"),
        (base.with_(grains=None), "segment it into grains"),
        (base.with_(shells=shells([[1, 2]], 0.0)), "allowed: above 0"),
        (base.with_(shells=shells([[1, 2]], 9e-7)), "voxels of their own"),
        (base.with_(voxel_size=(H, H, 2.0 * H)), "thin shells need cubic voxels"),
    ):
        with pytest.raises(InputError, match=message):
            build_faces(changed, KNOWN)


@pytest.mark.parametrize("pairs", [[], [[7, 9]], [[2, 1]]])
def test_pairs_that_are_not_listed_keep_the_plain_interface(pairs: list[list[int]]) -> None:
    """Another pair's layer, or this one the wrong way round, changes no conductance."""
    plain, other = build_network(layers([]).with_(shells=None), KNOWN), build_network(layers(pairs), KNOWN)
    for axis in range(3):
        a, b = (part.conductance[axis][part.faces.of_axis[axis]] for part in (plain, other))
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "conductivity", [{"A": 1.0, "B": 1.0}, {"C": 1.0}, {"A": 1e-7, "B": 0.9, "C": 0.1}, {"B": 1.0, "C": 9.0}]
)
@pytest.mark.parametrize("donor_share", [0.0, 0.4, 1.0])
def test_no_face_is_negative(conductivity: dict[str, float], donor_share: float) -> None:
    """Also where product, donor or host insulate, and where layers as thick as the grains overlap."""
    labels, ids = voronoi(16, 12, seed=8)
    pairs = [[a, b] for a in range(1, 13, 2) for b in range(2, 13, 2)]
    thickness = H * np.linspace(0.3, 4.0, len(pairs))
    found = ThinShells("C", "A", "B", donor_share, np.array(pairs, dtype=np.int32), thickness)
    structure = block(labels, grains=ids, periodic=True).with_(shells=found)
    network = build_network(structure, materials(conductivity, resistance={"A|C": 1e-7, "C|C": 1e-7}))
    assert np.isfinite(network.conductance).all()
    assert (network.conductance >= 0.0).all()
    assert network.conductance.any()


def test_threads_do_not_change_the_faces() -> None:
    """The same classes with one thread as with all."""
    labels, ids = voronoi(16, 12, seed=8)
    pairs = [[a, b] for a in range(1, 13, 2) for b in range(2, 13, 2)]
    structure = block(labels, grains=ids, periodic=True).with_(shells=shells(pairs))
    many, before = build_faces(structure, KNOWN), numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = build_faces(structure, KNOWN)
    finally:
        numba.set_num_threads(before)
    for a, b in zip(one.of_axis, many.of_axis, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_film_is_lost_where_its_grain_has_reacted_and_stays_elsewhere() -> None:
    """A|B is filmed: a listed contact of the same grain carries the layer, the other one the film."""
    grains = laminate([1] * 8 + [2] * 8 + [3] * 8 + [4] * 8, across=6)
    labels = np.where(grains % 2 == 1, 1, 2)
    known = materials({"C": 2.0}, films={"A|B": SHEET})
    base = block(labels, grains=grains, periodic=True)
    both = base.with_(shells=shells([[1, 2], [3, 2]], 30e-9))
    pitch = 32 * H
    assert sigma(base, known, 1) == pytest.approx(4.0 * SHEET / pitch, rel=1e-6)
    assert sigma(both, known, 1) == pytest.approx((2.0 * SHEET + 2.0 * 30e-9 * 2.0) / pitch, rel=1e-6)


def test_a_film_and_a_layer_in_one_voxel_add_up() -> None:
    """A grain of three voxels, filmed towards a pore and reacted on the other side: the layer adds its own, within 5 %."""
    labels = laminate([1] * 3 + [2] * 10 + [0] * 8, across=6)
    filmed = block(labels, grains=np.where(labels == 0, 0, labels), periodic=True)
    known = materials({"C": 2.0}, films={"A|pore": SHEET})
    gain = sigma(filmed.with_(shells=shells([[1, 2]], 30e-9)), known, 1) - sigma(filmed, known, 1)
    assert gain == pytest.approx(30e-9 * 2.0 / (21 * H), rel=0.05)
