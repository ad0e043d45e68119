"""Numbers as people read them: value with error, beside what was published."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cofire.console import out

if TYPE_CHECKING:
    from cofire.experiment.comparison import Comparison


def with_error(value: float, error: float, unit: str = "") -> str:
    """Return ``0.98 +- 0.03 mS/cm`` with as many digits as the error deserves.

    Examples
    --------
    >>> with_error(0.98123, 0.0312, "mS/cm")
    '0.981 +- 0.031 mS/cm'
    >>> with_error(0.98123, float("nan"))
    '0.9812'
    """
    if not math.isfinite(value):
        return "none"
    if not (math.isfinite(error) and error > 1e-5 * abs(value)):
        return f"{value:.4g} {unit}".rstrip()
    digits = 1 - math.floor(math.log10(error))
    if 0 <= digits <= 6:
        return f"{value:.{digits}f} +- {error:.{digits}f} {unit}".rstrip()
    return f"{value:.3g} +- {error:.2g} {unit}".rstrip()


def published(row: Any) -> str:
    """Return ``0.99 (0.85 to 1.15)`` of a row of the table, or an empty text."""
    if not math.isfinite(row["published"]):
        return ""
    return f"{row['published']:.3g} ({row['published_low']:.3g} to {row['published_high']:.3g})"


def pull(row: Any) -> str:
    """Return the difference to the published value over the errors of both, where both are known; of ratios the logarithms."""
    value, error = row["value"], row["standard_error"]
    low, high, middle = row["published_low"], row["published_high"], row["published"]
    if row["quantity"] == "ratio" and value > 0.0:
        error = error / value
        value, low, high, middle = (math.log(number) for number in (value, low, high, middle))
    spread = math.hypot(error, 0.5 * (high - low))
    return f"{(value - middle) / spread:+.1f}" if spread > 0.0 else ""


def label(quantity: str) -> str:
    """Return the name of a quantity as people write it."""
    return quantity.replace("_", " ")


def print_comparison(comparison: Comparison) -> None:
    """Print the table of a comparison."""
    grid = Table(title="co-fired and cold-pressed, beside the experiment", title_justify="left", title_style="bold")
    for name in ("quantity", "process", "carrier", "estimator", "value +- standard error", "n", "published", "note"):
        grid.add_column(name, overflow="fold")
    before = ""
    for row in comparison.table.to_dict("records"):
        if before and row["quantity"].split("_")[0] != before:
            grid.add_section()
        before = str(row["quantity"]).split("_")[0]
        grid.add_row(
            label(str(row["quantity"])), str(row["process"]), str(row["carrier"]), str(row["estimator"]),
            with_error(row["value"], row["standard_error"], str(row["unit"])), str(row["replicas"]), published(row),
            str(row["note"]),
        )  # fmt: skip
    out.print(grid)
