"""What a comparison found, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from cofire.experiment.explaining import Explanation


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
    explanation : Explanation, optional
        Waterfall, scenarios, what would close the gap, error budget.
    """

    folder: Path
    table: pd.DataFrame
    estimates: pd.DataFrame = field(repr=False)
    arrhenius: pd.DataFrame = field(repr=False)
    structures: list[dict[str, Any]] = field(repr=False)
    run: dict[str, Any] = field(repr=False)
    explanation: Explanation | None = field(repr=False, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        tables = {} if self.explanation is None else self.explanation.tables()
        more: dict[str, Any] = {name: table.to_dict("records") for name, table in tables.items()}
        if self.explanation is not None:
            more["statement"] = self.explanation.statement
        return {
            "folder": str(self.folder),
            "table": self.table.to_dict("records"),
            "estimates": self.estimates.to_dict("records"),
            "arrhenius": self.arrhenius.to_dict("records"),
            **more,
            "run": self.run,
        }

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return str(self.table.to_html(index=False))
