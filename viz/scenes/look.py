"""How a scene is seen: which part of a structure, with which surfaces, and what one can see through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from microstructures.errors import InputError, did_you_mean

VIEWS = ("corner", "whole", "slices")
SURFACES = ("voxels", "smooth")
OTHERS = "others"
"""Stands for every phase that a table of opacities does not name."""
OPACITIES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "solid": MappingProxyType({OTHERS: 1.0}),
        "glass": MappingProxyType({"LFTAP": 1.0, "interphase": 1.0, OTHERS: 0.12}),
        "active": MappingProxyType({"LFP": 1.0, "NMC": 1.0, "carbon": 1.0, OTHERS: 0.12}),
        "ghost": MappingProxyType({OTHERS: 0.05}),
    }
)
"""Opacity of each phase, 0 to 1, by the name of the preset: all solid; the interphase in clear grains; the active material
in a clear electrolyte; everything clear."""


@dataclass(frozen=True)
class Look:
    """How a scene is seen.

    Attributes
    ----------
    view : "corner", "whole" or "slices"
        The block without the corner that faces the eye, the whole block, or three planes through it.
    surface : "voxels" or "smooth"
        Voxel faces as they are, or smoothed into surfaces without steps; planes are drawn voxel by voxel either way.
    only : tuple of phase names
        The phases to draw; all but `hide` when empty.
    hide : tuple of phase names, optional
        Phases to leave out; pores unless given, and nothing in planes.
    opacity : str, or mapping of phase name to a number from 0 to 1, optional
        A preset, "solid", "glass" (all but the interphase clear), "active" (all but the active material clear) or "ghost"
        (all clear), or one opacity per phase; "others" stands for those not named, 1 unless given. Without
        it all is solid, or clear around streamlines and hot spots.
    slices_um : (x, y, z), optional
        Where the planes lie [um]; the middle of the block where None.
    hot_percent : float
        Also draw this share of the voxels, those where the field is highest [%].

    Raises
    ------
    InputError
        If a word is unknown or a number out of range.

    Examples
    --------
    >>> Look(view="slices", slices_um=(None, None, 1.5)).hidden(["pore", "LFP"])
    ()
    >>> Look(only=("LFTAP",)).hidden(["pore", "LFP", "LFTAP"])
    ('pore', 'LFP')
    """

    view: str = "corner"
    surface: str = "voxels"
    only: tuple[str, ...] = ()
    hide: tuple[str, ...] | None = None
    opacity: str | Mapping[str, float] | None = None
    slices_um: tuple[float | None, float | None, float | None] = (None, None, None)
    hot_percent: float = 0.0

    def __post_init__(self) -> None:
        """Check every word and number."""
        for what, word, allowed in (("view", self.view, VIEWS), ("surface", self.surface, SURFACES)):
            if word not in allowed:
                raise InputError(f"{what} is '{word}'{did_you_mean(word, allowed)}")
        if isinstance(self.opacity, str) and self.opacity not in OPACITIES:
            raise InputError(f"opacity is '{self.opacity}'{did_you_mean(self.opacity, tuple(OPACITIES))}")
        for phase, value in self.opacities.items():
            if not 0.0 <= value <= 1.0:
                raise InputError(f"the opacity of {phase} is {value:g}; allowed: 0 (not seen) to 1 (solid)")
        if not 0.0 <= self.hot_percent <= 50.0:
            raise InputError(f"hot_percent is {self.hot_percent:g}; allowed: 0 (none) to 50 % of the voxels")
        if len(self.slices_um) != 3:
            raise InputError(f"slices_um has {len(self.slices_um)} places; allowed: three, one each for x, y and z")

    @property
    def opacities(self) -> Mapping[str, float]:
        """Return the table of opacities."""
        if self.opacity is None:
            return OPACITIES["solid"]
        return OPACITIES[self.opacity] if isinstance(self.opacity, str) else self.opacity

    def opacity_of(self, phase: str) -> float:
        """Return the opacity of a phase."""
        return self.opacities.get(phase, self.opacities.get(OTHERS, 1.0))

    def hidden(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return which of the phases are not drawn."""
        if self.only:
            return tuple(name for name in names if name not in self.only)
        if self.hide is None:
            return () if self.view == "slices" else ("pore",)
        return tuple(self.hide)

    def check_names(self, known: Iterable[str]) -> None:
        """Raise an InputError if a phase to show, to hide or to see through does not exist."""
        names = sorted(known)
        own = () if isinstance(self.opacity, str) else [name for name in self.opacities if name != OTHERS]
        for word, listed in (("show", self.only), ("hide", self.hide or ()), ("see through", own)):
            for name in listed:
                if name not in names:
                    raise InputError(f"cannot {word} phase '{name}'{did_you_mean(name, names)}")
