"""One case of a study, as one task of a job array computes it."""

from __future__ import annotations

from pathlib import Path

from cofire.store import open_folder
from cofire.study.case import StudyCase
from cofire.study.folder import DiskFullError, StudyFolder
from cofire.study.plan import make_plan, refuse_another
from cofire.study.study_file import Study
from cofire.study.task import compute_and_store, reason_of
from microstructures.errors import InputError


def compute_one(study: str | Path | Study, index: int, out: str | Path, *, many: bool = True) -> tuple[StudyCase, bool]:
    """Compute the case number `index` of a study, as one task of a job array does; others may do the same beside it.

    Returns
    -------
    tuple
        The case, and whether it had to be computed.

    Raises
    ------
    InputError
        If there is no such case, or the folder holds another study.
    """
    plan = make_plan(study, many=many)
    if not 0 <= index < len(plan.cases):
        raise InputError(f"--case is {index}; allowed: 0 to {len(plan.cases) - 1}, the cases of study {plan.study.name}")
    if plan.study.drawn:
        raise InputError(f"study {plan.study.name} names no seed, so every task would draw another; give [study] seed")
    folder = StudyFolder(open_folder(out, "cofire-sweep", overwrite=True))
    if folder.plan_file.exists():
        refuse_another(plan, folder, "choose another --out")
    else:
        folder.store_plan(plan.stored())
    folder.make()
    case = plan.cases[index]
    if folder.is_done(case.name):
        return case, False
    try:
        compute_and_store((case, folder.path), lambda text: None)
    except DiskFullError:
        raise
    except Exception as error:
        folder.store_failure(case, reason_of(error))
        raise
    return case, True
