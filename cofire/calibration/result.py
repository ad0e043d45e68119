"""What a calibration found: three parameters, what they answer, and what is known of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire.paper import VALUES
from cofire.statistics import student_95
from cofire.version import __version__
from microstructures.materials import Materials

TEMPERATURE_C = 60.0
NORMAL_95 = 1.959964
NAMES = ("LATP|LATP resistance", "carbon sheet conductance", "LATP|LATP activation energy")


@dataclass(frozen=True)
class Target:
    """One measured number; `error` is read as its standard deviation."""

    name: str
    value: float
    error: float
    unit: str


def _published(name: str, quantity: str, carrier: str, error: float | None = None) -> Target:
    known = VALUES[(quantity, "co-fired", carrier)]
    return Target(name, known.value, (known.high - known.low) / 2.0 if error is None else error, known.unit)


TARGETS = (
    _published("sigma_i", "sigma", "ion"),
    _published("sigma_e", "sigma", "electron", 0.4),
    _published("Ea(i)", "activation_energy", "ion"),
)
"""Of the co-fired body at 60 degC. The error of sigma_e is wider than the scatter of its printed values (7.28 to 7.41)."""


@dataclass(frozen=True)
class Fitted:
    """One fitted parameter.

    Attributes
    ----------
    value, start : float
        What fits, and what the materials said before, at their reference temperature.
    low, high : float
        Interval of 95 %; infinite or 0 where the experiment sets no bound.
    error_from_targets, error_from_replicas : float or None
        Both parts of its standard error, relative (of an energy in eV); None for a single replica.
    target : str
        The measured number it answers.
    note : str
        What a reader of the interval must know.
    """

    name: str
    value: float
    low: float
    high: float
    start: float
    unit: str
    target: str
    error_from_targets: float
    error_from_replicas: float | None
    note: str = ""


@dataclass(frozen=True)
class CalibrationResult:
    """Three fitted parameters with their intervals and correlations, and the materials that hold them.

    Attributes
    ----------
    parameters : tuple of Fitted
        Resistance, sheet conductance, activation energy.
    targets : tuple of Target
        What was fitted to.
    reached : dict
        What the fitted materials give, mean over replicas and axes; same names and units as the targets.
    correlation : ndarray of shape (3, 3)
        Of the parameters in ln R, ln G, E.
    jacobian : ndarray of shape (3, 3)
        Derivatives of the targets [mS/cm, mS/cm, eV] with respect to ln R, ln G, E.
    largest_sigma_i_mS_per_cm : float
        What the bodies conduct without any LATP|LATP resistance.
    interval : "targets and replicas" or "targets only"
        What the intervals hold; a single replica tells nothing about the others.
    iterations : dict
        Steps of each carrier.
    materials : Materials
        The materials with the three numbers replaced.
    provenance : dict
        The record of the run; see `cofire.provenance.record`.
    """

    parameters: tuple[Fitted, ...]
    targets: tuple[Target, ...]
    reached: dict[str, float]
    correlation: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    largest_sigma_i_mS_per_cm: float
    interval: str
    iterations: dict[str, int]
    seeds: tuple[int, ...]
    size_um: float
    voxel_nm: float
    seconds: float
    materials: Materials = field(repr=False)
    provenance: dict[str, Any] = field(repr=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, without the materials."""
        named = {a: dict(zip(NAMES, row, strict=True)) for a, row in zip(NAMES, self.correlation.tolist(), strict=True)}
        return {
            "parameters": [vars(entry) for entry in self.parameters],
            "targets": [{**vars(entry), "reached": self.reached[entry.name]} for entry in self.targets],
            "correlation": named,
            "jacobian": self.jacobian.tolist(),
            "interval": self.interval,
            "largest_sigma_i_mS_per_cm": self.largest_sigma_i_mS_per_cm,
            "iterations": self.iterations,
            "temperature_C": TEMPERATURE_C,
            "seeds": list(self.seeds),
            "size_um": self.size_um,
            "voxel_nm": self.voxel_nm,
            "version": __version__,
            "seconds": self.seconds,
            "provenance": self.provenance,
        }

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        rows = "".join(
            f"<tr><td>{escape(p.name)}</td><td>{p.value:.4g} {p.unit}</td><td>{p.low:.3g} to {p.high:.3g}</td>"
            f"<td>{p.start:.4g}</td><td>{p.target}</td></tr>"
            for p in self.parameters
        )
        return (
            f"<b>calibrated on {len(self.seeds)} replicas; intervals from {self.interval}</b><table><tr><th>parameter</th>"
            f"<th>value</th><th>95 %</th><th>start</th><th>target</th></tr>{rows}</table>"
        )


def covariance(jacobian: NDArray[np.float64], of_targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return J^-1 C J^-T: the covariance of the parameters from that of the targets.

    Examples
    --------
    >>> covariance(np.diag([2.0, 1.0]), np.eye(2)).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    inverse = np.linalg.inv(jacobian)
    return np.asarray(inverse @ of_targets @ inverse.T)


def interval_half_width(variance_targets: float, variance_replicas: float | None, replicas: int) -> float:
    """Return half of an interval of 95 %: normal for the targets, Student's t with n - 1 for the replicas.

    Examples
    --------
    >>> round(interval_half_width(1.0, None, 1), 3), round(interval_half_width(0.0, 1.0, 2), 2)
    (1.96, 12.71)
    """
    own = 0.0 if variance_replicas is None else student_95(replicas) ** 2 * variance_replicas
    return math.sqrt(NORMAL_95**2 * variance_targets + own)
