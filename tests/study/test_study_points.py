"""What a study varies: grids, tables that advance together, lists, samples; dotted keys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofire.study.axes import all_points, count_points, read_axes
from cofire.study.keys import flatten, join_key, split_key, with_value
from microstructures.errors import InputError

NAMES = st.text(st.characters(codec="ascii", exclude_characters='"\\\n\r\t', min_codepoint=32, max_codepoint=126), min_size=1)


@given(st.lists(NAMES, min_size=1, max_size=4).map(tuple))
def test_a_dotted_key_has_one_spelling(parts):
    assert split_key(join_key(parts)) == parts


@pytest.mark.parametrize("key", ["", ".", "a..b", "a."])
def test_a_key_with_an_empty_part_is_refused(key):
    with pytest.raises(InputError, match="no dotted key"):
        split_key(key)


def test_tables_and_dotted_keys_are_the_same():
    nested = {"cell": {"recipe": {"press": {"relative_density": [0.5]}}}}
    assert flatten(nested) == flatten({"cell.recipe.press.relative_density": [0.5]})
    with pytest.raises(InputError, match="given twice"):
        flatten({"a": {"b": 1}, "a.b": 2})


def test_a_value_is_set_in_a_copy():
    before = {"a": {"b": 1}}
    assert with_value(before, ("a", "c"), 2) == {"a": {"b": 1, "c": 2}}
    assert before == {"a": {"b": 1}}


def test_everything_is_multiplied():
    axes = read_axes(
        {
            "grid": {"cell.size_um": [3, 4], "cell.process": ["a", "b", "c"]},
            "zip": [{"x.a": [1, 2], "x.b": [10, 20]}, {"y": [7]}],
            "list": [{"z": 1, "w": 2}, {"z": 3}],
        },
        seed=1,
    )
    points = all_points(axes)
    assert len(points) == count_points(axes) == 2 * 3 * 2 * 1 * 2
    assert points[0] == {"cell.size_um": 3, "cell.process": "a", "x.a": 1, "x.b": 10, "y": 7, "z": 1, "w": 2}
    assert {(point["x.a"], point["x.b"]) for point in points} == {(1, 10), (2, 20)}
    assert len({tuple(sorted(point.items())) for point in points}) == len(points)


@pytest.mark.parametrize("samples", [1, 7, 32, 100])
def test_a_latin_hypercube_has_one_point_in_every_stratum(samples):
    table = {"samples": samples, "a": {"low": 2.0, "high": 4.0}, "b": {"low": 1.0, "high": 1000.0, "log": True}}
    (axis,) = read_axes({"latin_hypercube": table}, seed=5)
    a = np.array([point["a"] for point in axis])
    b = np.array([point["b"] for point in axis])
    assert sorted(np.floor((a - 2.0) / 2.0 * samples)) == list(range(samples))
    assert sorted(np.floor(np.log10(b) / 3.0 * samples)) == list(range(samples))


def test_sobol_points_are_balanced_and_longer_sequences_go_on_from_shorter_ones():
    table = {"a": {"low": 0.0, "high": 1.0}, "b": {"low": 0.0, "high": 1.0}}
    (longer,) = read_axes({"sobol": {"samples": 64, **table}}, seed=2)
    (shorter,) = read_axes({"sobol": {"samples": 20, **table}}, seed=2)
    assert longer[:20] == shorter
    cells = {(int(8 * point["a"]), int(8 * point["b"])) for point in longer}
    assert len(cells) == 64  # a (0, 2)-net: every cell of 8 x 8 holds one point


def test_whole_ends_give_whole_numbers():
    (axis,) = read_axes({"latin_hypercube": {"samples": 300, "run.hops": {"low": 1, "high": 3}}}, seed=1)
    counts = np.bincount([point["run.hops"] for point in axis])
    assert counts.tolist() == [0, 100, 100, 100]


def test_samples_follow_the_seed():
    table = {"latin_hypercube": {"samples": 8, "a": {"low": 0.0, "high": 1.0}}}
    assert read_axes(table, seed=1) == read_axes(table, seed=1) != read_axes(table, seed=2)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        pytest.param({"grid": {"a": []}}, "'a' is empty", id="68-empty-axis"),
        pytest.param({"grid": {"a": 3}}, "a list of values", id="68-no-list"),
        pytest.param({"grid": {}}, "study.grid", id="68-empty-grid"),
        pytest.param({"zip": {"a": [1], "b": [1, 2]}}, "a 1, b 2", id="68-lengths-differ"),
        pytest.param({"grid": {"a": [1]}, "zip": {"a": [2]}}, "varied twice", id="19-key-on-two-axes"),
        pytest.param({"sobol": {"samples": 0, "a": {"low": 0, "high": 1}}}, "samples", id="21-no-samples"),
        pytest.param({"sobol": {"samples": 4}}, "no range", id="68-no-range"),
        pytest.param({"sobol": {"samples": 4, "a": {"low": 2, "high": 1}}}, "low below high", id="11-range-swapped"),
        pytest.param({"sobol": {"samples": 4, "a": {"low": 0, "high": 1, "log": True}}}, "above 0", id="11-log-of-0"),
        pytest.param({"sobol": {"samples": 4, "a": {"low": 0, "hihg": 1}}}, "did you mean 'high'", id="3-typo-in-a-range"),
        pytest.param({"sobol": {"samples": 4, "a": {"low": 0.0, "high": float("nan")}}}, "two numbers", id="5-range-to-nan"),
        pytest.param({"latin_hypercube": {"samples": 4, "a": 3}}, "a range like", id="68-number-for-a-range"),
    ],
)
def test_what_cannot_be_varied(table, says):
    with pytest.raises(InputError, match=says):
        read_axes(table, seed=1)
