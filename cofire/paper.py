"""What the published experiment says, and where it contradicts itself.

Xu et al., Small 2022, 10.1002/smll.202200266: LiFePO4/LATP co-fired at 775 degC for 2 h, impedance at 60 degC of a pellet
0.88 mm thick and 9.45 mm wide (cold-pressed: 0.92 mm, 10.15 mm).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SOURCE = "Xu et al., Small 2022, 10.1002/smll.202200266"


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes
    ----------
    value : float
        The number to compare with.
    low, high : float
        What it may be: its uncertainty, or the range that the text gives.
    unit : str
        Its unit.
    note : str
        What a reader must know about it.
    """

    value: float
    low: float
    high: float
    unit: str
    note: str = ""


def pellet_conductivity_mS_per_cm(resistance_ohm: float, thickness_mm: float, diameter_mm: float) -> float:
    """Return L / (R A) [mS/cm] of a round pellet."""
    area_cm2 = math.pi * (diameter_mm / 20.0) ** 2
    return 1000.0 * (thickness_mm / 10.0) / (resistance_ohm * area_cm2)


SIGMA_I = pellet_conductivity_mS_per_cm(126.9, 0.88, 9.45)
SIGMA_E = pellet_conductivity_mS_per_cm(17.1, 0.88, 9.45)

VALUES: dict[tuple[str, str, str], Published] = {
    ("sigma", "co-fired", "ion"): Published(
        0.99, 0.85, 1.15, "mS/cm", f"R_i = 126.9 ohm gives {SIGMA_I:.3f}; R_i is amplified 8.4-fold from the parallel sum"
    ),
    ("sigma", "co-fired", "electron"): Published(
        7.34, 7.28, 7.41, "mS/cm", "printed as 741 (EIS) and 728 (DC); see the contradiction below"
    ),
    ("ratio", "", "ion"): Published(1000.0, 10**2.5, 10**3.5, "", "'about three orders of magnitude', read from a figure"),
    ("ratio", "", "electron"): Published(1000.0, 10**2.5, 10**3.5, "", "'about three orders of magnitude', read from a figure"),
    ("activation_energy", "co-fired", "ion"): Published(
        0.29, 0.26, 0.32, "eV", "the text does not say ln(sigma) or ln(sigma T)"
    ),
    ("activation_energy", "co-fired", "electron"): Published(
        0.07, 0.04, 0.10, "eV", "the text does not say ln(sigma) or ln(sigma T)"
    ),
    ("relative_density", "cold-pressed", ""): Published(0.60, 0.55, 0.65, "", "'approx 60 %'"),
    ("relative_density", "co-fired", ""): Published(0.90, 0.87, 0.93, "", "'around 90 %'"),
    ("interphase_thickness", "co-fired", ""): Published(70.0, 40.0, 100.0, "nm", "from 40 to 100 nm in two line scans"),
    ("interphase_volume_fraction", "co-fired", ""): Published(
        0.14, 0.08, 0.20, "", "'8-20 vol%'; the excess of the Pbna phase (22.3 - 9.0 wt%) is 14.1 vol%"
    ),
    ("grain_diameter_LFP", "co-fired", ""): Published(1.0, 0.7, 1.5, "um", "about 1 um, doubled by firing"),
    ("grain_diameter_LATP", "co-fired", ""): Published(1.0, 0.7, 1.5, "um", "about 1 um"),
}

CONTRADICTIONS = (
    f"Electronic conductivity. The paper's own resistance and geometry (R_e = 17.1 ohm, 0.88 mm, 9.45 mm) give {SIGMA_E:.2f} mS/cm; "
    "the text prints 741 mS/cm (impedance) and 728 mS/cm (direct current). 741 mS/cm would need R_e = 0.17 ohm. A decimal point "
    "lost (7.41, 7.28) fits the geometry. We compare with 7.34 and print the other value here.",
    f"Ionic conductivity. R_i = 126.9 ohm gives {SIGMA_I:.3f} mS/cm, printed 0.99: consistent. But R_i is read as the difference of "
    "two close numbers, so an error of the first intercept is amplified 8.4-fold (0.99 +- 0.15), and 0.99 lies at the upper bound "
    "for a mixture with 46 vol% LATP unless LATP passes 2.74 mS/cm including its grain boundaries, or LFTAP conducts too; grain "
    "boundaries 'ten times the bulk', as the paper also says, and 0.99 cannot both hold.",
    "Activation energies. The text does not say whether ln(sigma) or ln(sigma T) was fitted; they differ by kT, 0.03 eV. We quote "
    "ln(sigma) and print both.",
    "Cold-pressed values are only in a figure: 'about three orders of magnitude' lower, with activation energies 'much higher'.",
)
