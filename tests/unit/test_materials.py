"""The shipped materials say what the literature says, every value with its source; the form refuses what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from microstructures.errors import MaterialsError
from microstructures.materials import load_materials, parse_materials, shipped_materials
from microstructures.units import BOLTZMANN_EV_PER_K, ELEMENTARY_CHARGE_C, kelvin

S_PER_CM, OHM_CM2, PER_NM3 = 100.0, 1e-4, 1e27
UNSOURCED = {"schema", "reference_temperature_C", "label"}

CONTRACT_EXAMPLE = b"""
schema = 1
name = "two-phase"
reference_temperature_C = 60.0
[phases.A]
label = 1
density_g_per_cm3 = 3.0                  # optional
[phases.A.ion]                           # no table for a carrier = this phase does not carry it
conductivity_S_per_m = 1.0
activation_energy_eV = 0.30
carrier_density_per_m3 = 6.0e27          # needed by hop only; one default for all phases if absent
[phases.B]
label = 2
[phases.B.ion]                           # the barrier form; the same quantities
migration_barrier_eV = 0.30
attempt_frequency_Hz = 1.0e13
hop_distance_nm = 0.35
carrier_density_per_m3 = 6.0e27
[interfaces.default.ion]
area_specific_resistance_ohm_m2 = 0.0
activation_energy_eV = 0.0
[interfaces."A|B".ion]                   # A|A is the grain boundary of A
area_specific_resistance_ohm_m2 = 1.0e-6
activation_energy_eV = 0.35
[films."A|pore".ion]                     # thinner than a voxel, conducts along that interface
sheet_conductance_S = 1.8e-6
activation_energy_eV = 0.07
"""


def tables_with_values(table: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any], str, float]]:
    """Yield (path of the table, the table, key, number) for every number outside `source`."""
    for key, value in table.items():
        if key == "source":
            continue
        if isinstance(value, dict):
            yield from tables_with_values(value, f"{where}/{key}")
        elif isinstance(value, int | float) and key not in UNSOURCED:
            yield where, table, key, value


@pytest.mark.parametrize("name", sorted(shipped_materials()))
def test_every_shipped_number_has_a_source_and_lies_in_its_range(name: str) -> None:
    numbers = list(tables_with_values(load_materials(name).to_dict()))
    assert numbers
    for where, table, key, value in numbers:
        source = table.get("source", {}).get(key)
        assert source is not None, f"{where}/{key} has no source"
        assert len(source["text"]) > 4, f"{where}/{key}"
        assert source.get("low", value) <= value <= source.get("high", value), f"{where}/{key}"


# sigma [S/cm], Ea [eV] at 60 degC, as the literature review gives them
@pytest.mark.parametrize(
    ("phase", "carrier", "sigma_S_per_cm", "energy_eV", "status"),
    [
        ("LFP", "ion", 1e-9, 0.60, "estimated"),
        ("LATP", "ion", 9e-3, 0.26, "measured"),
        ("LFTAP", "ion", 1e-3, 0.32, "scenario"),
        ("LFP", "electron", 1.2e-8, 0.60, "derived"),
        ("LATP", "electron", 1e-8, 0.55, "estimated"),
        ("LFTAP", "electron", 1e-6, 0.30, "scenario"),
    ],
)
def test_bulk_values_in_their_own_units(phase: str, carrier: Any, sigma_S_per_cm: float, energy_eV: float, status: str) -> None:
    conductor = load_materials().conductor(phase, carrier)
    assert conductor is not None
    assert conductor.conductivity_S_per_m == pytest.approx(sigma_S_per_cm * S_PER_CM)
    assert conductor.activation_energy_eV == energy_eV
    assert conductor.source["conductivity_S_per_m"].status == status


# resistance of the true area [ohm cm2], Ea [eV] at 60 degC
@pytest.mark.parametrize(
    ("a", "b", "carrier", "asr_ohm_cm2", "energy_eV", "status"),
    [
        ("LATP", "LATP", "ion", 0.0015, 0.44, "calibrated"),
        ("LATP", "LFTAP", "ion", 0.0012, 0.32, "estimated"),
        ("LFTAP", "LFTAP", "ion", 0.0012, 0.35, "estimated"),
        ("LFP", "LFTAP", "ion", 5.0, 0.50, "scenario"),
        ("LFP", "LATP", "ion", 30.0, 0.55, "scenario"),
        ("LFP", "LFP", "ion", 1e3, 0.60, "estimated"),
        ("LATP", "LATP", "electron", 1e3, 0.60, "estimated"),
        ("LFTAP", "LFTAP", "electron", 1e-3, 0.30, "scenario"),
        ("LATP", "LFTAP", "electron", 1.0, 0.40, "scenario"),
        ("LFP", "LFTAP", "electron", 0.01, 0.30, "scenario"),
        ("LFP", "LATP", "electron", 1e3, 0.60, "estimated"),
        ("LFP", "LFP", "electron", 1e-6, 0.07, "estimated"),
    ],
)
def test_sintered_interfaces_in_their_own_units(
    a: str, b: str, carrier: Any, asr_ohm_cm2: float, energy_eV: float, status: str
) -> None:
    interface = load_materials().interface(b, a, carrier)
    assert interface is not None
    assert interface.area_specific_resistance_ohm_m2 == pytest.approx(asr_ohm_cm2 * OHM_CM2)
    assert interface.activation_energy_eV == energy_eV
    assert interface.source["area_specific_resistance_ohm_m2"].status == status


def test_densities_labels_and_lithium_per_volume() -> None:
    materials = load_materials()
    assert materials.reference_temperature_C == 60.0
    assert materials.names_by_label() == {0: "pore", 1: "LFP", 2: "LATP", 3: "LFTAP"}
    for name, g_per_cm3, li_per_nm3 in (("LFP", 3.598, 13.74), ("LATP", 2.92, 5.96), ("LFTAP", 3.03, 7.5)):
        phase = materials.phase(name)
        assert phase.density_g_per_cm3 == g_per_cm3
        assert phase.ion is not None
        assert phase.ion.carrier_density_per_m3 == pytest.approx(li_per_nm3 * PER_NM3)
    assert materials.phase("LATP").relative_permittivity == 15.0


def test_pore_conducts_nothing_in_the_solid_cathode() -> None:
    assert load_materials().conductor("pore", "ion") is None
    assert load_materials().conductor("pore", "electron") is None


def test_only_carbon_on_carbon_has_a_contact_value_of_its_own() -> None:
    materials = load_materials()
    pressed = materials.contact("LFP", "LFP", "electron")
    assert pressed is not None
    assert pressed.area_specific_resistance_ohm_m2 == pytest.approx(0.0017 * OHM_CM2)
    assert pressed.activation_energy_eV == 0.2
    assert materials.contact("LATP", "LATP", "ion") == materials.interface("LATP", "LATP", "ion")
    assert materials.contact("LFP", "LFP", "ion") == materials.interface("LFP", "LFP", "ion")


def test_carbon_is_lost_where_lfp_reacted() -> None:
    materials = load_materials()
    assert materials.film_pairs() == [("LFP", "pore"), ("LFP", "LATP"), ("LFP", "LFP")]
    assert materials.film("LFP", "LFTAP", "electron") is None
    outer, merged = materials.film("LFP", "pore", "electron"), materials.film("LFP", "LFP", "electron")
    assert outer is not None
    assert merged is not None
    assert outer.sheet_conductance_S == 1.54e-6
    assert merged.sheet_conductance_S == pytest.approx(2 * outer.sheet_conductance_S)
    assert outer.activation_energy_eV == merged.activation_energy_eV == 0.07
    assert outer.source["sheet_conductance_S"].status == "calibrated"


@pytest.mark.parametrize("phase", ["LFP", "LATP", "LFTAP"])
def test_electron_densities_are_nernst_einstein_of_one_polaron(phase: str) -> None:
    conductor = load_materials().conductor(phase, "electron")
    assert conductor is not None
    kT_eV = BOLTZMANN_EV_PER_K * kelvin(60.0)
    diffusivity = (0.3e-9) ** 2 * 1e13 / 6 * 2.718281828459045 ** (-0.215 / kT_eV)
    density = conductor.conductivity_S_per_m * kT_eV / (ELEMENTARY_CHARGE_C * diffusivity)  # type: ignore[operator]
    assert conductor.carrier_density_per_m3 == pytest.approx(density, rel=0.01)


def test_liquid_electrolyte_example_conducts_ions_in_pores_and_electrons_in_solids() -> None:
    materials = load_materials("nmc-cathode")
    assert materials.names_by_label() == {0: "pore", 1: "NMC", 2: "CBD"}
    assert [materials.conductor(name, "ion") is not None for name in ("pore", "NMC", "CBD")] == [True, False, False]
    assert [materials.conductor(name, "electron") is not None for name in ("pore", "NMC", "CBD")] == [False, True, True]


def test_contract_example_parses() -> None:
    materials = parse_materials(CONTRACT_EXAMPLE, "example")
    assert materials.name == "two-phase"
    assert materials.names_by_label() == {0: "pore", 1: "A", 2: "B"}
    assert materials.conductor("A", "electron") is None
    barrier = materials.conductor("B", "ion")
    assert barrier is not None
    assert barrier.hop_distance_nm == 0.35
    across, fallback = materials.interface("B", "A", "ion"), materials.interface("B", "B", "ion")
    assert across is not None
    assert fallback is not None
    assert (across.area_specific_resistance_ohm_m2, fallback.area_specific_resistance_ohm_m2) == (1e-6, 0.0)
    film = materials.film("A", "pore", "ion")
    assert film is not None
    assert film.sheet_conductance_S == 1.8e-6
    assert materials.film("B", "pore", "ion") is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"schema = 1", b"schema = 2", "schema"),
        (b"schema = 1", b"", "schema"),
        (b"label = 2", b"label = 1", "same label 1"),
        (b"label = 2", b"label = 256", "label"),
        (b"[phases.B", b"[phases.a", "differ only in case"),
        (b"conductivity_S_per_m = 1.0", b"conductivity_S_per_m = -1.0", "conductivity_S_per_m"),
        (b"conductivity_S_per_m = 1.0", b"conductivity_S_per_m = nan", "conductivity_S_per_m"),
        (b"conductivity_S_per_m = 1.0", b"conductivity_S_per_m = '1,0'", "conductivity_S_per_m"),
        (b"conductivity_S_per_m = 1.0", b"conductivity_S_per_cm = 1.0", "conductivity_S_per_m"),
        (b"hop_distance_nm = 0.35\n", b"", "hop_distance_nm"),
        (b"hop_distance_nm = 0.35", b"hop_distance_nm = 350", "hop_distance_nm"),
        (b'"A|B"', b'"A|C"', "phase 'C'"),
        (b'"A|B"', b'"AB"', "no pair"),
        (b"= 0.07", b"= 0.07\nsource = {sheet = {text = 'x', status = 'measured'}}", "source.sheet"),
        (b"= 0.07", b"= 0.07\nsource = {sheet_conductance_S = {text = 'x', status = 'sure'}}", "status"),
        (b'name = "two-phase"', b"name = two", "TOML"),
    ],
    ids=lambda value: value.decode().splitlines()[0][:30] if isinstance(value, bytes) and value else None,
)
def test_broken_materials_give_one_line(old: bytes, new: bytes, words: str) -> None:
    assert old in CONTRACT_EXAMPLE
    with pytest.raises(MaterialsError) as caught:
        parse_materials(CONTRACT_EXAMPLE.replace(old, new), "broken.toml")
    message = str(caught.value)
    assert words in message
    assert "broken.toml" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", "\ufeff".encode()], ids=["empty", "binary", "only a BOM"])
def test_no_materials_at_all(content: bytes) -> None:
    with pytest.raises(MaterialsError):
        parse_materials(content, "nothing.toml")


def test_byte_order_mark_is_accepted() -> None:
    assert parse_materials(b"\xef\xbb\xbf" + CONTRACT_EXAMPLE, "bom.toml").name == "two-phase"


def test_missing_file_names_the_shipped_ones(tmp_path: Any) -> None:
    with pytest.raises(MaterialsError, match="lfp-latp"):
        load_materials(tmp_path / "absent.toml")
    with pytest.raises(MaterialsError, match="folder"):
        load_materials(tmp_path)
