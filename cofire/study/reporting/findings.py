"""What lies in a study folder, sorted for its report: rows that count, rows that do not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofire.study.folder import StudyFolder
from cofire.study.reporting.factors import Factor, find_factors, with_joint_columns
from cofire.study.table import Table
from kmc.outcomes import Outcome
from microstructures.errors import InputError

LEADING = ("solver", "kMC", "graph")
"""Which estimator a report shows: the first of these that was asked."""
PROCESS_KEY = "cell.process"
MS_PER_CM = 10.0
"""1 S/m in mS/cm."""


@dataclass(frozen=True)
class Findings:
    """A study as its report sees it.

    Attributes
    ----------
    folder : Path
        Of the study.
    plan : mapping
        As stored.
    cases, done : int
        Different cases of the plan, and those finished.
    failed : dict of str to str
        Reason by name of a case.
    factors : list of Factor
        What is varied.
    rows : DataFrame
        Of the estimator shown, a row for each finished case and carrier with a value: the columns of the factors and `case`,
        `point`, `process`, `seed`, `carrier`, `sigma_mS_per_cm`, `percolates`, `activation_energy_eV`.
    estimator : str
        The estimator shown.
    not_converged, not_settled : int
        Rows left out because there is no number; rows kept whose value is an upper bound.
    others : DataFrame
        Rows of the other estimators, likewise.
    """

    folder: Path
    plan: Mapping[str, Any]
    cases: int
    done: int
    failed: dict[str, str]
    factors: list[Factor]
    rows: pd.DataFrame
    estimator: str
    not_converged: int
    not_settled: int
    others: pd.DataFrame

    @property
    def carriers(self) -> list[str]:
        """Return the carriers in the order they were asked about."""
        return list(dict.fromkeys(self.rows["carrier"]))

    @property
    def numbers(self) -> list[Factor]:
        """Return the factors that are numbers."""
        return [factor for factor in self.factors if factor.numeric]

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Return why cases failed, with how many of each, the most frequent first."""
        return Counter(self.failed.values()).most_common()


def find(path: str | Path, estimator: str | None = None) -> Findings:
    """Read a study folder.

    Parameters
    ----------
    path : path
        What `cofire sweep` wrote, finished or not.
    estimator : str, optional
        Which one to show; the solver where it was asked.

    Raises
    ------
    InputError
        If the folder holds no study, no case is finished, or nobody asked that estimator.
    """
    folder = StudyFolder(Path(path).expanduser().resolve())
    plan, table = folder.plan, Table(folder)
    names = {entry["name"] for entry in table.entries}
    failed = {name: reason for name, reason in folder.reasons().items() if name in names}
    frame = table.frame()
    if frame.empty:
        why = f"; {len(failed)} failed, the first with: {next(iter(failed.values()))}" if failed else ""
        raise InputError(
            f"{folder.path} has 0 of {len(names)} cases finished{why}; go on with cofire sweep STUDY.toml --out {path} --resume"
        )
    asked = [name for name in LEADING if name in set(frame["estimator"])]
    if estimator is not None and estimator not in asked:
        raise InputError(
            f"--estimator is {estimator!r}; allowed: {', '.join(asked)}, which this study asked; choose one of them"
        )
    shown = estimator or asked[0]
    return sort_rows(frame, plan, shown, folder=folder.path, names=names, done=len(names & folder.done()), failed=failed)


def sort_rows(
    frame: pd.DataFrame,
    plan: Mapping[str, Any],
    estimator: str,
    *,
    folder: Path,
    names: set[str],
    done: int,
    failed: dict[str, str],
) -> Findings:
    """Sort the rows of a study table: those with a value for the estimator shown and for the others, and count the rest."""
    factors = find_factors(plan["study"]["axes"])
    rows = with_joint_columns(frame, factors)
    rows["sigma_mS_per_cm"] = rows["sigma_eff_S_per_m"].astype(float) * MS_PER_CM
    rows["percolates"] = rows["sigma_mS_per_cm"] > 0.0
    if "activation_energy_eV" not in rows.columns:
        rows["activation_energy_eV"] = np.nan
    rows["point"] = _point_numbers(rows, [factor.column for factor in factors])
    known = np.isfinite(rows["sigma_mS_per_cm"]) & (rows["outcome"] != str(Outcome.NOT_CONVERGED))
    mine = rows["estimator"] == estimator
    return Findings(
        folder, plan, len(names), done, failed, factors, rows[known & mine].reset_index(drop=True), estimator,
        int((mine & ~known).sum()), int((mine & known & (rows["outcome"] == str(Outcome.NOT_EQUILIBRATED))).sum()),
        rows[known & ~mine].reset_index(drop=True),
    )  # fmt: skip


def _point_numbers(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Return the number of the point of every row; replicas of a point share it."""
    if not columns:
        return pd.Series(0, index=rows.index)
    return rows.groupby(list(columns), sort=False, dropna=False).ngroup()
