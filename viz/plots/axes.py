"""What all plots share: style, panels, keys outside of the axes, error bars and logarithmic axes."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.palette import SERIES, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
SYMBOLS = {"ion": "ionic conductivity σ$_i$", "electron": "electronic conductivity σ$_e$"}
MARKERS = {
    **{"solver": "o", "graph": "s", "kMC": "D"},
    **{"cold-pressed": "s", "co-fired": "o"},
    **{"x": "o", "y": "s", "z": "D"},
}
SERIES_MARKERS = ("o", "s", "D", "^", "v", "P")
UNITS = {
    **{"S_per_m": "S m$^{-1}$", "mS_per_cm": "mS cm$^{-1}$", "m2_per_s": "m$^2$ s$^{-1}$", "A_per_m2": "A m$^{-2}$"},
    **{"ohm_m2": "Ω m$^2$", "ohm_cm2": "Ω cm$^2$", "per_m3": "m$^{-3}$", "ohm": "Ω", "Hz": "Hz", "eV": "eV", "nm": "nm"},
    **{"um": "µm", "C": "°C", "K": "K", "s": "s", "m": "m", "MPa": "MPa", "percent": "%"},
}
"""Unit at the end of a column's name, as it is printed."""


def styled(plot: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a plot with our style, and put the user's back afterwards; the figure shows itself in notebooks, without pyplot."""

    @functools.wraps(plot)
    def run(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context(style()):
            figure = plot(*args, **kwargs)
        figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]
        return figure

    return run


def _png(figure: Figure) -> bytes:
    """Return a figure as notebooks show it."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file = io.BytesIO()
    with matplotlib.rc_context(style()):
        FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise an InputError if a column is missing or the table is empty."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(f"the table has no column {', '.join(missing)}; needed: {', '.join(columns)}")
    if table.empty:
        raise InputError("the table has no rows; needed: at least one conductivity")


def axis_label(column: str) -> str:
    """Return the label of an axis from the name of a column: its unit, or 1, in brackets.

    Examples
    --------
    >>> axis_label("thickness_p95_nm"), axis_label("LFP_mass_fraction"), axis_label("sigma_eff_mS_per_cm")
    ('thickness p95 (nm)', 'LFP mass fraction (1)', 'σ$_{eff}$ (mS cm$^{-1}$)')
    """
    unit = next((ending for ending in sorted(UNITS, key=len, reverse=True) if column.endswith("_" + ending)), "")
    words = column.removesuffix("_" + unit) if unit else column
    for plain, shown in (("sigma_eff", "σ$_{eff}$"), ("sigma", "σ")):
        if words.startswith(plain):
            words = shown + words.removeprefix(plain)
            break
    return f"{words.replace('_{', '{').replace('_', ' ').replace('{', '_{')} ({UNITS.get(unit, '1')})"


def looks(names: Sequence[str], known: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return colour and marker of every series: its own where it is known, else those still free, in turn."""
    taken = {known[name] for name in names if name in known}
    used = {MARKERS[name] for name in names if name in known and name in MARKERS}
    colours = iter([colour for colour in SERIES if colour not in taken] * len(names))
    markers = iter([marker for marker in SERIES_MARKERS if marker not in used] * len(names))
    return {
        name: {"color": known[name], "marker": MARKERS.get(name, "o")}
        if name in known
        else {"color": next(colours), "marker": next(markers)}
        for name in names
    }


def make_panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure and `count` panels side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.4, 4.2 * count), height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)  # type: ignore[union-attr, call-arg]
    return figure, [figure.add_subplot(1, count, number + 1) for number in range(count)]


def key_below(axes: Axes, columns: int, *, gap: float = 0.17) -> None:
    """Put the key under the axis label, where it hides nothing; data first, guides last."""
    from matplotlib.container import ErrorbarContainer

    pairs = list(zip(*axes.get_legend_handles_labels(), strict=True))
    if pairs:
        handles, labels = zip(*sorted(pairs, key=lambda pair: not isinstance(pair[0], ErrorbarContainer)), strict=True)
        axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -gap), ncols=columns, columnspacing=1.2,
                    handletextpad=0.5)  # fmt: skip


def error_bars(value: NDArray[np.float64], error: NDArray[np.float64] | None) -> Any:
    """Return error bars that a logarithmic axis can show: the lower end stays above zero."""
    if error is None or not np.isfinite(error).any():
        return None
    known = np.nan_to_num(error)
    return np.stack([np.minimum(known, 0.95 * value), known])


def column(part: pd.DataFrame, name: str) -> NDArray[np.float64] | None:
    """Return a column as numbers, or None where the table has none of that name."""
    return part[name].to_numpy(dtype=float) if name in part.columns else None


def log_limits(axes: Axes, tables: list[pd.DataFrame], *, zeros: bool) -> float:
    """Set a logarithmic axis for all positive values, with a strip for zeros below; return where the strip ends."""
    columns = ("sigma_mS_per_cm", "low_mS_per_cm", "high_mS_per_cm")
    found = np.concatenate([t[c].to_numpy(dtype=float) for t in tables for c in columns if c in t.columns])
    found = found[np.isfinite(found) & (found > 0.0)]
    low, high = (found.min(), found.max()) if found.size else (0.1, 1.0)
    floor = 10.0 ** math.floor(math.log10(low) - 0.3)
    ceiling = 10.0 ** math.ceil(math.log10(high) + 0.03)
    strip = 0.1 * (math.log10(ceiling) - math.log10(floor)) if zeros else 0.0
    axes.set_yscale("log")
    axes.set_ylim(floor * 10.0**-strip, ceiling)
    few_decades(axes, lowest=floor)
    return floor


def strip_for_zeros(axes: Axes, floor: float, label: str = "0 (no path)") -> None:
    """Mark the strip below `floor`, where values of exactly zero are drawn."""
    bottom = axes.get_ylim()[0]
    axes.axhspan(bottom, floor, color="#F0F0F0", linewidth=0, zorder=0)
    ticks = [tick for tick in axes.get_yticks() if tick > floor * 0.999]
    axes.set_yticks([math.sqrt(bottom * floor), *ticks], [label, *(f"$10^{{{round(math.log10(t))}}}$" for t in ticks)])


def few_decades(axes: Axes, lowest: float | None = None) -> None:
    """Label whole decades only, and none below `lowest`."""
    from matplotlib.ticker import FixedLocator, NullFormatter

    axes.autoscale_view()
    for axis, log in ((axes.yaxis, axes.get_yscale()), (axes.xaxis, axes.get_xscale())):
        if log != "log":
            continue
        low, high = sorted(axis.get_view_interval())
        start = math.ceil(math.log10(lowest if lowest is not None else low) - 1e-9)
        stop = math.floor(math.log10(high) + 1e-9)
        if stop - start < 1:
            continue
        decades = range(start, stop + 1, max(1, math.ceil((stop - start) / 7)))
        axis.set_major_locator(FixedLocator([10.0**k for k in decades]))
        between = [m * 10.0**k for k in range(start - 1, stop + 1) for m in range(2, 10)] if stop - start <= 5 else []
        axis.set_minor_locator(FixedLocator([tick for tick in between if tick >= (lowest or low)]))
        axis.set_minor_formatter(NullFormatter())


def label_short_axis(axis: Any) -> None:
    """Label steps within a decade on a logarithmic axis that is not much longer than one."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low)
    if decades > 1.6:
        return
    steps = (1, 1.5, 2, 3, 4, 5, 6, 8) if decades < 0.6 else (1, 2, 4)
    ticks = [step * 10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for step in steps]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
