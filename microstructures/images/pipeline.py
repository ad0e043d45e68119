"""Bring a real image in: read, crop, segment, report, repair what the user asks for, tell grains apart.

Nothing is repaired unless asked for; every step that changes a voxel is counted and stored in the recipe.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.formats import Image, RawLayout, load_image, structure_of
from microstructures.formats.guard import given_edges_nm, voxel_edges_nm
from microstructures.images.repair import Span, crop, majority_filter, remove_islands, resample_cubic, slices_of
from microstructures.images.report import SMALL_PIECE_VOXELS, PhaseReport, report_image
from microstructures.notebook import InNotebook
from microstructures.segment import MARKER_RULE, DenseSolidWarning, watershed_grains
from microstructures.structure import VoxelStructure

PORE = "pore"


@dataclass(frozen=True)
class ImportedImage(InNotebook):
    """An imported image and what was found and done on the way.

    Attributes
    ----------
    structure : VoxelStructure
        The result; its recipe repeats thresholds and steps.
    found : mapping of str to PhaseReport
        What every phase consists of, before any repair.
    left : mapping of str to PhaseReport or None
        The same after the repairs; None if there were none.
    small_below_voxels : int
        Pieces of fewer voxels are counted as islands.
    thresholds : mapping or None
        Method, values and voxels per label, for a grey image.
    steps : tuple of mappings
        What was changed, in order: crop, resample, median, remove-islands, each with its numbers.
    notes, warnings : tuple of str
        What the user should know, one sentence each.
    grey, segmented : ndarray or None
        Grey values and labels of the (cropped) grey image, before any repair, for a preview.
    """

    structure: VoxelStructure
    found: Mapping[str, PhaseReport]
    left: Mapping[str, PhaseReport] | None = None
    small_below_voxels: int = SMALL_PIECE_VOXELS
    thresholds: Mapping[str, Any] | None = None
    steps: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    grey: NDArray[Any] | None = field(default=None, repr=False)
    segmented: NDArray[np.uint8] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        structure = self.structure
        return {
            "image": structure.recipe.get("image"),
            "shape": list(structure.shape),
            "voxel_nm": list(structure.voxel_nm),
            "phases": {str(label): name for label, name in structure.phases.items()},
            "thresholds": None if self.thresholds is None else dict(self.thresholds),
            "small_below_voxels": self.small_below_voxels,
            "found": {name: phase.to_dict() for name, phase in self.found.items()},
            "steps": [dict(step) for step in self.steps],
            "left": None if self.left is None else {name: phase.to_dict() for name, phase in self.left.items()},
            "grains": structure.n_grains,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def import_image(
    path: str | Path,
    *,
    voxel_nm: float | Sequence[float] | None = None,
    phases: Mapping[int, str] | None = None,
    thresholds: str | Sequence[float] | None = None,
    dataset: str | None = None,
    raw: RawLayout | None = None,
    crop_to: Sequence[Span] | None = None,
    resample_nm: float | None = None,
    median_voxels: int | None = None,
    remove_islands_below: int | None = None,
    segment_grains: bool = False,
) -> ImportedImage:
    """Read an image, report what is in it, and repair what is asked for.

    Parameters
    ----------
    path, voxel_nm, phases, thresholds, dataset, raw
        As for `microstructures.read`; `phases` must name every label.
    crop_to : three pairs of int or None, optional
        First voxel and the one behind the last along x, y, z; done first, so that thresholds see the crop only.
    resample_nm : float, optional
        Edge of new cubic voxels [nm], nearest neighbour.
    median_voxels : int, optional
        Edge of the majority filter [voxels].
    remove_islands_below : int, optional
        Pieces of fewer voxels take the label around them; also the limit of the report.
    segment_grains : bool
        Tell grains apart by a watershed.

    Returns
    -------
    ImportedImage

    Raises
    ------
    InputError
        If an option does not fit the image, or a label has no name.
    FormatError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> labels = np.ones((9, 9, 9), dtype=np.uint8)
    >>> labels[4, 4, 4] = 0
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(file := pathlib.Path(folder) / "scan.npy", labels)
    ...     scan = import_image(file, voxel_nm=50, phases={0: "pore", 1: "LATP"}, remove_islands_below=8)
    >>> scan.found["pore"].single_voxels, scan.steps[0]["voxels_changed"]
    (1, 1)
    """
    loaded = load_image(path, dataset=dataset, raw=raw)
    steps: list[dict[str, Any]] = []
    grey: NDArray[Any] | None = None
    notes: list[str] = []
    warnings: list[str] = []
    if isinstance(loaded, Image):
        notes += loaded.notes
        if crop_to is not None:
            loaded = _cropped(loaded, crop_to, steps)
        structure = structure_of(loaded, Path(path), voxel_nm=voxel_nm, phases=phases, thresholds=thresholds)
        grey = loaded.values if thresholds is not None else None
    else:
        structure = _of_ours(loaded, Path(path), voxel_nm, phases, thresholds)
        if crop_to is not None:
            before = structure.labels.size
            structure = crop(structure, crop_to)
            steps.append(_crop_step(slices_of(crop_to, loaded.shape), before))
    _check_names(structure.labels, phases)
    segmented = structure.labels if grey is not None else None
    chosen = structure.recipe.get("thresholds") if grey is not None else None
    if chosen is not None and len(chosen["values"]) > 1:
        notes.append(
            "edges between dark and bright pass through the grey of the phases between: look for thin rims in the preview; "
            "--median thins them and --remove-islands takes the crumbs"
        )
    if resample_nm is not None:
        before = structure.labels.size
        structure = resample_cubic(structure, resample_nm)
        steps.append(
            {"step": "resample", "voxel_nm": resample_nm, "voxels_before": before, "voxels_after": structure.labels.size}
        )
    limit = SMALL_PIECE_VOXELS if remove_islands_below is None else remove_islands_below
    found = report_image(structure, small_below_voxels=limit)
    if median_voxels is not None:
        structure, changed = majority_filter(structure, median_voxels)
        steps.append({"step": "median", "edge_voxels": median_voxels, "voxels_changed": changed})
    if remove_islands_below is not None:
        structure, changed = remove_islands(structure, remove_islands_below)
        steps.append({"step": "remove-islands", "smaller_than_voxels": remove_islands_below, "voxels_changed": changed})
    repaired = median_voxels is not None or remove_islands_below is not None
    left = report_image(structure, small_below_voxels=limit) if repaired else None
    recipe = {**structure.recipe, **({"steps": steps} if steps else {})}
    if segment_grains:
        structure = _with_grains(structure, notes, warnings)
        recipe["grains"] = MARKER_RULE
    return ImportedImage(
        structure=structure.with_(recipe=recipe),
        found=found,
        left=left,
        small_below_voxels=limit,
        thresholds=chosen,
        steps=tuple(steps),
        notes=tuple(notes),
        warnings=tuple(warnings),
        grey=grey,
        segmented=segmented,
    )


def _cropped(image: Image, spans: Sequence[Span], steps: list[dict[str, Any]]) -> Image:
    box = slices_of(spans, image.values.shape)
    steps.append(_crop_step(box, image.values.size))
    return replace(
        image,
        values=np.ascontiguousarray(image.values[box]),
        grains=None if image.grains is None else np.ascontiguousarray(image.grains[box]),
    )


def _crop_step(box: Sequence[slice], before: int) -> dict[str, Any]:
    kept = int(np.prod([part.stop - part.start for part in box]))
    spans = {axis: [part.start, part.stop] for axis, part in zip("xyz", box, strict=True)}
    return {"step": "crop", "box": spans, "voxels_before": before, "voxels_after": kept}


def _of_ours(
    structure: VoxelStructure, path: Path, voxel_nm: Any, phases: Mapping[int, str] | None, thresholds: Any
) -> VoxelStructure:
    if thresholds is not None:
        raise InputError(f"{path} is a structure with labels already; leave the thresholds out")
    given_nm = given_edges_nm(voxel_nm)
    if given_nm is not None:
        voxel_edges_nm(path, given_nm, structure.voxel_size)
    return structure if phases is None else structure.with_(phases=phases)


def _check_names(labels: NDArray[np.uint8], names: Mapping[int, str] | None) -> None:
    if names is None:
        return
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()
    unnamed = [label for label in present if label not in names]
    if unnamed:
        raise InputError(f"the image holds labels {unnamed} that --phases does not name; add {unnamed[0]}=NAME")


def _with_grains(structure: VoxelStructure, notes: list[str], warnings: list[str]) -> VoxelStructure:
    pore = next((label for label, name in structure.phases.items() if name == PORE), 0)
    if structure.grains is not None:
        warnings.append("the grains of the file are replaced by those of the watershed")
    notes.append(MARKER_RULE)
    with python_warnings.catch_warnings(record=True) as raised:
        python_warnings.simplefilter("always", DenseSolidWarning)
        grains = watershed_grains(structure, background=pore)
    warnings.extend(str(entry.message) for entry in raised)
    return structure.with_(grains=grains)
