"""What must hold for every structure: bounds, monotonicity, symmetry and scaling of the effective conductivity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from support import materials, network

from kmc.conduction import conduct, solve_axis
from kmc.network import Network
from kmc.outcomes import Outcome

AXES = "xyz"
TOLERANCE, CLOSE = 1e-7, 3e-7
VALUES = {"A": 1.0, "B": 0.02, "C": 30.0}
RESISTANCE = {"A|B": 1e-8, "default": 3e-8}

shapes = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)
solids = hnp.arrays(np.uint8, shapes, elements=st.integers(1, 3))
porous = hnp.arrays(np.uint8, shapes, elements=st.sampled_from([0, 1, 1, 2]))
boundaries = st.sampled_from(["plates", "periodic"])
axes = st.integers(0, 2)


def sigma(known: Network, axis: int, boundary: str) -> float:
    solution = solve_axis(known, axis, boundary=boundary, tolerance=TOLERANCE)  # type: ignore[arg-type]
    assert solution.outcome in (Outcome.CONVERGED, Outcome.NOT_PERCOLATING)
    assert (solution.sigma_eff_S_per_m > 0.0) == (solution.outcome is Outcome.CONVERGED)
    return solution.sigma_eff_S_per_m


def of(
    labels: NDArray[np.integer],
    values: dict[str, float] = VALUES,
    *,
    resistance: dict[str, float] | None = None,
    **options: Any,
) -> Network:
    return network(labels, materials(values, resistance=resistance), periodic=True, **options)


@given(solids, axes, boundaries)
def test_wiener_bounds(labels: NDArray[np.uint8], axis: int, boundary: str) -> None:
    """1/<1/s> <= sigma_eff <= <s> for every sample between plates or repeated (Wiener 1912)."""
    s = np.array([VALUES["ABC"[label - 1]] for label in labels.ravel()])
    found = sigma(of(labels), axis, boundary)
    assert found <= s.mean() * (1.0 + CLOSE)
    assert found >= (1.0 - CLOSE) / (1.0 / s).mean()


@given(solids, axes)
def test_planes_and_columns_bound_closer(labels: NDArray[np.uint8], axis: int) -> None:
    """Equipotential planes bound from above, separate columns from below: the network between plates lies in between."""
    s = np.moveaxis(np.choose(labels - 1, list(VALUES.values())), axis, 0)
    columns = float((1.0 / (1.0 / s).mean(axis=0)).mean())
    faces = 2.0 * s[1:] * s[:-1] / (s[1:] + s[:-1])
    planes = [2.0 * s[0].sum(), *faces.sum(axis=(1, 2)), 2.0 * s[-1].sum()]
    highest = s.shape[0] / np.prod(s.shape[1:]) / float(sum(1.0 / g for g in planes))
    assert columns * (1.0 - CLOSE) <= sigma(of(labels), axis, "plates") <= highest * (1.0 + CLOSE)


@given(porous, axes, boundaries, st.data())
def test_raising_one_voxel_never_lowers_sigma(labels: NDArray[np.uint8], axis: int, boundary: str, data: st.DataObject) -> None:
    """Rayleigh's monotonicity law: pore -> B -> A in any voxel."""
    at = data.draw(st.integers(0, labels.size - 1), label="voxel")
    ranks = {0: 2, 2: 1, 1: 3}
    better = labels.copy()
    better.flat[at] = ranks[int(labels.flat[at])]
    before, after = (sigma(of(part), axis, boundary) for part in (labels, better))
    assert after >= before * (1.0 - CLOSE)


@given(porous, axes, boundaries, st.sampled_from(["A", "B"]), st.floats(1.0, 1e4))
def test_raising_one_phase_never_lowers_sigma(
    labels: NDArray[np.uint8], axis: int, boundary: str, phase: str, factor: float
) -> None:
    """Rayleigh's monotonicity law, with interface resistances in the way."""
    better = {**VALUES, phase: VALUES[phase] * factor}
    before, after = (sigma(of(labels, values, resistance=RESISTANCE), axis, boundary) for values in (VALUES, better))
    assert after >= before * (1.0 - CLOSE)
    assert after <= before * factor * (1.0 + CLOSE)


@given(porous, axes, boundaries, st.floats(1.0, 1e4))
def test_raising_a_resistance_never_raises_sigma(labels: NDArray[np.uint8], axis: int, boundary: str, factor: float) -> None:
    """Rayleigh's monotonicity law for interfaces."""
    worse = {pair: value * factor for pair, value in RESISTANCE.items()}
    before, after = (sigma(of(labels, resistance=table), axis, boundary) for table in (RESISTANCE, worse))
    assert after <= before * (1.0 + CLOSE)


