"""Solve one system at many frequencies: at a few of them by conjugate gradients, at the others by projection on these.

The matrix is complex and equal to its transpose (conjugate gradients without conjugation: van der Vorst and Melissen 1990).
The multigrid of the real network g = Re y + Im y serves as preconditioner, once for the real and once for the imaginary part
of a residual: K + i w C over K + w C lies between 1 and i, so that iterations are bounded as they are at direct current. It is
built anew only where classes of faces have changed against each other. Each solution joins the space of `Reduced`; the next
frequency is where the last one has moved the current most, until it moves none and a frequency far from all others is met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.impedance import kernels
from kmc.impedance.reduced import Reduced
from kmc.impedance.system import Flows, System
from kmc.multigrid.cycle import Multigrid
from kmc.outcomes import Outcome

EXACT_RESIDUAL = 1e-12
"""Residual over source at which a potential is exact to rounding: the first guess of laminates and uniform blocks."""
FIRST_DELAY, LATER_DELAY = 4, 2
"""Steps whose gains bound the error of the first frequency, and of later ones, which start near the end."""
ERROR_SHARE = 0.1
"""The last gains together may be this share of the tolerance, or one of them this share squared; and a projection may be moved
this share of it by the last solution."""
STALE = 10.0
"""A preconditioner serves until classes of faces have changed by such a factor against each other."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solved:
    """What one frequency came to: conductivity [S/m] read three ways, steps, outcome."""

    sigma: complex
    inflow: complex
    outflow: complex
    iterations: int
    outcome: Outcome


