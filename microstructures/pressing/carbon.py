"""Carbon films on powders: what a structure says about them. Where they conduct is a matter of the materials file."""

from __future__ import annotations

from microstructures.features import Coating
from microstructures.recipe import Recipe
from microstructures.units import NM


def coatings_of(recipe: Recipe) -> dict[str, Coating]:
    """Return the film on each powder that has one, by its phase.

    Pressing leaves the film whole. Firing burns it where the phase has reacted with another one; what lies there
    is then the interphase (Xu et al., Small 2022, 10.1002/smll.202200266, Fig. S8c: carbon is found on LFP where it does not
    meet LATP), and films belong to pairs of phases, so the reacted pairs have none.
    """
    return {
        name: Coating(thickness=powder.carbon.thickness_nm * NM, coverage=powder.carbon.coverage)
        for name, powder in recipe.powders.items()
        if powder.carbon is not None
    }
