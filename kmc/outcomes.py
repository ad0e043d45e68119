"""How a calculation ended, each with a sentence on what to try next. Physics outcomes are not errors."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a calculation came to; `advice` says what a user may do about it."""

    CONVERGED = "converged"
    NOT_PERCOLATING = "not-percolating"
    NOT_CONVERGED = "not-converged"
    NOT_EQUILIBRATED = "not-equilibrated"
    FROZEN = "frozen"

    @property
    def advice(self) -> str:
        """Return one sentence of advice."""
        return _ADVICE[self]


_ADVICE = {
    Outcome.CONVERGED: "The result meets its tolerance.",
    Outcome.NOT_PERCOLATING: (
        "No conducting path joins both sides, so the conductivity is exactly 0; "
        "look at the clusters (cofire percolate), raise the share or density of the conducting phase, or use a larger box."
    ),
    Outcome.NOT_CONVERGED: (
        "Inflow, outflow and dissipation do not agree within the tolerance; "
        "allow more iterations (--max-iterations) or loosen --tolerance; the value must not be quoted."
    ),
    Outcome.NOT_EQUILIBRATED: (
        "The mean square displacement has not reached its long-time slope, so the diffusivity is an upper bound; "
        "run longer (--time-s or --hops)."
    ),
    Outcome.FROZEN: "No carrier can move: no face conducts; check the phases and the materials file.",
}
