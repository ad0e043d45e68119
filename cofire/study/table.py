"""The one table of a study: a row for each case, carrier and estimator, made from the folders of finished cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cofire.store import write_table
from cofire.study.folder import StudyFolder

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("case", "process", "seed", "replica")
MEASURES = ("voxels", "grains", "relative_density", "porosity_open", "porosity_closed")
SHELL = ("thickness_nm_mean", "thickness_nm_p05", "thickness_nm_p95", "coverage")


def rows_of(entry: Mapping[str, Any], result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of one case.

    Parameters
    ----------
    entry : mapping
        Its place in the plan: `name`, `point`, `replica`.
    result : mapping
        What is stored of it.
    """
    found, given = result["structure"], result["input"]
    shape = found["shape"]
    common = {
        "case": entry["name"],
        "process": given["cell"].get("process", "image"),
        "seed": given["seed"],
        "replica": given["replica"],
        **{key: value if isinstance(value, int | float | str) else str(value) for key, value in entry["point"].items()},
        "temperature_C": given["run"]["temperature_C"],
    }
    measured = {
        "voxels": shape[0] * shape[1] * shape[2],
        "grains": found["grains"],
        "relative_density": found["relative_density"],
        "porosity_open": found["porosity"]["open"],
        "porosity_closed": found["porosity"]["closed"],
        **{f"volume_fraction_{name}": share for name, share in found["volume_fraction"].items()},
        **{f"interphase_{key}": (found["interphase"] or {}).get(key) for key in SHELL},
    }
    return [{**common, **row, **measured} for row in result["rows"]]


class Table:
    """The rows of all finished cases of a plan, in the order of the plan; they stay in memory while a study runs."""

    def __init__(self, folder: StudyFolder) -> None:
        """Read what is finished."""
        self._folder = folder
        self._rows: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self.entries: Sequence[Mapping[str, Any]] = folder.plan["cases"]
        self.refresh(folder.done())

    def refresh(self, done: set[str]) -> None:
        """Add the cases that have been finished."""
        for index, entry in enumerate(self.entries):
            key = (entry["name"], index)
            if entry["name"] in done and key not in self._rows:
                self._rows[key] = rows_of(entry, self._folder.load_case(entry["name"]))

    def frame(self) -> pd.DataFrame:
        """Return the table."""
        import pandas as pd

        keys = ((entry["name"], index) for index, entry in enumerate(self.entries))
        return pd.DataFrame([row for key in keys for row in self._rows.get(key, ())])

    def write(self) -> None:
        """Write the table as CSV and Parquet; none while no case is finished."""
        frame = self.frame()
        if len(frame):
            write_table(self._folder.table, frame)


def read_study(folder: str | Path) -> pd.DataFrame:
    """Return the table of a study folder, from its finished cases, whether or not the study still runs.

    Parameters
    ----------
    folder : path
        What `cofire sweep` wrote.

    Returns
    -------
    DataFrame
        Columns `case`, `process`, `seed`, `replica`, every dotted key that is varied, `temperature_C`, `carrier`, `estimator`,
        `sigma_eff_S_per_m` (mean over axes) with `sigma_eff_stderr_S_per_m`, `sigma_eff_x_S_per_m` ..., `outcome`, what else the
        estimator found, and what was measured of the structure.

    Raises
    ------
    InputError
        If the folder holds no study.
    """
    return Table(StudyFolder(Path(folder).expanduser())).frame()
