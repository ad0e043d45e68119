"""Nearly closed regions of a structure as single steps: a carrier leaves a grain at once, with the chances it truly has."""

from kmc.hopping.basins.find import find_basins
from kmc.hopping.basins.moves import BasinHops
from kmc.hopping.basins.tables import Basins

__all__ = ["BasinHops", "Basins", "find_basins"]
