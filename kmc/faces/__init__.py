"""The faces of a structure, sorted into classes: pure geometry, no temperature."""

from kmc.faces.build import build_faces, match_phases
from kmc.faces.classes import BLOCKED, FaceTable

__all__ = ["BLOCKED", "FaceTable", "build_faces", "match_phases"]
