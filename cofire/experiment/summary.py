"""From cases to the table: means over replicas, their standard errors, and the published values beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofire.experiment.case import Case
from cofire.experiment.comparison import Comparison
from cofire.experiment.reporting.latex_table import to_latex
from cofire.paper import VALUES
from cofire.store import write_table, write_text
from kmc.arrhenius import fit_arrhenius

COLUMNS = (
    "quantity", "process", "carrier", "estimator", "value", "standard_error", "unit", "replicas",
    "published", "published_low", "published_high", "note",
)  # fmt: skip


def gather_estimates(results: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the estimates of all cases: one row per process, seed, carrier and estimator."""
    return pd.DataFrame([row for result in results for row in result["rows"]])


def summarise(folder: Path, cases: Sequence[Case], results: Sequence[dict[str, Any]], run: dict[str, Any]) -> Comparison:
    """Gather the results of all cases."""
    estimates = gather_estimates(results)
    arrhenius = pd.DataFrame([row for result in results for row in result["arrhenius"]])
    structures = [{"process": case.process, **result["structure"]} for case, result in zip(cases, results, strict=True)]
    rows = [*_structure_rows(structures), *_sigma_rows(estimates), *_ratio_rows(estimates)]
    rows += [*_energy_rows(estimates), *_fit_rows(arrhenius)]
    return Comparison(folder, pd.DataFrame(rows, columns=list(COLUMNS)), estimates, arrhenius, structures, run)


def write_tables(comparison: Comparison) -> None:
    """Write every table as CSV and Parquet, the main one as LaTeX too."""
    folder = comparison.folder
    write_table(folder / "table", comparison.table)
    write_text(folder / "table.tex", to_latex(comparison.table))
    write_table(folder / "estimates", comparison.estimates)
    if not comparison.arrhenius.empty:
        write_table(folder / "arrhenius", comparison.arrhenius)
    if comparison.explanation is not None:
        for name, table in comparison.explanation.tables().items():
            write_table(folder / name, table)


def _row(
    quantity: str, process: str, carrier: str, estimator: str, values: Sequence[float], unit: str, note: str = ""
) -> dict[str, Any]:
    """Return the mean of replicas with its standard error; no error is made up from one replica."""
    known = np.array([value for value in values if np.isfinite(value)])
    published = VALUES.get((quantity, process, carrier))
    lost = len(values) - len(known)
    return {
        "quantity": quantity,
        "process": process,
        "carrier": carrier,
        "estimator": estimator,
        "value": float(known.mean()) if len(known) else float("nan"),
        "standard_error": float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan"),
        "unit": unit,
        "replicas": len(known),
        "published": published.value if published else float("nan"),
        "published_low": published.low if published else float("nan"),
        "published_high": published.high if published else float("nan"),
        "note": "; ".join(text for text in (note, f"{lost} replicas without a value" if lost else "") if text),
    }


