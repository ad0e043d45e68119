"""The form of a materials file: phases, interfaces, point contacts and films, each value with its unit in its name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Carrier = Literal["ion", "electron"]
CARRIERS: tuple[Carrier, Carrier] = ("ion", "electron")
DEFAULT_CARRIER_DENSITY_PER_M3 = 6.0e27
"""Density of mobile carriers where the file gives none: lithium in a phosphate framework, some 6 per nm3."""

Energy = Annotated[float, Field(ge=0.0, le=5.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Frequency = Annotated[float, Field(ge=1e6, le=1e16, allow_inf_nan=False)]
HopDistance = Annotated[float, Field(ge=0.01, le=10.0, allow_inf_nan=False)]
Relative = Annotated[float, Field(ge=1e-9, le=1e9, allow_inf_nan=False)]
Anisotropy = Annotated[tuple[Relative, Relative, Relative], Field(strict=False)]
Orientation = Literal["grid", "random-grain"]
"""Where the crystal axes a, b, c point: along x, y, z in every grain, or another way in each."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Provenance(_Table):
    """Where a value comes from and how far it may be trusted."""

    text: str = Field(description="publication, DOI or derivation")
    status: Literal["measured", "derived", "estimated", "calibrated", "scenario"]
    low: float | None = None
    high: float | None = None
    note: str = ""


class _Sourced(_Table):
    source: dict[str, Provenance] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sources_name_values(self) -> Self:
        for name in self.source:
            if name not in type(self).model_fields:
                raise ValueError(f"source.{name} belongs to no value of this table; rename or remove it")
        return self


class Conductor(_Sourced):
    """How one phase conducts one carrier: measured (conductivity) or microscopic (barrier); both give the same network.

    With `anisotropy` the conductivity along the crystal axes a, b, c is that of the phase times these three numbers.
    """

    conductivity_S_per_m: NonNegative | None = None
    activation_energy_eV: Energy | None = None
    migration_barrier_eV: Energy | None = None
    attempt_frequency_Hz: Frequency | None = None
    hop_distance_nm: HopDistance | None = None
    carrier_density_per_m3: Positive | None = None
    anisotropy: Anisotropy | None = None
    orientation: Orientation | None = None

    @model_validator(mode="after")
    def _oriented(self) -> Self:
        if self.orientation is not None and self.anisotropy is None:
            raise ValueError("orientation belongs to anisotropy; give anisotropy = [a, b, c] or remove it")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.conductivity_S_per_m is None) == (self.migration_barrier_eV is None):
            raise ValueError("give either conductivity_S_per_m or migration_barrier_eV; exactly one of them is allowed")
        if self.migration_barrier_eV is not None:
            missing = [n for n in ("attempt_frequency_Hz", "hop_distance_nm") if getattr(self, n) is None]
            if missing:
                raise ValueError(f"the barrier form needs {' and '.join(missing)}; add what is missing")
            if self.activation_energy_eV is not None:
                raise ValueError(
                    "activation_energy_eV belongs to conductivity_S_per_m; the barrier form has migration_barrier_eV"
                )
        elif self.activation_energy_eV is None:
            raise ValueError(
                "conductivity_S_per_m needs activation_energy_eV; add it (0.0 if it does not depend on temperature)"
            )
        return self


class InterfaceConductor(_Sourced):
    """How one carrier crosses an interface: area-specific resistance, or a barrier with an attempt frequency."""

    area_specific_resistance_ohm_m2: NonNegative | None = None
    activation_energy_eV: Energy | None = None
    migration_barrier_eV: Energy | None = None
    attempt_frequency_Hz: Frequency | None = None
    hop_distance_nm: HopDistance | None = None
    carrier_density_per_m3: Positive | None = None
    capacitance_F_per_m2: NonNegative | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.area_specific_resistance_ohm_m2 is None) == (self.migration_barrier_eV is None):
            raise ValueError(
                "give either area_specific_resistance_ohm_m2 or migration_barrier_eV; exactly one of them is allowed"
            )
        if self.migration_barrier_eV is not None:
            missing = [n for n in ("attempt_frequency_Hz", "hop_distance_nm") if getattr(self, n) is None]
            if missing:
                raise ValueError(f"the barrier form needs {' and '.join(missing)}; add what is missing")
            if self.activation_energy_eV is not None:
                raise ValueError("activation_energy_eV belongs to area_specific_resistance_ohm_m2; remove it")
        elif self.activation_energy_eV is None:
            raise ValueError("area_specific_resistance_ohm_m2 needs activation_energy_eV; add it (0.0 if constant)")
        return self


class FilmConductor(_Sourced):
    """How one carrier runs along a film that is thinner than a voxel.

    With `thickness_nm` the value holds for a film of that thickness, and scales where a structure says how thick its coating is.
    """

    sheet_conductance_S: NonNegative
    thickness_nm: Positive | None = None
    activation_energy_eV: Energy
    carrier_density_per_m2: Positive = 1.0e19


class Phase(_Sourced):
    """One phase: its label in images, its density and how it conducts."""

    label: Annotated[int, Field(ge=0, le=255, strict=True)]
    density_g_per_cm3: Positive | None = None
    relative_permittivity: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] | None = None
    ion: Conductor | None = None
    electron: Conductor | None = None

    @property
    def orientation(self) -> Orientation | None:
        """Return where the crystal axes point, along the grid unless said; None for an isotropic phase."""
        known = [c for c in (self.ion, self.electron) if c is not None and c.anisotropy is not None]
        return (known[0].orientation or "grid") if known else None

    @model_validator(mode="after")
    def _one_orientation(self) -> Self:
        said = {c.orientation or "grid" for c in (self.ion, self.electron) if c is not None and c.anisotropy is not None}
        if len(said) > 1:
            raise ValueError("ion and electron have different orientations; a crystal has one, give the same to both")
        return self


class Interface(_Table):
    """One interface between two phases, or the grain boundary of one."""

    ion: InterfaceConductor | None = None
    electron: InterfaceConductor | None = None


class Film(_Table):
    """A film on one interface; the first phase of its name bears it."""

    ion: FilmConductor | None = None
    electron: FilmConductor | None = None


class MaterialsFile(_Table):
    """A whole materials file."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    reference_temperature_C: Annotated[float, Field(gt=-273.15, lt=5000.0)]
    notes: str = ""
    phases: dict[str, Phase]
    interfaces: dict[str, Interface] = Field(default_factory=dict)
    contacts: dict[str, Interface] = Field(default_factory=dict)
    films: dict[str, Film] = Field(default_factory=dict)

    @field_validator("phases")
    @classmethod
    def _phases(cls, phases: dict[str, Phase]) -> dict[str, Phase]:
        if not phases:
            raise ValueError("no phase is given; write at least one [phases.NAME] table")
        seen: dict[str, str] = {}
        labels: dict[int, str] = {}
        for name, phase in phases.items():
            if "|" in name or not name.strip() or name == "default" or not name.isprintable():
                raise ValueError(f"'{name}' cannot name a phase; rename it")
            folded = name.strip().casefold()
            if folded in seen:
                raise ValueError(f"phases '{seen[folded]}' and '{name}' differ only in case or spaces; rename one")
            seen[folded] = name
            if phase.label in labels:
                raise ValueError(
                    f"phases '{labels[phase.label]}' and '{name}' have the same label {phase.label}; give each its own"
                )
            labels[phase.label] = name
        return phases
