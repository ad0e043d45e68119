"""The faces of a structure, sorted into classes: pure geometry, no temperature."""

from kmc.faces.build import build_faces, match_phases
from kmc.faces.classes import BLOCKED, FaceTable
from kmc.faces.orientations import Orientations, random_rotations

__all__ = ["BLOCKED", "FaceTable", "Orientations", "build_faces", "match_phases", "random_rotations"]