class Sweep:
    """Solves a system at frequencies that follow each other."""

    def __init__(self, system: System, frequencies_Hz: Array, tolerance: float, max_iterations: int) -> None:
        """Make room."""
        self.system, self.frequencies = system, frequencies_Hz
        self.tolerance, self.max_iterations = tolerance, max_iterations
        self.x, self.r, self.p, self.q = (np.zeros((2, *system.shape)) for _ in range(4))
        self.multigrid: Multigrid | None = None
        self.built_for = np.zeros(0)
        self.rebuilt = 0

    def run(self, progress: Callable[[str], Any] | None = None) -> list[Solved]:
        """Return what the system conducts at every frequency."""
        n = len(self.frequencies)
        if not self.system.spans:
            return [Solved(0j, 0j, 0j, 0, Outcome.NOT_PERCOLATING)] * n
        if self.system.admittance is None:
            return [self._solve(0, None)] * n
        solved: dict[int, Solved] = {n - 1: self._solve(n - 1, None)}
        if n == 1 or solved[n - 1].iterations == 0:
            return [self._solve(number, None) for number in range(n)]
        reduced = Reduced(self.system, self.frequencies)
        reduced.add(self.x)
        before, chosen = reduced.flows()[0], 0
        while len(solved) < n:
            solved[chosen] = self._solve(chosen, reduced)
            if progress is not None:
                at, found = self.frequencies[chosen], solved[chosen]
                progress(f"{at:.4g} Hz: {found.iterations} iterations, {found.sigma:.5g} S/m")
            guessed = before[chosen]
            reduced.add(self.x)
            inflow, outflow = reduced.flows()
            moved = np.maximum(
                np.abs(inflow - before) / (ERROR_SHARE * np.abs(inflow)), np.abs(inflow - outflow) / np.abs(inflow)
            )
            met = abs(inflow[chosen] - guessed) <= ERROR_SHARE * self.tolerance * abs(guessed)
            moved[list(solved)] = 0.0
            before = inflow
            worst = int(np.argmax(moved))
            if moved[worst] <= self.tolerance:
                if met:
                    break
                worst = self._farthest(solved)
            chosen = worst
        scale = self.system.length_over_area
        for number in range(n):
            if number not in solved:
                sigma = complex(inflow[number]) * scale
                solved[number] = Solved(sigma, sigma, complex(outflow[number]) * scale, 0, Outcome.CONVERGED)
        return [solved[number] for number in range(n)]

    def _farthest(self, solved: dict[int, Solved]) -> int:
        """Return the frequency that lies farthest from all that are solved."""
        place = np.log(self.frequencies)
        away = np.abs(place[:, None] - place[sorted(solved)]).min(axis=1)
        away[list(solved)] = -1.0
        return int(np.argmax(away))

    def _solve(self, number: int, reduced: Reduced | None) -> Solved:
        """Solve one frequency, from planes in series or from the projection on what is known."""
        system = self.system
        system.set_frequency(float(self.frequencies[number]))
        if reduced is None:
            self.x = system.plane_guess()
            self._take_residual()
            system.take_source(self.q)
            if np.linalg.norm(self.r) <= EXACT_RESIDUAL * np.linalg.norm(self.q):
                return self._finish(0, system.flows(self.x), True)
        else:
            reduced.guess(number, self.x)
            self._take_residual()
        self._precondition()
        return self._iterate(FIRST_DELAY if reduced is None else LATER_DELAY, reduced is None)

    def _take_residual(self) -> None:
        self.system.take_residual(self.x, self.r, self.q)

    def _precondition(self) -> None:
        """Build the preconditioner anew if it no longer fits."""
        faces = self.system.real_faces()
        if self.multigrid is not None:
            here = (self.system.counts > 0) & (self.built_for > 0.0)
            change = faces.table[here] / self.built_for[here]
            if change.max() <= STALE * change.min():
                return
        self.multigrid = None
        self.multigrid, self.built_for = Multigrid(faces), faces.table
        self.rebuilt += 1

    def _iterate(self, delay: int, cold: bool) -> Solved:
        system, x, r, p, q = self.system, self.x, self.r, self.p, self.q
        multigrid = self.multigrid
        assert multigrid is not None
        flows = system.flows(x)
        heat, work = flows.dissipation, 1.0 + 0j
        gains: list[float] = []
        size = float(np.abs(r).max())
        allowed = ERROR_SHARE * self.tolerance
        for iteration in range(self.max_iterations + 1):
            last = iteration == self.max_iterations or size == 0.0 or not np.isfinite(heat)
            settled = size == 0.0 or (len(gains) >= delay and sum(gains[-delay:]) <= allowed * abs(heat))
            settled |= bool(gains) and not cold and gains[-1] <= ERROR_SHARE * allowed * abs(heat)
            if last or settled:
                flows = system.flows(x)
                agree = flows.agree(self.tolerance)
                if last or agree:
                    return self._finish(iteration, flows, agree and settled)
            z = self._cycle(multigrid, size)
            before, work = work, size * system.dot(r, z)
            if work == 0.0:
                break
            ratio = work / before if iteration else 0j
            kernels.step_direction(z, size, ratio.real, ratio.imag, p)
            curvature = system.apply(p, q)
            if curvature == 0.0 or not np.isfinite(curvature):
                break
            step = work / curvature
            kernels.step_solution(step.real, step.imag, p, q, x, r, system.planes)
            size = float(system.planes[0].max())
            gains.append(abs(step * work))
            heat -= step * work
        return self._finish(iteration, system.flows(x), False)

    def _cycle(self, multigrid: Multigrid, size: float) -> Array:
        """Return the approximate solution for the residual, scaled by 1 / size; it lies where A p is written later."""
        z = self.q
        z[0] = multigrid.solve(self.r[0], 1.0 / size)
        z[1] = 0.0 if self.system.is_real else multigrid.solve(self.r[1], 1.0 / size)
        return z

    def _finish(self, iterations: int, flows: Flows, converged: bool) -> Solved:
        inflow, outflow, sigma = (flow * self.system.to_sigma for flow in flows)
        outcome = Outcome.CONVERGED if converged and flows.agree(self.tolerance) else Outcome.NOT_CONVERGED
        return Solved(sigma, inflow, outflow, iterations, outcome)
