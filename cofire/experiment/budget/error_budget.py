"""The error budget: how far each source moves conductivities, ratios and activation energies, line by line, then the sum."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cofire.experiment.budget.error_lines import (
    Line,
    Quantity,
    boundary_line,
    box_line,
    hops_line,
    ranges_line,
    replicas_line,
    sum_line,
    target_line,
    tolerance_line,
    voxels_line,
)
from cofire.experiment.budget.error_variants import CONTACTS, budget_variants, contact_study, study_variants
from cofire.experiment.budget.parameter_error import CALIBRATED, NOT_FITTED, sample_ranges
from cofire.experiment.setting import Setting
from microstructures.materials import CARRIERS

__all__ = ["COLUMNS", "QUANTITIES", "budget_variants", "error_budget", "study_variants"]
COLUMNS = (
    "quantity", "process", "carrier", "source", "value", "unit", "standard_error", "shift", "low", "high", "in_sum", "note",
)  # fmt: skip
QUANTITIES: tuple[Quantity, ...] = tuple(
    [("sigma", process, carrier) for process in ("co-fired", "cold-pressed") for carrier in CARRIERS]
    + [("ratio", "", carrier) for carrier in CARRIERS]
    + [("activation_energy", process, carrier) for process in ("co-fired", "cold-pressed") for carrier in CARRIERS]
)


def error_budget(
    estimates: pd.DataFrame,
    rows: pd.DataFrame,
    study: pd.DataFrame,
    setting: Setting,
) -> pd.DataFrame:
    """Return the budget of every conductivity, ratio and activation energy of a comparison.

    Parameters
    ----------
    estimates : DataFrame
        That of the comparison: `process, seed, carrier, estimator, sigma_mS_per_cm, own_stderr_mS_per_cm`, of the solver also
        `activation_energy_eV`.
    rows : DataFrame
        Answers of `run_variants` to `budget_variants`.
    study : DataFrame
        Answers of `study_parameters` to `study_variants`; may be empty.
    setting : Setting
        The comparison.

    Returns
    -------
    DataFrame
        One row per quantity and source. `standard_error` and `shift` are relative for sigma and ratio, in eV for energies;
        `low, high` is the interval of 95 % about `value` in its `unit`; `shift` is what a finer voxel, a larger box or plates
        would add. `in_sum` says what enters the sum, the root of squares, of half-widths as of errors.

        * replicas: standard error of the mean over seeds, interval of Student's t; unknown from one seed, and so is the sum.
        * kinetic Monte Carlo: its own error and its difference to the solver; not of the solver's value, so not in the sum,
          and absent for activation energies, which the solver alone gives.
        * voxel size: `extrapolation`; f(0) - f(h) is error and shift.
        * box size: largest box against the run's, at coarse voxels; in the sum where it differs from 0.
        * boundary: plates against periodic, at coarse voxels; it vanishes with 1/L, hence a bound and not in the sum.
        * solver tolerance: absent for activation energies.
        * parameters, not fitted; calibrated parameters; contacts: `parameter_error`, at coarse voxels. Of what was fitted itself
          (sigma of the co-fired body) the calibrated line is the error of the target, and the others would be taken up by
          a new fit: not in the sum.
    """
    spreads = [*sample_ranges(study), *sample_ranges(contact_study(rows, setting))]
    out = []
    for quantity in QUANTITIES:
        value, unit, replicas = replicas_line(estimates, quantity)
        if not math.isfinite(value):
            continue
        fitted = target_line(quantity, setting.materials)
        lines = [
            replicas,
            hops_line(estimates, quantity),
            voxels_line(estimates, rows, quantity, setting),
            box_line(rows, quantity, setting),
            boundary_line(rows, quantity),
            tolerance_line(quantity),
            ranges_line(spreads, quantity, NOT_FITTED, "parameters, not fitted", in_sum=fitted is None),
            ranges_line(spreads, quantity, CALIBRATED, "calibrated parameters", in_sum=True) if fitted is None else fitted,
            ranges_line(spreads, quantity, CONTACTS, "contacts (coordination, adhesion)", in_sum=True),
        ]
        known = [line for line in lines if line is not None]
        out += [_row(quantity, value, unit, line) for line in [*known, sum_line(known)]]
    return pd.DataFrame(out, columns=list(COLUMNS))


def _row(quantity: Quantity, value: float, unit: str, line: Line) -> dict[str, Any]:
    if quantity[0] == "activation_energy":
        low, high = value - line.below, value + line.above
    else:
        low, high = value * _exp(-line.below), value * _exp(line.above)
    return dict(
        zip(
            COLUMNS,
            (*quantity, line.source, value, unit, line.error, line.shift, low, high, line.in_sum, line.note),
            strict=True,
        )
    )


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0))
