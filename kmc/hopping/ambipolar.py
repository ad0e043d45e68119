"""Ions and electrons together: how fast neutral material diffuses through a mixed conductor.

Charges of both kinds drag each other along, so that the slower decides. For carriers that do not interact otherwise the
chemical diffusivity is (kT/q^2) s_i s_e / (s_i + s_e) (1/c_i + 1/c_e) (Wagner 1930; Maier 2004, Physical Chemistry of Ionic
Materials, section 6.4), s the effective conductivities and c the mean carrier densities of the block.
"""

from __future__ import annotations

import numpy as np

from kmc.hopping.result import HopResult
from kmc.rates import mobility_factor
from microstructures.errors import InputError


def ambipolar_diffusivity_m2_per_s(ions: HopResult, electrons: HopResult) -> tuple[dict[str, float], dict[str, float]]:
    """Return the ambipolar diffusivity along each axis and its standard error [m^2/s].

    Parameters
    ----------
    ions, electrons : HopResult
        Of one structure at one temperature.

    Raises
    ------
    InputError
        If the results are not of an ion and an electron at one temperature.
    """
    if (ions.carrier, electrons.carrier) != ("ion", "electron") or ions.temperature_C != electrons.temperature_C:
        got = ", ".join(f"{found.carrier} at {found.temperature_C:g} degC" for found in (ions, electrons))
        raise InputError(f"ambipolar diffusion needs an ion and an electron at one temperature, got {got}")
    if ions.carrier_density_per_m3 == 0.0 or electrons.carrier_density_per_m3 == 0.0:
        return dict.fromkeys("xyz", 0.0), dict.fromkeys("xyz", 0.0)
    factor = mobility_factor(ions.temperature_C) * (1.0 / ions.carrier_density_per_m3 + 1.0 / electrons.carrier_density_per_m3)
    value, error = {}, {}
    for axis in "xyz":
        s, e = ions.sigma_eff_S_per_m[axis], electrons.sigma_eff_S_per_m[axis]
        ds, de = ions.sigma_eff_stderr_S_per_m[axis], electrons.sigma_eff_stderr_S_per_m[axis]
        both = s + e
        value[axis] = factor * s * e / both if both > 0.0 else 0.0
        error[axis] = factor * float(np.hypot(ds * e**2, de * s**2)) / both**2 if both > 0.0 else 0.0
    return value, error
