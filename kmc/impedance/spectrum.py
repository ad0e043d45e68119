"""The admittance of a structure over frequencies: the public face of the complex solver.

Ions and electrons are two rails that meet at the plates alone. The ionic rail carries the displacement current, so that it
is counted once; the electronic rail conducts as at direct current. Plates are reversible, or block ions: then a double layer
stands in series with the ionic rail at each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES, BOUNDARIES, Boundary, axes_of
from kmc.impedance.sweep import Sweep
from kmc.impedance.system import System
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError, did_you_mean
from microstructures.materials import Carrier, Materials
from microstructures.notebook import InNotebook
from microstructures.structure import VoxelStructure

Plates = Literal["reversible", "blocking"]
PLATES: tuple[Plates, Plates] = ("reversible", "blocking")
RAILS: dict[str, tuple[Carrier, ...]] = {"ion": ("ion",), "electron": ("electron",), "both": ("ion", "electron")}
DOUBLE_LAYER_F_PER_M2 = 3.42e-3
"""Capacitance of each ion-blocking plate: twice the 1.2e-7 F of both in series over the 70.1 mm2 of the pellet of Xu et al.,
Small 2022, 10.1002/smll.202200266. Polished metal on a polished solid has some 0.1 F/m2."""

Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class AdmittanceSpectrum(InNotebook):
    """What a structure conducts at every frequency; `to_dict` gives plain values.

    Attributes
    ----------
    frequencies_Hz : ndarray of shape (n,)
        Rising.
    conductivity_S_per_m : ndarray of shape (n,), complex
        Admittance times length over area [S/m], of both rails together for carrier "both".
    rails_S_per_m : dict of carrier to ndarray of shape (n,), complex
        The same of each rail [S/m].
    length_m : float
        Length of the block along the axis [m].
    iterations : tuple of int
        Steps of the solver at each frequency, of all rails; 0 where the solutions of other frequencies, or planes in series,
        were enough.
    outcomes : tuple of Outcome
        How each frequency ended.
    seconds : float
        Time it took.
    """

    frequencies_Hz: NDArray[np.float64]
    conductivity_S_per_m: Complex
    rails_S_per_m: dict[str, Complex]
    length_m: float
    carrier: str
    temperature_C: float
    axis: str
    boundary: Boundary
    plates: Plates
    double_layer_F_per_m2: float
    tolerance: float
    iterations: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome of all frequencies."""
        order = (Outcome.NOT_CONVERGED, Outcome.NOT_PERCOLATING, Outcome.CONVERGED)
        return next(outcome for outcome in order if outcome in self.outcomes)

    @property
    def z_ohm_m2(self) -> Complex:
        """Return the impedance times the cross section [ohm m^2]; infinite where nothing conducts."""
        out = np.full(self.conductivity_S_per_m.shape, np.inf + 0j)
        return np.divide(self.length_m, self.conductivity_S_per_m, out=out, where=self.conductivity_S_per_m != 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the spectrum as plain values; an infinite impedance is null."""
        z = [complex(value) if np.isfinite(value) else None for value in self.z_ohm_m2]
        return {
            "carrier": self.carrier,
            "temperature_C": self.temperature_C,
            "axis": self.axis,
            "boundary": self.boundary,
            "plates": self.plates,
            "double_layer_F_per_m2": self.double_layer_F_per_m2,
            "frequency_Hz": self.frequencies_Hz.tolist(),
            "conductivity_real_S_per_m": self.conductivity_S_per_m.real.tolist(),
            "conductivity_imag_S_per_m": self.conductivity_S_per_m.imag.tolist(),
            "z_real_ohm_m2": [None if value is None else value.real for value in z],
            "z_imag_ohm_m2": [None if value is None else value.imag for value in z],
            "length_m": self.length_m,
            "tolerance": self.tolerance,
            "iterations": list(self.iterations),
            "outcome": str(self.outcome),
            "outcomes": [str(outcome) for outcome in self.outcomes],
            "advice": self.outcome.advice,
            "seconds": self.seconds,
        }


def admittance_spectrum(
    structure: VoxelStructure | Network,
    materials: Materials | str | None = None,
    *,
    frequencies_Hz: Sequence[float] | NDArray[np.float64],
    carrier: str = "ion",
    temperature_C: float | None = None,
    axis: str = "x",
    boundary: str = "plates",
    plates: str = "reversible",
    double_layer_F_per_m2: float = DOUBLE_LAYER_F_PER_M2,
    tolerance: float = 1e-4,
    max_iterations: int = 500,
    progress: Callable[[str], Any] | None = None,
) -> AdmittanceSpectrum:
    """Compute the complex conductivity of a structure at every frequency by balancing the currents of every voxel.

    Parameters
    ----------
    structure : VoxelStructure or Network
        What conducts; of a Network its faces, materials and temperature are used.
    materials, temperature_C
        See `kmc.network.build_network`.
    frequencies_Hz : sequence of float
        Rising frequencies [Hz].
    carrier : "ion", "electron" or "both"
        What moves; displacement goes with the ions.
    axis : "x", "y" or "z"
        Direction of transport.
    boundary : "plates" or "periodic"
        Plates on the outer faces with closed sides, or a periodic medium.
    plates : "reversible" or "blocking"
        Whether ions pass the plates or charge a double layer there.
    double_layer_F_per_m2 : float
        Capacitance of each blocking plate [F/m^2].
    tolerance : float
        Largest relative difference between inflow, outflow and x . A x.
    max_iterations : int
        Give up a frequency after so many.
    progress : callable, optional
        Called with a short text now and then.

    Returns
    -------
    AdmittanceSpectrum

    Raises
    ------
    InputError
        If an option is not one of those allowed, or smooth insulators are asked for, which displacement passes.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> found = admittance_spectrum(block, frequencies_Hz=[1e9])
    >>> found.conductivity_S_per_m.round(6).tolist()  # 0.9 S/m and 2 pi 1e9 Hz times 15 e_0
    [(0.9+0.834488j)]
    """
    start = time.perf_counter()
    frequencies = _checked_frequencies(frequencies_Hz)
    number = _checked_options(carrier, axis, boundary, plates, double_layer_F_per_m2, tolerance, max_iterations)
    used: Boundary = "periodic" if boundary == "periodic" else "plates"
    blocking = plates == "blocking"
    if isinstance(structure, Network):
        first = structure
    else:
        first = build_network(structure, materials, carrier=RAILS[carrier][0], temperature_C=temperature_C)
    if first.faces.smooth_insulators:
        raise InputError("an impedance takes insulators as they are; build the network without smooth_insulators")
    rails, length = {}, 0.0
    for mine in RAILS[carrier]:
        network = Network(first.faces, first.materials, mine, first.temperature_C)
        ions = mine == "ion"
        system = System(
            network, number, periodic=used == "periodic", displacement=ions,
            double_layer_F_per_m2=double_layer_F_per_m2 if ions and blocking else 0.0,
        )  # fmt: skip
        length = system.length_m
        rails[mine] = Sweep(system, frequencies, tolerance, max_iterations).run(progress)
    sigma: dict[str, Complex] = {name: np.array([solved.sigma for solved in rail]) for name, rail in rails.items()}
    together = list(zip(*rails.values(), strict=True))
    return AdmittanceSpectrum(
        frequencies_Hz=frequencies,
        conductivity_S_per_m=np.sum(list(sigma.values()), axis=0),
        rails_S_per_m=sigma,
        length_m=length,
        carrier=carrier,
        temperature_C=first.temperature_C,
        axis=AXES[number],
        boundary=used,
        plates="blocking" if blocking else "reversible",
        double_layer_F_per_m2=double_layer_F_per_m2 if blocking else 0.0,
        tolerance=tolerance,
        iterations=tuple(sum(solved.iterations for solved in at) for at in together),
        outcomes=tuple(_outcome_of([solved.outcome for solved in at]) for at in together),
        seconds=time.perf_counter() - start,
    )


def _outcome_of(rails: list[Outcome]) -> Outcome:
    """Return the outcome of rails side by side: the block conducts if one of them does."""
    if Outcome.NOT_CONVERGED in rails:
        return Outcome.NOT_CONVERGED
    return Outcome.CONVERGED if Outcome.CONVERGED in rails else Outcome.NOT_PERCOLATING


def _checked_frequencies(frequencies_Hz: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    frequencies = np.asarray(frequencies_Hz, dtype=np.float64)
    if frequencies.ndim != 1 or not len(frequencies):
        raise InputError(f"frequencies_Hz has shape {frequencies.shape}; give a list of at least one frequency")
    for value in frequencies.tolist():
        if not 0.0 < value < np.inf:
            raise InputError(f"a frequency is {value:g} Hz; allowed: above 0 and finite (for direct current: kmc.conduct)")
    for before, value in zip(frequencies[:-1].tolist(), frequencies[1:].tolist(), strict=True):
        if value <= before:
            raise InputError(f"frequencies must rise, and {value:g} Hz follows {before:g} Hz; sort them and give each once")
    return frequencies


def _checked_options(
    carrier: str, axis: str, boundary: str, plates: str, double_layer: float, tolerance: float, max_iterations: int
) -> int:
    """Return the number of the axis if all options are allowed."""
    for name, value, allowed in (("carrier", carrier, RAILS), ("boundary", boundary, BOUNDARIES), ("plates", plates, PLATES)):
        if value not in allowed:
            raise InputError(f"{name} is '{value}'{did_you_mean(value, allowed)}")
    numbers = axes_of(axis)
    if len(numbers) > 1:
        raise InputError("an impedance is measured along one axis; allowed: x, y, z")
    if plates == "blocking" and boundary == "periodic":
        raise InputError("a periodic medium has no plates that could block; use boundary 'plates'")
    if not 0.0 < double_layer < np.inf:
        raise InputError(f"double_layer_F_per_m2 is {double_layer}; allowed: above 0 and finite")
    if not 1e-13 <= tolerance < 1.0:
        raise InputError(f"tolerance is {tolerance}; allowed: 1e-13 to below 1")
    if max_iterations < 1:
        raise InputError(f"max_iterations is {max_iterations}; allowed: 1 or more")
    return numbers[0]
