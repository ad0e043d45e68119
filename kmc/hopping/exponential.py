"""Exponential waiting times without a logarithm: the ziggurat of Marsaglia and Tsang (2000), in double precision.

The area under exp(-x) is cut into layers of equal area. A point in a layer lies under the curve at once in 98.9 % of the
draws; the rest are decided by the curve itself, so the law is exact.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.streams import TO_UNIT, U, draw, draw_word
from microstructures.jit import inline_kernel, kernel

LAYERS = 256
TAIL = 7.69711747013104972
"""Where the lowest layer turns into the tail, such that all 256 layers have one area."""


def _edges() -> NDArray[np.float64]:
    """Return the right edge of each layer, the widest first; the first is that of a box with the area of layer and tail."""
    area = math.exp(-TAIL) * (TAIL + 1.0)
    edges = [area / math.exp(-TAIL), TAIL]
    while len(edges) < LAYERS:
        edges.append(-math.log(area / edges[-1] + math.exp(-edges[-1])))
    return np.array([*edges, 0.0])


EDGE = _edges()
HEIGHT = np.exp(-EDGE)


@inline_kernel
def draw_exponential(a, b, c, d):  # type: ignore[no-untyped-def]
    """Return an exponential number of mean 1 and the next state."""
    word, a, b, c, d = draw_word(a, b, c, d)
    layer = np.int64(word >> U(56))
    x = ((word << U(8)) >> U(11)) * TO_UNIT * EDGE[layer]
    if x >= EDGE[layer + 1]:
        x, a, b, c, d = _beyond(layer, x, a, b, c, d)
    return x, a, b, c, d


@kernel
def _beyond(layer, x, a, b, c, d):  # type: ignore[no-untyped-def]
    """Return the number where a layer does not decide: in the tail, or under the curve, or drawn again."""
    while x >= EDGE[layer + 1]:
        u, a, b, c, d = draw(a, b, c, d)
        if layer == 0:
            return TAIL - math.log(1.0 - u), a, b, c, d
        if HEIGHT[layer] + u * (HEIGHT[layer + 1] - HEIGHT[layer]) < math.exp(-x):
            return x, a, b, c, d
        word, a, b, c, d = draw_word(a, b, c, d)
        layer = np.int64(word >> U(56))
        x = ((word << U(8)) >> U(11)) * TO_UNIT * EDGE[layer]
    return x, a, b, c, d
