"""What a comparison found, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes
    ----------
    folder : Path
        Where everything was written.
    table : DataFrame
        One row per quantity: value, standard error, unit, number of replicas, published value and range.
    estimates : DataFrame
        One row per process, seed, carrier and estimator.
    arrhenius : DataFrame
        Conductivities of the first seed at several temperatures.
    structures : list of dict
        What was measured on every structure.
    run : dict
        The full input, versions, times.
    """

    folder: Path
    table: pd.DataFrame
    estimates: pd.DataFrame = field(repr=False)
    arrhenius: pd.DataFrame = field(repr=False)
    structures: list[dict[str, Any]] = field(repr=False)
    run: dict[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "folder": str(self.folder),
            "table": self.table.to_dict("records"),
            "estimates": self.estimates.to_dict("records"),
            "arrhenius": self.arrhenius.to_dict("records"),
            "run": self.run,
        }

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return str(self.table.to_html(index=False))
