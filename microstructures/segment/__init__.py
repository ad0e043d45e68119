"""Tell the grains of a label image apart: by connection, or by a watershed of the distance to the surface."""

from microstructures.segment.connected import connected_grains
from microstructures.segment.score import recovered_share
from microstructures.segment.watershed import MARKER_RULE, DenseSolidWarning, dense_warning, watershed_grains

__all__ = ["MARKER_RULE", "DenseSolidWarning", "connected_grains", "dense_warning", "recovered_share", "watershed_grains"]
