"""How the served page is laid out: controls on the left, the picture, the numbers on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vtk as vtk_widgets
from trame.widgets import vuetify3 as v3

if TYPE_CHECKING:
    from viz.serve.application import Application

TITLE = "cofire"
STYLE = """
html { overflow: hidden !important; }
.swatch { display: inline-block; width: 15px; height: 15px; border: 1px solid #5a5a5a; margin: 0 8px -2px 0; }
.bar { height: 14px; border: 1px solid #5a5a5a; }
.small { font-size: 13px; color: #5a5a5a; }
.numbers td { padding: 3px 8px; font-size: 13px; border-bottom: 1px solid #ececec; vertical-align: top; }
.numbers td + td { text-align: right; white-space: nowrap; }
.v-btn { text-transform: none !important; letter-spacing: 0 !important; }
.numbers { border-collapse: collapse; width: 100%; }
h2 { font-size: 14px; font-weight: 600; margin: 14px 0 2px; }
"""
COMPACT: dict[str, Any] = {"density": "compact", "hide_details": True}
BUTTON: dict[str, Any] = {"size": "small", "variant": "outlined"}


def lay_out(application: Application) -> None:
    """Build the page of an application."""
    server, state = application.server, application.state
    state.trame__title = TITLE
    state.trame__favicon = None
    with VAppLayout(server):
        client.Style(STYLE)
        with v3.VNavigationDrawer(permanent=True, width=300, classes="px-4 py-2"):
            _what()
            _solving(application)
            _cuts()
        with v3.VNavigationDrawer(permanent=True, width=300, location="right", classes="px-2 py-2"):
            _numbers(application)
        with v3.VMain(style="height: 100vh"), html.Div(style="height: 100%; display: flex; flex-direction: column"):
            with html.Div(style="flex: 1; min-height: 0; position: relative", id="picture"):
                view = vtk_widgets.VtkRemoteView(
                    application.stage.window, ref="view", interactive_ratio=1, interactive_quality=75, still_quality=95
                )
                application.push = view.update
            _key()


def _what() -> None:
    v3.VSelect(label="structure", v_model=("subject",), items=("subject_names",), v_if=("subject_names.length > 1",), **COMPACT)
    html.H2("{{ subject }}", v_if=("subject_names.length == 1",))
    v3.VSelect(label="show", v_model=("field",), items=("fields",), classes="mt-3", id="field", **COMPACT)
    html.H2("phases")
    box = v3.VCheckbox(
        v_for="phase in phases", key=("phase.name",), v_model=("shown_phases",), value=("phase.name",),
        id=("'phase-' + phase.name",), **COMPACT,
    )  # fmt: skip
    with box, v3.Template(v_slot_label=True):
        html.Span(classes="swatch", style=("{ background: phase.colour }",))
        html.Span("{{ phase.name }}  {{ phase.share }}")


def _cuts() -> None:
    html.H2("keep from, to (µm)")
    for number, axis in enumerate("xyz"):
        with html.Div(classes="d-flex align-center"):
            html.Span(axis, style="width: 14px")
            v3.VRangeSlider(
                v_model=(f"clip_{axis}",), min=0, max=(f"edges_um[{number}]",), step=(f"steps_um[{number}]",), strict=True,
                aria_label=f"keep along {axis}", id=f"clip-{axis}", classes="mx-2", thumb_size=16, **COMPACT,
            )  # fmt: skip
            html.Span(
                f"{{{{ clip_{axis}[0].toFixed(2) }}}} – {{{{ clip_{axis}[1].toFixed(2) }}}}",
                classes="small ml-2",
                style="white-space: nowrap",
            )
    v3.VCheckbox(v_model=("corner",), label="cut the corner away", id="corner", **COMPACT)
    with html.Div(v_if=("has_scale",)):
        html.H2("keep values (% of the colour scale)")
        v3.VRangeSlider(
            v_model=("range_percent",), min=0, max=100, step=1, strict=True, aria_label="keep values", id="range",
            classes="mx-2", thumb_size=16, **COMPACT,
        )  # fmt: skip
        html.Span("{{ range_text || 'all' }}", classes="small")


def _solving(application: Application) -> None:
    html.H2("current through the block")
    with html.Div(classes="d-flex"):
        v3.VSelect(label="carrier", v_model=("carrier",), items=("['ion', 'electron']",), **COMPACT)
        v3.VSelect(label="along", v_model=("axis",), items=("['x', 'y', 'z']",), classes="ml-2", **COMPACT)
    v3.VBtn(
        "{{ must_solve ? 'solve' : 'solved' }}", click=application.solve, loading=("solving",),
        disabled=("!must_solve || solving",), id="solve", classes="mt-2", block=True, color="primary", size="small",
    )  # fmt: skip
    html.Div("{{ message }}", classes="small mt-1", id="message", role="status")


def _numbers(application: Application) -> None:
    with html.Table(classes="numbers", id="numbers"), html.Tbody(), html.Tr(v_for="row in numbers", key=("row.what",)):
        html.Td("{{ row.what }}")
        html.Td("{{ row.value }} {{ row.unit }}")
    trigger = application.server.controller.trigger

    @trigger("picture")
    def picture() -> Any:
        return application.server.protocol.addAttachment(application.picture())

    @trigger("table")
    def table() -> Any:
        return application.server.protocol.addAttachment(application.table())

    with html.Div(classes="mt-4 d-flex"):
        v3.VBtn("picture", click="utils.download(subject + '.png', trigger('picture'), 'image/png')", id="png", **BUTTON)
        v3.VBtn(
            "numbers", click="utils.download('numbers.csv', trigger('table'), 'text/csv')", id="csv", classes="ml-2", **BUTTON
        )
    html.Div("a PNG of what is seen, a CSV of what is known", classes="small")
    with html.Div(classes="mt-4 d-flex align-center"):
        html.Span("look along", classes="small mr-2")
        for name in ("corner", "x", "y", "z"):
            v3.VBtn(name, click=(application.look, f"['{name}']"), id=f"look-{name}", classes="mr-1", min_width=0, **BUTTON)
    html.Div("drag to turn, wheel to zoom, shift + drag to move", classes="small mt-2")


def _key() -> None:
    with html.Div(classes="px-8 pb-3", style="text-align: center", v_if=("has_scale",), id="key"):
        html.Div(classes="bar", style=("{ background: bar_css }",))
        with html.Div(classes="d-flex justify-space-between small"):
            html.Span("{{ bar_low }}")
            html.Span("{{ bar_text }}")
            html.Span("{{ bar_high }}")
