"""Rules of the test run: quiet numba, repeatable property tests by day, fresh seeds by night."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads: threads of its own make small products wait

import numba
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

SLOW_BUT_FINE = (HealthCheck.too_slow, HealthCheck.differing_executors, HealthCheck.function_scoped_fixture)
settings.register_profile("day", deadline=None, derandomize=True, max_examples=25, suppress_health_check=SLOW_BUT_FINE)
settings.register_profile("night", deadline=None, max_examples=300, print_blob=True, suppress_health_check=SLOW_BUT_FINE)
NIGHTLY: pytest.StashKey[list[pytest.Item]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="store the numbers of the regression tests anew; such tests are skipped"
    )


def _asks_for_nightly(config: pytest.Config) -> bool:
    expression = config.option.markexpr
    return "nightly" in expression and "not nightly" not in expression


def pytest_configure(config: pytest.Config) -> None:
    """Choose the profile of property tests; refuse checks of bounds that code compiled before would not make."""
    if numba.config.BOUNDSCHECK and not os.environ.get("NUMBA_CACHE_DIR"):
        raise pytest.UsageError(
            "NUMBA_BOUNDSCHECK is set, but kernels compiled without checks would be taken from the cache; "
            "set NUMBA_CACHE_DIR to an empty folder"
        )
    settings.load_profile("night" if _asks_for_nightly(config) else "day")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave `nightly` tests out by day; at night let every property test draw anew as well."""
    config.stash[NIGHTLY] = nightly = [item for item in items if item.get_closest_marker("nightly")]
    if _asks_for_nightly(config):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("nightly")
        return
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]


@pytest.fixture
def nightly_tests(pytestconfig: pytest.Config) -> list[pytest.Item]:
    """Return the tests of the night among those collected, whether they run now or not."""
    return pytestconfig.stash[NIGHTLY]


@pytest.fixture
def fresh_seed(request: pytest.FixtureRequest) -> int:
    """Return a seed nobody has seen; a failure reports it, so that it can be repeated."""
    seed = secrets.randbits(32)
    request.node.add_report_section("setup", "seed", str(seed))
    return seed


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on one thread: small problems gain nothing from more, and wait long for a core that is busy."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


@pytest.fixture
def threads() -> Callable[[int], None]:
    """Return the function that sets the number of threads until the test ends; skip where there is one core only."""
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("needs a machine with two cores")
    return numba.set_num_threads