def _structure_rows(structures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for process in dict.fromkeys(entry["process"] for entry in structures):
        mine = [entry for entry in structures if entry["process"] == process]
        rows.append(_row("relative_density", process, "", "structure", [e["relative_density"] for e in mine], ""))
        for phase in mine[0]["volume_fraction"]:
            fractions = [e["volume_fraction"].get(phase, 0.0) for e in mine]
            rows.append(_row(f"volume_fraction_{phase}", process, "", "structure", fractions, ""))
        for phase in mine[0]["grain_diameter_um"]:
            sizes = [e["grain_diameter_um"].get(phase, {}).get("mean", float("nan")) for e in mine]
            rows.append(_row(f"grain_diameter_{phase}", process, "", "structure", sizes, "um"))
        if "contacts" in mine[0]:
            rows.append(_row("coordination", process, "", "structure", [e["contacts"]["coordination"] for e in mine], ""))
            radii = [e["contacts"]["radius_nm_mean"] for e in mine]
            rows.append(_row("contact_radius", process, "", "structure", radii, "nm", "JKR at zero load"))
        if mine[0]["interphase"]:
            for key, name, unit in (
                ("thickness_nm_mean", "interphase_thickness", "nm"),
                ("thickness_nm_p05", "interphase_thickness_p05", "nm"),
                ("thickness_nm_p95", "interphase_thickness_p95", "nm"),
                ("volume_fraction", "interphase_volume_fraction", ""),
                ("coverage", "interphase_coverage", ""),
            ):
                across = min(e["interphase"]["voxels_across"] for e in mine)
                resolved = all(e["interphase"]["representation"] == "resolved" for e in mine)
                thin = f"{across:.1f} voxels across; below 3 its conductance is some 5 % low or more"
                thin = thin if resolved and across < 3.0 else ""
                values = [e["interphase"][key] for e in mine]
                rows.append(_row(name, process, "", "structure", values, unit, thin if key == "thickness_nm_mean" else ""))
    return rows


def _sigma_rows(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for (process, carrier, estimator), part in estimates.groupby(["process", "carrier", "estimator"], sort=False):
        own = float(np.sqrt((part["own_stderr_mS_per_cm"] ** 2).sum()) / len(part))
        note = (
            "from below: explains, never above the solver"
            if estimator == "graph"
            else f"own error {own:.2g}"
            if own > 0.0
            else ""
        )
        counts = part["outcome"].value_counts()
        note += _others(estimates, part)
        note += "".join(f"; {n} of {len(part)} {outcome}" for outcome, n in counts.items() if outcome != "converged")
        if "not-equilibrated" in counts:
            note += " (an upper bound)"
        row = _row(
            "sigma", str(process), str(carrier), str(estimator), part["sigma_mS_per_cm"].tolist(), "mS/cm", note.lstrip("; ")
        )
        if not np.isfinite(row["standard_error"]) and own > 0.0:
            row["standard_error"] = own
        rows.append(row)
    return rows


def _others(estimates: pd.DataFrame, part: pd.DataFrame) -> str:
    """Return what the solver says of the same seeds, where an estimator was asked about some of them only."""
    solved = estimates[(estimates["estimator"] == "solver") & (estimates["carrier"] == part["carrier"].iloc[0])]
    solved = solved[solved["process"] == part["process"].iloc[0]]
    same = solved[solved["seed"].isin(part["seed"])]
    if len(part) == len(solved) or same.empty:
        return ""
    seeds = ", ".join(str(seed) for seed in part["seed"])
    return f"; of seed {seeds}, where the solver has {same['sigma_mS_per_cm'].mean():.4g}"


def _ratio_rows(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    """Return fired over pressed, pair by pair: geometric mean, with the error of the logarithm times the mean."""
    rows = []
    for (carrier, estimator), part in estimates.groupby(["carrier", "estimator"], sort=False):
        wide = part.pivot(index="seed", columns="process", values="sigma_mS_per_cm")
        both = wide[(wide > 0.0).all(axis=1)]
        logs = np.log(both["co-fired"].to_numpy() / both["cold-pressed"].to_numpy())
        row = _row("ratio", "", str(carrier), str(estimator), [], "", "geometric mean over pairs")
        row["replicas"] = len(logs)
        if len(wide) < estimates["seed"].nunique():
            row["note"] += f"; of seed {', '.join(str(seed) for seed in wide.index)}"
        if len(logs):
            row["value"] = float(np.exp(logs.mean()))
        if len(logs) > 1:
            row["standard_error"] = float(row["value"] * logs.std(ddof=1) / np.sqrt(len(logs)))
        if (part["outcome"] == "not-equilibrated").any():
            row["note"] += "; of upper bounds"
        if len(logs) < len(wide):
            row["note"] += f"; {len(wide) - len(logs)} of {len(wide)} pairs without a path are left out"
        rows.append(row)
    return rows


def _energy_rows(estimates: pd.DataFrame) -> list[dict[str, Any]]:
    solved = estimates[estimates["estimator"] == "solver"]
    if "activation_energy_eV" not in solved:
        return []
    return [
        _row(
            "activation_energy", str(process), str(carrier), "solver", part["activation_energy_eV"].tolist(), "eV",
            "of ln(sigma), exact at the temperature of the comparison",
        )
        for (process, carrier), part in solved.groupby(["process", "carrier"], sort=False)
    ]  # fmt: skip


def _fit_rows(arrhenius: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    if arrhenius.empty:
        return rows
    for (process, carrier), part in arrhenius.groupby(["process", "carrier"], sort=False):
        sigma = part["sigma_mS_per_cm"].to_numpy()
        if len(sigma) < 2 or not (sigma > 0.0).all():
            continue
        fit = fit_arrhenius(part["temperature_C"].tolist(), (sigma / 10.0).tolist())
        span = (
            f"{part['temperature_C'].min():g} to {part['temperature_C'].max():g} degC, first seed, along {part['axis'].iloc[0]}"
        )
        for name, value, error in (
            ("ln sigma", fit.activation_energy_eV, fit.activation_energy_stderr_eV),
            ("ln sigma T", fit.activation_energy_sigma_T_eV, fit.activation_energy_sigma_T_stderr_eV),
        ):
            note = f"{span}; error of the straight line" if np.isfinite(error) else span
            row = _row(f"activation_energy_fit ({name})", str(process), str(carrier), "solver", [value], "eV", note)
            rows.append({**row, "standard_error": error})
    return rows
