"""The figures of a study's report, each as PNG and SVG with its numbers beside; one that cannot be drawn says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from cofire.experiment.reporting.figures import draw_or_say_why
from cofire.study.reporting.factors import Factor
from cofire.study.reporting.findings import PROCESS_KEY, Findings
from cofire.study.reporting.ranking import ALL, ANOVA, BINS, LEVELS, PATH, SIGMA, SRRC
from cofire.study.reporting.responses import Arrangement, arrange, response, scattered

SYMBOLS = {"ion": "σ$_i$", "electron": "σ$_e$"}
CELLS = 3
"""Values of each of two numbers from which on there is a map of both."""
FEWEST_POINTS = 12
"""Points of a sample from which on its pairs are drawn."""
MEASURES = {
    ANOVA: "share of the variance (1)",
    LEVELS: "share of the variance, main effects (1)",
    BINS: "share of the variance, first order (1)",
    SRRC: "standardised rank regression coefficient (1)",
}
ANSWERS = {SIGMA: "ln σ$_{eff}$", PATH: "whether there is a path"}


@dataclass(frozen=True)
class Drawn:
    """A figure of the page.

    Attributes
    ----------
    name, part : str
        Of its files, and which part of the report it belongs to.
    caption : str
        What it shows.
    data, why : str
        The picture as base64 text, or why there is none.
    """

    name: str
    part: str
    caption: str
    data: str
    why: str


class Figures:
    """Draws the figures of a study into a folder."""

    def __init__(self, found: Findings, folder: Path) -> None:
        """Remember what to draw, and where."""
        self.found, self.folder = found, folder
        self.drawn: list[Drawn] = []
        self._names = {carrier: f"{SYMBOLS.get(carrier, carrier)} (mS cm$^{{-1}}$)" for carrier in found.carriers}

    def responses(self) -> None:
        """Draw the answer of the conductivity, and of the activation energy, to every number; to names where there are none."""
        found = self.found
        energies = found.rows[np.isfinite(found.rows["activation_energy_eV"].astype(float))]
        for factor in found.numbers or found.factors:
            shown = arrange([other for other in found.factors if other != factor], found.rows)
            told = _told(factor, shown, found.rows)
            caption = f"Effective conductivity against {factor.full}{told}"
            self._response("response", "response", factor, shown, found.rows, "sigma_mS_per_cm", self._names, caption)
            if len(energies):
                caption = f"Activation energy of σ against {factor.full}{told}"
                label = {carrier: f"{carrier} activation energy (eV)" for carrier in found.carriers}
                self._response("energy", "energy", factor, shown, energies, "activation_energy_eV", label, caption)

    def ratios(self, ratios: pd.DataFrame) -> None:
        """Draw co-fired over cold-pressed against every number that is a grid."""
        others = [factor for factor in self.found.factors if factor.keys != (PROCESS_KEY,)]
        for factor in [other for other in others if other.numeric]:
            rows = ratios.assign(percolates=True, point=0, seed=0)
            rest = [other for other in others if other != factor]
            shown = arrange(rest, rows)
            if shown.averaged or factor.sampled:
                continue
            table = response(rows, factor, shown, "ratio").drop(columns=["low_95", "high_95", "n", "share"])
            ends = {end: response(rows, factor, shown, end)["mean"] for end in ("low_95", "high_95") if rows[end].notna().all()}
            caption = (
                f"Co-fired over cold-pressed conductivity against {factor.full}, paired by seed, with intervals of 95 % from the "
                f"logarithms of the pairs{_apart(shown)}; the line marks 1."
            )
            label = {carrier: f"{carrier}, co-fired / cold-pressed (1)" for carrier in self.found.carriers}
            draw = partial(_draw_response, table.assign(**ends), None, factor.label, label, 1.0, False)
            self._add(f"ratio-{_slug(factor)}", "ratio", caption, draw, table.assign(**ends))

    def maps(self) -> None:
        """Draw the conductivity and the share of cases with a path over every pair of numbers."""
        found = self.found
        for x, y in combinations(found.numbers, 2):
            sampled = x.sampled and y.sampled
            if x.sampled != y.sampled or (sampled and found.rows["point"].nunique() < FEWEST_POINTS):
                continue
            if min(len(x.levels(found.rows)), len(y.levels(found.rows))) < CELLS:
                continue
            panels = [factor for factor in found.factors if factor.keys == (PROCESS_KEY,)]
            rest = [factor for factor in found.factors if factor not in (x, y, *panels) and not (sampled and factor.sampled)]
            rows = found.rows.assign(
                panel=found.rows["process"] if panels else "", share=found.rows["percolates"].astype(float)
            )
            cells = rows.groupby(["carrier", "panel", x.column, y.column], sort=False, dropna=False)
            table = cells.agg(mean=("sigma_mS_per_cm", "mean"), share=("share", "mean"), n=("case", "nunique")).reset_index()
            table = table.rename(columns={x.column: "x", y.column: "y"})
            mean = f"mean over replicas{_over(rest)}"
            what = (
                "points of the sample, crosses: no path"
                if sampled
                else "white lines, where there are many cells: contours; hatched cells: no path in any replica"
            )
            caption = f"Effective conductivity over {x.full} and {y.full}, {mean}; {what}."
            name = f"{_slug(x)}-{_slug(y)}"
            draw = partial(_draw_map, table, x.label, y.label, self._names, False, sampled)
            self._add(f"map-{name}", "map", caption, draw, table)
            if (table["share"] < 1.0).any():
                caption = f"Share of replicas with a path over {x.full} and {y.full}{_over(rest)}."
                labels = {carrier: f"{carrier}: share with a path (1)" for carrier in found.carriers}
                draw = partial(_draw_map, table.assign(mean=table["share"]), x.label, y.label, labels, True, sampled)
                self._add(f"percolation-{name}", "map", caption, draw, table)

    def rankings(self, ranking: pd.DataFrame) -> None:
        """Draw the ranking of every answer, part of the cases and measure."""
        for (answer, among, measure), part in ranking.groupby(["response", "among", "measure"], sort=False):
            caption = f"What decides {_plain(str(answer))}, {among}: {measure}, sorted by size, with intervals of 95 %."
            label = MEASURES[str(measure)]
            draw = partial(_draw_shares, part, f"{label}\nof {ANSWERS[str(answer)]}" if measure != SRRC else label)
            names = ("ranking", "sigma" if answer == SIGMA else "path", "all" if among == ALL else str(among))
            name = "-".join([*names, str(measure).split()[-1]])
            self._add(name.lower(), "ranking", caption, draw, part.drop(columns="keys"))

    def _response(
        self, name: str, part: str, factor: Factor, shown: Arrangement, rows: pd.DataFrame, value: str,
        label: dict[str, str], caption: str,
    ) -> None:  # fmt: skip
        table = response(rows, factor, shown, value)
        points = scattered(rows, factor, shown, value) if factor.sampled else None
        draw = partial(
            _draw_response, table, points, factor.label, label, None, any(one.keys == (PROCESS_KEY,) for one in shown.panels)
        )
        self._add(f"{name}-{_slug(factor)}", part, caption + ".", draw, table)

    def _add(self, name: str, part: str, caption: str, draw: Callable[[Path, pd.DataFrame], Path], data: pd.DataFrame) -> None:
        taken = {one.name for one in self.drawn}
        free = next(
            full for number in range(1, len(taken) + 2) if (full := name if number == 1 else f"{name}-{number}") not in taken
        )
        self.drawn.append(Drawn(free, part, caption, **draw_or_say_why(lambda: draw(self.folder / free, data))))


def _draw_response(
    table: pd.DataFrame,
    points: pd.DataFrame | None,
    xlabel: str,
    ylabel: dict[str, str],
    line: float | None,
    apart: bool,
    file: Path,
    data: pd.DataFrame,
) -> Path:
    from viz import responses, save

    return save(responses(table, xlabel=xlabel, ylabel=ylabel, points=points, line=line, apart=apart), file, data)[0]


def _draw_map(
    table: pd.DataFrame, xlabel: str, ylabel: str, label: dict[str, str], share: bool, sampled: bool, file: Path, data: pd.DataFrame
) -> Path:  # fmt: skip
    from viz import response_map, save

    return save(response_map(table, xlabel=xlabel, ylabel=ylabel, label=label, share=share, sampled=sampled), file, data)[0]


def _draw_shares(table: pd.DataFrame, xlabel: str, file: Path, data: pd.DataFrame) -> Path:
    from viz import save, shares

    return save(shares(table, xlabel=xlabel), file, data)[0]


def _slug(factor: Factor) -> str:
    """Return a factor as a part of a file name."""
    letters = (letter if letter.isalnum() and letter.isascii() else " " for letter in factor.label.split(" (")[0].lower())
    return "-".join("".join(letters).split())[:60] or "key"


def _told(factor: Factor, shown: Arrangement, rows: pd.DataFrame) -> str:
    """Return the rest of a caption: what marks and bars mean, what is told apart, what is averaged."""
    what = (
        "means of bins with intervals of 95 % over points, dots: cases"
        if factor.sampled
        else "means over replicas with intervals of 95 %"
    )
    text = f": {what}{_apart(shown)}{_over(shown.averaged)}"
    return text if rows["percolates"].all() else f"{text}; open marks: some cases have no path"


def _apart(shown: Arrangement) -> str:
    texts = [f"by colour: {_names(shown.curves)}"] if shown.curves else []
    texts += [f"side by side: {_names(shown.panels)}"] if shown.panels else []
    return "; " + "; ".join(texts) if texts else ""


def _over(factors: Sequence[Factor]) -> str:
    return f"; averaged over {_names(factors)}" if factors else ""


def _names(factors: Sequence[Factor]) -> str:
    return ", ".join(factor.full for factor in factors)


def _plain(answer: str) -> str:
    return "whether there is a path" if answer == PATH else "ln σ_eff"
