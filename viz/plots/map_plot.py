"""A number over two parameters: a map with the number in every cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.palette import ABSENT, ink_on
from viz.plots.axes import axis_label, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis"
"""Colour map made for readers with and without a colour-vision deficiency (Nuñez, Anderton and Renslow, PLoS ONE 13, 2018)."""
LOGARITHMIC_FROM = 30.0
"""Largest over smallest positive value from which on the colours are logarithmic."""
MOST_CELLS = 12
"""Cells along an axis up to which numbers are written into them."""
CELL_INCHES = 0.78


@styled
def parameter_map(table: pd.DataFrame, *, x: str, y: str, value: str, error: str | None = None) -> Figure:
    """Plot a number over two parameters, such as the conductivity or the percolating fraction.

    Parameters
    ----------
    table : DataFrame
        One row a point of the map; `kmc.percolation.percolation_map` returns such a table. Points that are missing or NaN are
        grey; conductivities of 0 (columns named `sigma...`) are grey and say "no path".
    x, y : str
        Columns of the parameters; a unit at the end of a name (`_nm`, `_C`) goes into the label.
    value : str
        Column of the number; fractions and shares run from 0 to 1, others over their range, logarithmically if that is wide.
    error : str, optional
        Column of its standard error, written below it.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing, the table is empty, or a point occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"share": [0.2, 0.4, 0.2, 0.4], "radius_nm": [50, 50, 90, 90], "percolating_fraction": [0, 0.4, 0.1, 1]})
    >>> parameter_map(table, x="share", y="radius_nm", value="percolating_fraction").axes[0].get_ylabel()
    'radius (nm)'
    """
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure

    require(table, (x, y, value, *([] if error is None else [error])))
    if table.duplicated([x, y]).any():
        twice = table.loc[table.duplicated([x, y]), [x, y]].iloc[0].tolist()
        raise InputError(
            f"{x}, {y} = {twice[0]}, {twice[1]} occurs twice; allowed: one row a point; choose or average the others"
        )
    grid = table.pivot(index=y, columns=x, values=value)
    errors = None if error is None else table.pivot(index=y, columns=x, values=error).to_numpy(dtype=float)
    numbers = grid.to_numpy(dtype=float)
    sigma = value.startswith("sigma")
    known = np.isfinite(numbers) & (numbers > 0.0) if sigma else np.isfinite(numbers)
    if not known.any():
        raise InputError(f"column {value} has no number to draw; allowed: at least one" + (" above 0" if sigma else ""))
    low, high = _range(value, numbers[known])
    norm = LogNorm(low, high) if low > 0.0 and high / low > LOGARITHMIC_FROM else Normalize(low, high)
    rows, columns = numbers.shape
    size = (2.2 + CELL_INCHES * max(columns, 3), 1.2 + CELL_INCHES * 0.8 * max(rows, 3))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    mapped = colormaps[COLOURS].with_extremes(bad=ABSENT)
    picture = axes.imshow(np.where(known, numbers, np.nan), norm=norm, cmap=mapped, origin="lower", aspect="auto")
    axes.set_xticks(range(columns), [f"{tick:g}" if isinstance(tick, (int, float)) else str(tick) for tick in grid.columns])
    axes.set_yticks(range(rows), [f"{tick:g}" if isinstance(tick, (int, float)) else str(tick) for tick in grid.index])
    axes.tick_params(length=0)
    axes.set(xlabel=axis_label(x), ylabel=axis_label(y))
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, label=axis_label(value), pad=0.02)
    if max(rows, columns) <= MOST_CELLS:
        _numbers(axes, picture, numbers, known, errors, sigma)
    return figure


def _range(name: str, numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the colour scale."""
    low, high = float(numbers.min()), float(numbers.max())
    if ("fraction" in name or "share" in name) and low >= 0.0 and high <= 1.0:
        return 0.0, 1.0
    if low == high:
        return (0.5 * low, 1.5 * low) if low > 0.0 else (low - 0.5, high + 0.5)
    return low, high


def _numbers(
    axes: Axes,
    picture: Any,
    numbers: NDArray[np.float64],
    known: NDArray[np.bool_],
    errors: NDArray[np.float64] | None,
    sigma: bool,
) -> None:
    """Write the number, and its error, into every cell."""
    from matplotlib.colors import to_hex

    for (row, column), number in np.ndenumerate(numbers):
        colour = to_hex(picture.cmap(picture.norm(number))) if known[row, column] else ABSENT
        if not known[row, column]:
            text = "no path" if sigma and number == 0.0 else "–"
        else:
            forms = (".2f", ".2f") if (picture.norm.vmin, picture.norm.vmax) == (0.0, 1.0) else (".3g", ".1g")
            text = format(number, forms[0])
            if errors is not None and math.isfinite(errors[row, column]):
                text += f"\n± {errors[row, column]:{forms[1]}}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color=ink_on(colour.upper()))
