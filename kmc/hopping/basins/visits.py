"""How often a carrier that entered a basin at one port is found at each other before it leaves."""

from __future__ import annotations

import numpy as np

from microstructures.jit import kernel


@kernel
def visits(conductance, leaving):  # type: ignore[no-untyped-def]
    """Return the inverse [ohm] of Laplacian(conductance) + diag(leaving), shape (p, p), symmetric; nothing is subtracted.

    Entry (i, j) times what leaves from j is the chance that a carrier which entered at i leaves from j (Novotny 1995). Ports are
    eliminated from the last to the first, then each is put back: from v a walk goes to one of those before it, or leaves.
    """
    p = len(leaving)
    g, ground, total = conductance.copy(), leaving.copy(), np.empty(p)
    for v in range(p - 1, -1, -1):
        total[v] = ground[v] + g[v, :v].sum()
        for i in range(v):
            f = g[v, i] / total[v]
            ground[i] += f * ground[v]
            for j in range(i):
                g[i, j] += f * g[v, j]
    out = np.empty((p, p))
    for v in range(p):
        for j in range(v):
            s = 0.0
            for i in range(v):
                s += g[v, i] * out[j, i]
            out[v, j] = s / total[v]
        s = 1.0
        for i in range(v):
            s += g[v, i] * out[v, i]
        out[v, v] = s / total[v]
        out[:v, v] = out[v, :v]
    return out
