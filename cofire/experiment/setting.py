"""What a comparison is about; the variants that explain it differ from it in one thing each."""

from __future__ import annotations

from dataclasses import dataclass, field

from cofire.experiment.variants import Body
from microstructures.materials import Materials
from microstructures.recipe import Recipe


@dataclass(frozen=True)
class Setting:
    """Bodies of some seeds in one box, asked with one set of materials at one temperature.

    Attributes
    ----------
    recipe : Recipe
        Powders, pressing and firing.
    materials : Materials
        What phases, interfaces and films conduct.
    seeds : tuple of int
        One green body each.
    size_um, voxel_nm : float
        Edge of the green body [um] and of a voxel [nm].
    temperature_C : float
        Temperature [degC].
    """

    recipe: Recipe
    materials: Materials = field(repr=False)
    seeds: tuple[int, ...]
    size_um: float
    voxel_nm: float
    temperature_C: float = 60.0

    def body(self, process: str, seed: int) -> Body:
        """Return the body of a process and a seed."""
        return Body(process, seed, self.size_um, self.voxel_nm, self.recipe)
