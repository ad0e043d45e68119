"""Why fired and pressed differ, and how sure the numbers are: waterfall, scenarios, what would close the gap, error budget.

Waterfall bodies have the run's own voxels; scenarios, gaps and the extra solves of the budget have the coarsest that the particles
allow, because only differences count there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cofire.experiment.budget.error_budget import error_budget
from cofire.experiment.budget.error_variants import budget_variants, coarse_level, study_variants, voxel_levels
from cofire.experiment.budget.parameter_error import study_parameters
from cofire.experiment.gap.closing import close_gap, falsifiable_statement, find_gaps, gap_table
from cofire.experiment.scenarios.scenario_table import observations, scenario_table
from cofire.experiment.scenarios.scenarios import scenario_variants
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Variant, group_by_body, run_variants
from cofire.experiment.waterfall import waterfall, waterfall_variants
from cofire.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[int, int, str], Any]


@dataclass(frozen=True)
class Explanation:
    """What explains a comparison; every table is described where it is made.

    Attributes
    ----------
    waterfall : DataFrame
        `cofire.experiment.waterfall`.
    scenarios, observations : DataFrame
        `cofire.experiment.scenarios.scenario_table`.
    gaps : DataFrame
        `cofire.experiment.gap.closing`.
    budget : DataFrame
        `cofire.experiment.budget.error_budget`.
    statement : str
        What a measurement of the cold-pressed activation energy would decide.
    coarse_nm : float
        Voxel edge [nm] of all but the waterfall.
    """

    waterfall: pd.DataFrame
    scenarios: pd.DataFrame
    observations: pd.DataFrame
    gaps: pd.DataFrame
    budget: pd.DataFrame
    statement: str
    coarse_nm: float

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by the names of their files."""
        return {
            "waterfall": self.waterfall,
            "scenarios": self.scenarios,
            "observations": self.observations,
            "gaps": self.gaps,
            "budget": self.budget,
        }


@dataclass(frozen=True)
class _Task:
    """A function that is importable by name, and what it is given."""

    function: Callable[[Any, Callable[[str], Any]], list[dict[str, Any]]]
    item: Any


def explain(
    estimates: pd.DataFrame,
    setting: Setting,
    *,
    workers: Workers,
    say: Say = lambda done, tasks, text: None,
) -> Explanation:
    """Explain a comparison.

    Parameters
    ----------
    estimates : DataFrame
        One row per process, seed, carrier and estimator of the comparison.
    setting : Setting
        The comparison.
    workers : Workers
        Processes to run in.
    say : callable
        Called with the number of tasks done, of all, and a short text.
    """
    import pandas as pd

    coarse = replace(setting, voxel_nm=coarse_level(voxel_levels(setting.recipe, setting.voxel_nm)))
    chain = waterfall_variants(setting)
    known = [_of_comparison(one, estimates, setting) for one in chain]
    parts = {
        "waterfall": _solving([one for one, row in zip(chain, known, strict=True) if row.empty]),
        "scenarios": _solving(scenario_variants(coarse)),
        "budget": _solving(budget_variants(setting)),
        "study": [_Task(study_parameters, one) for one in study_variants(setting)],
    }
    tasks = [task for part in parts.values() for task in part]
    gaps_to_come = 6
    every = len(tasks) + gaps_to_come
    answers = iter(workers.run(_run, tasks, lambda done, text: say(done, every, text)))
    rows = {name: pd.DataFrame([row for _ in part for row in next(answers)]) for name, part in parts.items()}
    steps = pd.concat([*known, rows["waterfall"]])
    order = {one.name: k for k, one in enumerate(chain[: len(chain) // len(setting.seeds)])}
    steps = steps.sort_values("variant", key=lambda names: names.map(order), kind="stable")
    gaps = [_Task(close_gap, gap) for gap in find_gaps(rows["scenarios"], coarse)]
    closed = workers.run(_run, gaps, lambda done, text: say(len(tasks) + done, every, text))
    table = gap_table(closed)
    scenarios = scenario_table(rows["scenarios"])
    return Explanation(
        waterfall=waterfall(steps),
        scenarios=scenarios,
        observations=observations(scenarios),
        gaps=table,
        budget=error_budget(estimates, rows["budget"], rows["study"], setting),
        statement=falsifiable_statement(table),
        coarse_nm=coarse.voxel_nm,
    )


def _of_comparison(variant: Variant, estimates: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Return what the comparison's own solver found, where a variant is one of its bodies; else nothing."""
    if variant.body.recipe != setting.recipe or variant.materials is not setting.materials:
        return estimates.iloc[:0]
    body = variant.body
    same = (estimates["process"] == body.process) & (estimates["seed"] == body.seed) & (estimates["estimator"] == "solver")
    return estimates[same].assign(variant=variant.name)


def _solving(variants: Sequence[Variant]) -> list[_Task]:
    return [_Task(run_variants, group) for group in group_by_body(variants)]


def _run(task: _Task, say: Callable[[str], Any]) -> list[dict[str, Any]]:
    return task.function(task.item, say)
