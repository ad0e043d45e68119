"""The served page at work: what its controls change, what is drawn then, and what is sent back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from microstructures.errors import CofireError, InputError
from viz.scenes.page import colour_stops
from viz.serve.choices import NUMBERS, WHOLE, Choices
from viz.serve.faces import Seen, see
from viz.serve.keeping import bar_label, legend, png
from viz.serve.stage import Stage
from viz.serve.subject import Subject

FIELD_TITLES = {"phase": "phase", "grain": "grain", "potential": "potential", "current": "current density"}
DRAWN_BY = ("field", "shown_phases", "clip_x", "clip_y", "clip_z", "corner", "range_percent", "carrier", "axis")
"""Parts of the page's state that change the picture."""
PICTURE_TIMES = 2
"""How much wider than on the page the picture to keep is."""


class Application:
    """Structures, the choices made on the page, and the picture they lead to.

    Parameters
    ----------
    subjects : list of Subject
        The structures.
    server : trame server
        Whose state the page shares.
    """

    def __init__(self, subjects: list[Subject], server: Any) -> None:
        """Draw the first structure."""
        names = [subject.name for subject in subjects]
        if not subjects or len(set(names)) < len(names):
            raise InputError(f"structures are {', '.join(names) or 'none'}; allowed: one or more, each by a name of its own")
        self.subjects = {subject.name: subject for subject in subjects}
        self.server, self.state = server, server.state
        self.stage = Stage()
        self.seen: Seen | None = None
        self.push: Callable[[], Any] = lambda: None
        self._pending = False
        self._solver: threading.Thread | None = None
        self.state.update({"subject": names[0], "subject_names": names, "solving": False, "message": ""})
        self._show_choices(Choices.start(subjects[0].structure))
        self.redraw()
        self.stage.look("corner")
        self.state.change("subject")(lambda **_: self.switch())
        self.state.change(*DRAWN_BY)(lambda **_: self.redraw_soon())

    @property
    def subject(self) -> Subject:
        """Return the structure that is shown."""
        return self.subjects[self.state.subject]

    @property
    def choices(self) -> Choices:
        """Return what the controls say now.

        Raises
        ------
        InputError
            If the page sent what no control can say.
        """
        state = self.state
        return Choices(
            clip_um=tuple((float(low), float(high)) for low, high in (state.clip_x, state.clip_y, state.clip_z)),
            field=state.field,
            hidden=tuple(phase["name"] for phase in state.phases if phase["name"] not in state.shown_phases),
            corner=bool(state.corner),
            range_percent=(float(state.range_percent[0]), float(state.range_percent[1])),
            carrier=state.carrier,
            axis=state.axis,
        )

    def switch(self) -> None:
        """Show another structure, with the choices that still make sense."""
        if self.seen is not None and self.seen.shown.structure is self.subject.structure:
            return
        self._show_choices(self.choices.on(self.subject.structure))
        self.redraw()
        self.stage.look("corner")
        self.push()

    def redraw(self) -> None:
        """Draw what the choices say, and put key and numbers beside it."""
        try:
            choices = self.choices
            self.seen = see(self.subject, choices)
        except CofireError as error:
            self.state.message = str(error)
            return
        self.stage.show(self.seen)
        self._show_key(choices, self.seen)
        self.push()

    def redraw_soon(self) -> None:
        """Draw once all changes that wait are in; a slider sends many."""
        if self._pending:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.redraw()
            return
        self._pending = True

        async def later() -> None:
            await asyncio.sleep(0.03)
            self._pending = False
            with self.state:
                self.redraw()

        loop.create_task(later())  # noqa: RUF006 (the loop runs as long as the page)

    def look(self, view: str) -> None:
        """Look from the corner or along an axis."""
        self.stage.look(view)
        self.push()

    def solve(self) -> None:
        """Start the solver on the structure shown, beside the page; its end shows the field that was asked for."""
        if self.state.solving:
            return
        choices, subject, loop = self.choices, self.subject, asyncio.get_running_loop()
        self.state.update({"solving": True, "message": f"solving {choices.carrier} along {choices.axis}"})

        def work() -> None:
            try:
                found = subject.solve(choices.carrier, choices.axis)
                message = "" if found.fields else f"{choices.carrier} along {choices.axis}: {found.outcome}"
            except CofireError as error:
                message = str(error)
            except MemoryError:
                message = "not enough memory to solve this structure"
            except Exception as error:  # or the page would wait for ever
                message = f"the solver failed: {type(error).__name__}: {error}"
                loop.call_soon_threadsafe(self.solved, message)
                raise
            loop.call_soon_threadsafe(self.solved, message)

        self._solver = threading.Thread(target=work, daemon=True, name="solver")
        self._solver.start()

    def solved(self, message: str) -> None:
        """Show what the solver found: the current, unless the reader already looks at a field."""
        with self.state:
            self.state.update({"solving": False, "message": message})
            if not message and self.state.field not in NUMBERS:
                self.state.field = "current"
            self.redraw()

    def picture(self) -> bytes:
        """Return the picture as it is seen, with title and key, as a PNG file."""
        assert self.seen is not None
        found = png(self.stage.picture(PICTURE_TIMES), self.subject, self.choices, self.seen)
        self.push()
        return found

    def table(self) -> bytes:
        """Return the numbers of all structures as a CSV file."""
        first, *others = [subject.csv() for subject in self.subjects.values()]
        return (first + "".join(text.split("\n", 1)[1] for text in others)).encode()

    def _show_choices(self, choices: Choices) -> None:
        """Set all controls."""
        structure = self.subject.structure
        phases = [{"name": n, "colour": colour, "share": share} for n, colour, share in legend(self.subject)]
        self.state.update(
            {
                "phases": phases,
                "shown_phases": [phase["name"] for phase in phases if phase["name"] not in choices.hidden],
                "edges_um": [round(edge, 9) for edge in structure.edges_um],
                "steps_um": [round(edge * 1e6, 9) for edge in structure.voxel_size],
                **{f"clip_{axis}": list(pair) for axis, pair in zip("xyz", choices.clip_um, strict=True)},
                "field": choices.field,
                "corner": choices.corner,
                "range_percent": list(choices.range_percent),
                "carrier": choices.carrier,
                "axis": choices.axis,
            }
        )

    def _show_key(self, choices: Choices, seen: Seen) -> None:
        """Set the key, the numbers and what is said about them."""
        answer = self.subject.answers.get((choices.carrier, choices.axis))
        found = answer is not None and bool(answer.fields)
        self.state.fields = [
            {"title": title, "value": name, "props": {"disabled": name in NUMBERS and not found}}
            for name, title in FIELD_TITLES.items()
        ]
        self.state.has_scale = seen.scale is not None
        self.state.field_seen = seen.field
        self.state.must_solve = not found
        self.state.bar_css, self.state.bar_text, self.state.range_text = "", "", ""
        if seen.scale is not None and answer is not None:
            low, high = seen.scale.norm.vmin, seen.scale.norm.vmax
            self.state.bar_css = f"linear-gradient(90deg,{colour_stops(seen.scale)})"
            self.state.bar_low, self.state.bar_high = f"{low:.3g}", f"{high:.3g}"
            log = ", logarithmic" if type(seen.scale.norm).__name__ == "LogNorm" else ""
            self.state.bar_text = bar_label(choices, seen.field, answer.temperature_C) + log
            if choices.range_percent != WHOLE:
                share = [float(seen.scale.norm.inverse(percent / 100.0)) for percent in choices.range_percent]
                self.state.range_text = f"{share[0]:.3g} to {share[1]:.3g}"
        rows = self.subject.numbers()
        self.state.numbers = [{"what": what, "value": value, "unit": unit} for what, value, unit in rows]
        if not len(seen.shown.surface):
            self.state.message = "nothing is left to see; show a phase, or widen the clips or the range"
        elif choices.field != seen.field:
            self.state.message = f"{FIELD_TITLES[choices.field]} is not solved for {choices.carrier} along {choices.axis} yet"
        elif not self.state.solving:
            self.state.message = ""