@given(porous, st.permutations([0, 1, 2]), boundaries)
def test_axes_may_be_permuted(labels: NDArray[np.uint8], order: list[int], boundary: str) -> None:
    """Turning the block turns the answer, flat voxels and all."""
    edges = np.array([20.0, 25.0, 30.0])
    before = of(labels, resistance=RESISTANCE, voxel_nm=tuple(edges))
    after = of(labels.transpose(order), resistance=RESISTANCE, voxel_nm=tuple(edges[order]))
    for axis in range(3):
        assert sigma(after, axis, boundary) == pytest.approx(sigma(before, order[axis], boundary), rel=CLOSE)


@given(porous, axes, axes, boundaries)
def test_mirror_images_conduct_alike(labels: NDArray[np.uint8], mirror: int, axis: int, boundary: str) -> None:
    """A mirror image has the same conductivity along every axis."""
    before, after = (of(part, resistance=RESISTANCE) for part in (labels, np.flip(labels, mirror)))
    assert sigma(after, axis, boundary) == pytest.approx(sigma(before, axis, boundary), rel=CLOSE)


@given(porous, axes, st.tuples(*[st.integers(-6, 6)] * 3))
def test_periodic_structures_may_be_shifted(labels: NDArray[np.uint8], axis: int, shift: tuple[int, int, int]) -> None:
    """Where a periodic box is cut does not matter."""
    before, after = (of(part, resistance=RESISTANCE) for part in (labels, np.roll(labels, shift, (0, 1, 2))))
    assert sigma(after, axis, "periodic") == pytest.approx(sigma(before, axis, "periodic"), rel=CLOSE)


@given(porous, axes, boundaries, st.floats(1e-6, 1e6), st.floats(0.1, 10.0))
def test_scaling(labels: NDArray[np.uint8], axis: int, boundary: str, factor: float, size: float) -> None:
    """Twice every conductance is twice sigma_eff; a larger voxel with resistances in proportion changes nothing."""
    before = sigma(of(labels, resistance=RESISTANCE), axis, boundary)
    values = {name: value * factor for name, value in VALUES.items()}
    resistance = {pair: value * size / factor for pair, value in RESISTANCE.items()}
    after = sigma(of(labels, values, resistance=resistance, voxel_nm=25.0 * size), axis, boundary)
    assert after == pytest.approx(before * factor, rel=CLOSE)


@given(porous, axes)
def test_two_copies_conduct_as_one(labels: NDArray[np.uint8], axis: int) -> None:
    """A periodic medium does not know how many periods the box holds."""
    twice = np.concatenate([labels, labels], axis=(axis + 1) % 3)
    assert sigma(of(twice), axis, "periodic") == pytest.approx(sigma(of(labels), axis, "periodic"), rel=CLOSE)


@given(porous, axes)
def test_mirrored_copies_make_plates_of_a_periodic_box(labels: NDArray[np.uint8], axis: int) -> None:
    """A block between plates conducts like itself and its mirror images repeated for ever."""
    images = labels
    for other in range(3):
        images = np.concatenate([images, np.flip(images, other)], axis=other)
    known = {"A": 1.0, "B": 0.02}
    between = sigma(of(labels, known), axis, "plates")
    assert sigma(of(images, known), axis, "periodic") == pytest.approx(between, rel=CLOSE)


@given(porous, boundaries)
def test_result_is_consistent(labels: NDArray[np.uint8], boundary: str) -> None:
    """Flows agree within the tolerance, fractions sum to one, the tortuosity factor follows from both and is at least 1."""
    found = conduct(of(labels), axis="all", boundary=boundary, tolerance=1e-6)
    report = found.to_dict()
    assert sum(report["volume_fraction"].values()) == pytest.approx(1.0)
    bound = sum(share * VALUES.get(name, 0.0) for name, share in report["volume_fraction"].items())
    for axis, solution in zip(AXES, found.solutions, strict=True):
        flows = solution.inflow_S_per_m, solution.outflow_S_per_m, solution.dissipation_S_per_m
        assert max(flows) - min(flows) <= 1e-6 * max(flows)
        factor = report["tortuosity_factor"][axis]
        if solution.sigma_eff_S_per_m > 0.0:
            assert factor == pytest.approx(bound / solution.sigma_eff_S_per_m)
            assert factor >= 1.0 - 1e-6
        else:
            assert factor is None
