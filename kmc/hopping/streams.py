"""Random streams keyed by (seed, case, replica, walker): the same numbers whatever the number of threads.

xoshiro256+ (Blackman & Vigna 2018) with states filled by splitmix64 from a hash of the key.
"""

from __future__ import annotations

import numpy as np

from microstructures.jit import inline_kernel, kernel

U = np.uint64
GOLDEN = U(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB)
TO_UNIT = 1.0 / 9007199254740992.0
"""2^-53: turns the upper 53 bits of a word into a number in [0, 1)."""


@inline_kernel
def scramble(word):  # type: ignore[no-untyped-def]
    """Return the splitmix64 output function of a word."""
    word = (word ^ (word >> U(30))) * MIX_1
    word = (word ^ (word >> U(27))) * MIX_2
    return word ^ (word >> U(31))


@kernel
def open_stream(seed, case, replica, walker):  # type: ignore[no-untyped-def]
    """Return the four state words of the stream of one walker."""
    key = U(0)
    for part in (U(seed), U(case), U(replica), U(walker)):
        key = scramble((key ^ part) + GOLDEN)
    a = scramble(key + GOLDEN)
    b = scramble(key + U(2) * GOLDEN)
    c = scramble(key + U(3) * GOLDEN)
    d = scramble(key + U(4) * GOLDEN)
    return a, b, c, d


@inline_kernel
def draw_word(a, b, c, d):  # type: ignore[no-untyped-def]
    """Return 64 random bits, the upper ones the best, and the next state."""
    word = a + d
    t = b << U(17)
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << U(45)) | (d >> U(19))
    return word, a, b, c, d


@inline_kernel
def draw(a, b, c, d):  # type: ignore[no-untyped-def]
    """Return a uniform number in [0, 1) and the next state."""
    word, a, b, c, d = draw_word(a, b, c, d)
    return (word >> U(11)) * TO_UNIT, a, b, c, d
