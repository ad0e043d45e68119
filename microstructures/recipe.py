"""The recipe of a cathode: powders, pressing, firing. A TOML file of the same form overrides single values.

Defaults describe the LiFePO4/LATP cathode of Xu et al., Small 2022, 10.1002/smll.202200266: loadings 11.5 and 9.7 mg/cm2
(54.2 : 45.8 by mass), 60 % dense pressed at 500 MPa, 90 % dense fired at 775 degC for 2 h, LFP of about 0.5 um whose grains
double while fired, both phases of about 1 um then, an interdiffusion zone of 40 to 100 nm. The size of the LATP powder is not
given; it is taken to be that of LFP, which also gives about as much interphase as diffraction found (14 % of the solid).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from microstructures.errors import InputError
from microstructures.toml_file import read_toml
from microstructures.units import BOLTZMANN_EV_PER_K, kelvin
from microstructures.wrong_value import wrong_value

REST = "rest"
Fraction = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Carbon(_Table):
    """The carbon film on a powder: thickness, and share of the surface that it covers in small patches."""

    thickness_nm: Annotated[float, Field(gt=0.0, le=100.0)] = 4.0
    coverage: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0


class Agglomerates(_Table):
    """Clumps in which a share of the powder starts: spheres as dense as the pressed body."""

    diameter_nm: Annotated[float, Field(gt=0.0, le=1e6)]
    share: Fraction = 1.0


class Powder(_Table):
    """One powder: lognormal in diameter, by number."""

    label: Annotated[int, Field(ge=1, le=255)]
    density_g_per_cm3: Positive
    mass_fraction: Fraction
    median_diameter_nm: Annotated[float, Field(ge=10.0, le=1e5)] = 1000.0
    log_spread: Annotated[float, Field(ge=0.0, le=1.0)] = 0.15
    agglomerates: Agglomerates | None = None
    carbon: Carbon | None = None

    @property
    def mean_volume_nm3(self) -> float:
        """Return the mean volume [nm^3] of a particle of the lognormal."""
        return math.pi / 6.0 * self.median_diameter_nm**3 * math.exp(4.5 * self.log_spread**2)


class Press(_Table):
    """Cold pressing: density, number of contacts, and what closes them.

    Contact radii are those of JKR adhesion (Johnson, Kendall, Roberts 1971) under `contact_pressure_MPa`, the pressure
    on the body while its conductivity is measured: 0 once the press is open. Two neighbours touch if their gap is among the
    smallest such that the mean coordination number is reached.
    """

    relative_density: Annotated[float, Field(gt=0.05, le=1.0)] = 0.60
    coordination: Annotated[float, Field(gt=0.0, le=12.0)] = 6.0
    contact_pressure_MPa: Annotated[float, Field(ge=0.0, le=10_000.0)] = 0.0
    work_of_adhesion_J_per_m2: Annotated[float, Field(gt=0.0, le=10.0)] = 0.3
    youngs_modulus_GPa: Annotated[float, Field(gt=0.0, le=1000.0)] = 115.0
    poisson_ratio: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.25


class InterphaseRecipe(_Table):
    """The reaction layer: which phase grows where two meet, out of which of them, how thick.

    The percentiles hold for the reference firing; another one scales them by sqrt(D(T) t), D Arrhenius. The layer is the
    zone between 10 and 90 % of an interdiffusion profile, 3.62 sqrt(D t) wide.
    """

    donor: str = "LFP"
    host: str = "LATP"
    product: str = "LFTAP"
    label: Annotated[int, Field(ge=1, le=255)] = 3
    thickness_p05_nm: Annotated[float, Field(gt=0.0, le=1e4)] = 40.0
    thickness_p95_nm: Annotated[float, Field(gt=0.0, le=1e4)] = 100.0
    reference_temperature_C: Annotated[float, Field(gt=0.0, le=2000.0)] = 775.0
    reference_hours: Annotated[float, Field(gt=0.0, le=1e4)] = 2.0
    diffusion_barrier_eV: Annotated[float, Field(ge=0.0, le=10.0)] = 2.5
    donor_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.25
    coverage: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75
    representation: Literal["auto", "resolved", "thin"] = "auto"
    composition: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.thickness_p95_nm < self.thickness_p05_nm:
            raise ValueError("thickness_p95_nm is below thickness_p05_nm; swap them")
        return self

    @property
    def median_nm(self) -> float:
        """Return the median of the lognormal thickness [nm] after the reference firing."""
        return math.sqrt(self.thickness_p05_nm * self.thickness_p95_nm)

    @property
    def log_spread(self) -> float:
        """Return the standard deviation of ln(thickness); 1.645 of it lie between the median and either percentile."""
        return math.log(self.thickness_p95_nm / self.thickness_p05_nm) / (2.0 * 1.6448536269514722)

    def growth(self, temperature_C: float, hours: float) -> float:
        """Return how many times thicker the layer is than after the reference firing."""
        cooler = 1.0 / kelvin(temperature_C) - 1.0 / kelvin(self.reference_temperature_C)
        faster = math.exp(-self.diffusion_barrier_eV / BOLTZMANN_EV_PER_K * cooler)
        return math.sqrt(faster * hours / self.reference_hours)


class Fire(_Table):
    """Firing: temperature and time, density, growth of grains, and the interphase.

    `grain_growth` is the factor by which the mean diameter of a phase's grains grows (in volume: its cube).
    """

    relative_density: Annotated[float, Field(gt=0.3, le=1.0)] = 0.90
    temperature_C: Annotated[float, Field(gt=0.0, le=2000.0)] = 775.0
    hours: Annotated[float, Field(gt=0.0, le=1e4)] = 2.0
    grain_growth: dict[str, Annotated[float, Field(ge=1.0, le=20.0)]] = Field(default_factory=lambda: {"LFP": 2.0, "LATP": 2.0})
    pore_rounding_nm: Annotated[float, Field(ge=0.0, le=1e4)] = 20.0
    interphase: InterphaseRecipe | None = Field(default_factory=InterphaseRecipe)


def _powders() -> dict[str, Powder]:
    return {
        "LFP": Powder(label=1, density_g_per_cm3=3.598, mass_fraction=0.5425, median_diameter_nm=500.0, carbon=Carbon()),
        "LATP": Powder(label=2, density_g_per_cm3=2.92, mass_fraction=0.4575, median_diameter_nm=500.0),
    }


class Recipe(_Table):
    """A whole recipe."""

    powders: dict[str, Powder] = Field(default_factory=_powders)
    press: Press = Field(default_factory=Press)
    fire: Fire = Field(default_factory=Fire)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        total = sum(powder.mass_fraction for powder in self.powders.values())
        if not self.powders or abs(total - 1.0) > 1e-6:
            raise ValueError(f"the mass fractions of the powders sum to {total:g}; allowed: 1; correct them")
        labels = [powder.label for powder in self.powders.values()]
        if len(set(labels)) != len(labels):
            raise ValueError(f"the powders' labels {labels} are not all different; give each its own")
        if self.fire.interphase is not None and self.fire.interphase.label in labels:
            raise ValueError(f"the interphase has label {self.fire.interphase.label}, which a powder has too; give it another")
        self._layer_fits()
        unknown = [name for name in self.fire.grain_growth if name not in self.powders]
        if unknown:
            raise ValueError(f"grain_growth names '{unknown[0]}', which is no powder; allowed: {', '.join(self.powders)}")
        return self

    def _layer_fits(self) -> None:
        layer = self.fire.interphase
        if layer is None or layer.host not in self.powders:
            return
        thickness_nm = layer.median_nm * layer.growth(self.fire.temperature_C, self.fire.hours)
        radius_nm = 0.5 * self.powders[layer.host].median_diameter_nm * self.fire.grain_growth.get(layer.host, 1.0)
        if thickness_nm > radius_nm:
            raise ValueError(
                f"the interphase would be {thickness_nm:.4g} nm thick, more than the radius of the grains of {layer.host} "
                f"after firing; allowed: up to {radius_nm:.4g} nm; lower thickness_p05_nm and thickness_p95_nm, or fire less"
            )

    def solid_fractions(self) -> dict[str, float]:
        """Return the share of each powder in the solid volume."""
        volumes = {name: powder.mass_fraction / powder.density_g_per_cm3 for name, powder in self.powders.items()}
        return {name: volume / sum(volumes.values()) for name, volume in volumes.items()}

    def phases(self) -> dict[int, str]:
        """Return the name of each label, pore and interphase included."""
        names = {0: "pore", **{powder.label: name for name, powder in self.powders.items()}}
        if self.fire.interphase is not None:
            names[self.fire.interphase.label] = self.fire.interphase.product
        return names


def load_recipe(path: str | Path | None = None) -> Recipe:
    """Read a recipe; values that the file does not name keep their defaults.

    Raises
    ------
    InputError
        If the file is absent, is no TOML or holds an unknown or impossible value.

    Examples
    --------
    >>> load_recipe().press.relative_density
    0.6
    """
    if path is None:
        return Recipe()
    return parse_recipe(read_toml(path, "recipe"), str(path))


def parse_recipe(table: dict[str, Any], origin: str) -> Recipe:
    """Merge a table over the defaults and check it; `origin` names it in messages.

    Powders whose mass fractions already sum to 1 in the table are all there are: defaults that it does not name are left
    out, and with them the interphase and the grain growth that need them. One powder may have the mass fraction "rest".
    """
    table = _with_rest(table, origin)
    try:
        return Recipe.model_validate(_merged(_defaults(table), table))
    except ValidationError as error:
        raise InputError(f"{origin}: {wrong_value(error, Recipe, 'the recipe')}") from None


def _with_rest(table: dict[str, Any], origin: str) -> dict[str, Any]:
    """Give the powder whose mass fraction is "rest" what the others leave."""
    named = table.get("powders")
    powders = {name: powder for name, powder in named.items() if isinstance(powder, dict)} if isinstance(named, dict) else {}
    resting = [name for name, powder in powders.items() if powder.get("mass_fraction") == REST]
    if not resting:
        return table
    if len(resting) > 1:
        raise InputError(
            f'{origin}: the powders {", ".join(resting)} all have the mass fraction "{REST}"; allowed: one of them'
        )
    defaults = Recipe().powders
    others = {name: defaults[name].mass_fraction for name in defaults if name not in resting}
    others |= {
        name: powder["mass_fraction"] for name, powder in powders.items() if name not in resting and "mass_fraction" in powder
    }
    numbers = [share for share in others.values() if isinstance(share, int | float) and not isinstance(share, bool)]
    if len(numbers) < len(others):
        return table  # what is no number is told when the whole is checked
    rest = 1.0 - sum(numbers)
    if not 1e-9 < rest <= 1.0:
        raise InputError(
            f"{origin}: the other powders sum to {sum(numbers):g}, so nothing is left for {resting[0]}; allowed: less than 1"
        )
    return {**table, "powders": {**powders, resting[0]: {**powders[resting[0]], "mass_fraction": rest}}}


def _defaults(table: dict[str, Any]) -> dict[str, Any]:
    """Return the default values, without the powders that a complete list in the table leaves out."""
    base = Recipe().model_dump()
    named = table.get("powders")
    if not isinstance(named, dict) or not all(isinstance(powder, dict) for powder in named.values()):
        return base
    shares = [powder.get("mass_fraction") for powder in named.values()]
    if not all(isinstance(share, int | float) for share in shares) or abs(sum(shares) - 1.0) > 1e-6:
        return base
    base["powders"] = {name: powder for name, powder in base["powders"].items() if name in named}
    fire = base["fire"]
    fire["grain_growth"] = {name: factor for name, factor in fire["grain_growth"].items() if name in named}
    if not {fire["interphase"]["donor"], fire["interphase"]["host"]} <= set(named):
        given = table.get("fire", {}).get("interphase") if isinstance(table.get("fire"), dict) else None
        fire["interphase"] = fire["interphase"] if isinstance(given, dict) else None
    return base


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        out[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out
