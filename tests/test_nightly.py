"""What runs by night draws seeds that nobody has seen, and says them when it fails, unless it is listed here with a reason."""

from __future__ import annotations

import pytest
from hypothesis import is_hypothesis_test

pytest_plugins = ["pytester"]
SAME_EVERY_NIGHT = {
    "test_morphology_exact.py::test_poisson_voronoi_cells_converge": "areas must order by voxel size for one set of points",
    "test_lattice_gas.py::test_exclusion_on_a_uniform_lattice": "nine fillings at 3 standard errors; the day runs three of them",
    "test_ball_network.py::test_cold_pressed_powders_do_not_depend_on_the_grid": "one powder on three grids",
    "test_kernels.py::test_warm_up_compiles_all_that_a_case_runs": "counts compilations",
    "test_checked_kernels.py::test_bodies_stay_within_bounds": "looks for indices out of bounds in one pair of bodies",
    "test_documentation.py::test_long_pages_run_with_their_commands": "runs a page as it stands",
}
"""Tests that are nightly because they take minutes."""

FAILS = """
import pytest
from hypothesis import given, strategies


@pytest.mark.nightly
def test_seed(fresh_seed):
    assert fresh_seed < 0


@given(strategies.integers())
def test_property(number):
    assert number < 1000
"""


def test_nightly_tests_draw_their_seeds(nightly_tests: list[pytest.Item]) -> None:
    fixed = [
        item.nodeid
        for item in nightly_tests
        if isinstance(item, pytest.Function)
        and "fresh_seed" not in item.fixturenames
        and not is_hypothesis_test(item.obj)
        and f"{item.path.name}::{item.originalname}" not in SAME_EVERY_NIGHT
    ]
    assert fixed == []


def test_failures_of_the_night_say_how_to_repeat_them(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> None:
    """A drawn seed is reported; a property test names the example and the line that runs it again."""
    pytester.makeconftest((pytestconfig.rootpath / "tests" / "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers = nightly: by night\n")
    pytester.makepyfile(test_fails=FAILS)
    by_day = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    by_day.assert_outcomes(failed=1, deselected=1)
    by_night = pytester.runpytest_subprocess("-m", "nightly", "-p", "no:cacheprovider")
    by_night.assert_outcomes(failed=2)
    by_night.stdout.re_match_lines_random([r"-+ Captured seed setup -+", r"\d+", r".*@reproduce_failure\("])
