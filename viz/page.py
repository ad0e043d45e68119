"""An interactive page: one HTML file that holds the faces and a small viewer, and opens without a network."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.camera import DIRECTION
from viz.colouring import Shown
from viz.frame import BAR_LABELS, Key, describe

LONGEST_AXIS = 65_535
BAR_STOPS = 17


def write_page(path: Path, shown: Shown, colours: NDArray[np.uint8], key: Key, title: str | None) -> Path:
    """Write the faces of a block as a page to turn, zoom and shift; needs a browser with WebGL 2 and nothing else.

    Parameters
    ----------
    path : Path
        The page to write.
    shown : Shown
        The faces.
    colours : ndarray of shape (n_quads, 3), uint8
        Colour of every face, lighting included.
    key : Key
        How to read the colours.
    title : str or None
        The process unless given.

    Raises
    ------
    InputError
        If an axis is too long for the page.
    """
    longest = -(-max(shown.structure.shape) // shown.stride)
    if longest > LONGEST_AXIS:
        raise InputError(f"the structure is {longest} voxels long; allowed in a page: {LONGEST_AXIS}; crop it")
    heading = shown.structure.process if title is None else title
    scene = {
        "faces": base64.b64encode(_packed_faces(shown, colours)).decode("ascii"),
        "count": len(shown.surface),
        "step": [edge * 1e6 * shown.stride for edge in shown.structure.voxel_size],
        "edges": list(shown.structure.edges_um),
        "eye": list(DIRECTION),
    }
    parts = {
        "TITLE": html.escape(heading),
        "ABOUT": html.escape(describe(shown)),
        "KEY": _key_html(key),
        "SCENE": json.dumps(scene),
    }
    page = re.sub("@(TITLE|ABOUT|KEY|SCENE)@", lambda mark: parts[mark[1]], PAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _packed_faces(shown: Shown, colours: NDArray[np.uint8]) -> bytes:
    """Return 10 bytes a face, compressed: lowest corner (3 x uint16), normal axis and colour (4 x uint8)."""
    corners = shown.surface.points[shown.surface.quads]
    low, high = corners.min(axis=1), corners.max(axis=1)
    faces = np.zeros(len(corners), dtype=[("low", "<u2", 3), ("axis", "u1"), ("colour", "u1", 3)])
    faces["low"], faces["axis"], faces["colour"] = low, np.argmin(high - low, axis=1), colours
    return gzip.compress(faces.tobytes(), compresslevel=6, mtime=0)


def _key_html(key: Key) -> str:
    parts = [f'<span><i style="background:{colour}"></i>{html.escape(text)}</span>' for colour, text in key.entries()]
    if key.scale is not None:
        parts.insert(0, _bar_html(key.scale, BAR_LABELS[key.field]))
    return "".join(parts)


def _bar_html(scale: Any, label: str) -> str:
    from matplotlib.colors import to_hex

    stops = ",".join(to_hex(scale.cmap(share)) for share in np.linspace(0.0, 1.0, BAR_STOPS))
    low, high = scale.norm.vmin, scale.norm.vmax
    kind = " (log)" if type(scale.norm).__name__ == "LogNorm" else ""
    return (
        f'<span>{low:.3g}<i class="bar" style="background:linear-gradient(90deg,{stops})"></i>{high:.3g}'
        f"&ensp;{html.escape(label)}{kind}</span>"
    )


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
html, body { margin: 0; height: 100%; background: #fff; color: #1a1a1a; }
html { font: 15px/1.4 "DejaVu Sans", Verdana, sans-serif; }
body { display: flex; flex-direction: column; text-align: center; overflow: hidden; }
h1 { font-size: 19px; margin: 12px 0 0; }
p { margin: 2px 0; color: #5a5a5a; font-size: 13px; }
main { flex: 1; position: relative; min-height: 0; }
canvas, svg { position: absolute; left: 0; top: 0; width: 100%; height: 100%; }
canvas { cursor: grab; touch-action: none; }
svg { pointer-events: none; }
footer { padding: 8px; }
footer span { display: inline-block; margin: 0 10px; white-space: nowrap; }
i { display: inline-block; width: 15px; height: 15px; border: 1px solid #5a5a5a; margin: 0 7px -3px 0; }
i.bar { width: 220px; margin: 0 7px -3px; }
</style>
</head>
<body>
<h1>@TITLE@</h1>
<p>@ABOUT@</p>
<main><canvas></canvas><svg></svg></main>
<footer>@KEY@
<p id="help">drag to turn, wheel or pinch to zoom, shift + drag to move, double click to start again</p></footer>
<script type="application/json" id="scene">@SCENE@</script>
<script>
"use strict";
const scene = JSON.parse(document.getElementById("scene").textContent);
const canvas = document.querySelector("canvas"), overlay = document.querySelector("svg");
const help = document.getElementById("help");
const gl = canvas.getContext("webgl2", { antialias: true });
const size = Math.hypot(...scene.edges), start = {
  azimuth: Math.atan2(scene.eye[1], scene.eye[0]),
  elevation: Math.atan2(scene.eye[2], Math.hypot(scene.eye[0], scene.eye[1])), zoom: 1, shift: [0, 0] };
let view = structuredClone(start), pending = false;

const VERTEX = `#version 300 es
in uvec3 low; in uint axis; in vec3 colour;
uniform mat3 turn; uniform vec3 step_um, middle; uniform vec2 scale, shift; uniform float depth;
flat out vec3 shade;
void main() {
  vec2 c = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec3 corner = axis == 0u ? vec3(0, c) : axis == 1u ? vec3(c.x, 0, c.y) : vec3(c, 0);
  vec3 seen = turn * ((vec3(low) + corner) * step_um - middle);
  gl_Position = vec4(seen.xy * scale + shift, -seen.z * depth, 1);
  shade = colour;
}`;
const FRAGMENT = `#version 300 es
precision mediump float; flat in vec3 shade; out vec4 pixel;
void main() { pixel = vec4(shade, 1); }`;

function basis() {
  const [a, e] = [view.azimuth, view.elevation];
  return { right: [-Math.sin(a), Math.cos(a), 0],
    up: [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)],
    eye: [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)] };
}
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const pixelsPerUm = () => 0.92 * view.zoom * Math.min(canvas.clientWidth, canvas.clientHeight) / size;

function compile(kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source); gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

async function begin() {
  if (!gl) throw new Error("this browser has no WebGL 2");
  const packed = Uint8Array.from(atob(scene.faces), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const faces = await new Response(stream).arrayBuffer();
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program); gl.useProgram(program);
  const aligned = new Uint8Array(scene.count * 12), from = new Uint8Array(faces);
  for (let f = 0; f < scene.count; f++) aligned.set(from.subarray(10 * f, 10 * f + 10), 12 * f);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, aligned, gl.STATIC_DRAW);
  for (const [name, n, type, offset] of [["low", 3, gl.UNSIGNED_SHORT, 0], ["axis", 1, gl.UNSIGNED_BYTE, 6],
    ["colour", 3, gl.UNSIGNED_BYTE, 7]]) {
    const place = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(place); gl.vertexAttribDivisor(place, 1);
    if (name === "colour") gl.vertexAttribPointer(place, n, type, true, 12, offset);
    else gl.vertexAttribIPointer(place, n, type, 12, offset);
  }
  const at = name => gl.getUniformLocation(program, name);
  const where = { turn: at("turn"), scale: at("scale"), shift: at("shift") };
  gl.uniform3fv(at("step_um"), scene.step); gl.uniform3fv(at("middle"), scene.edges.map(e => e / 2));
  gl.uniform1f(at("depth"), 1 / size);
  gl.enable(gl.DEPTH_TEST); gl.clearColor(1, 1, 1, 1);
  paint = () => draw(where);
  new ResizeObserver(refresh).observe(canvas);
  refresh();
}
let paint = () => {};
function refresh() { if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; paint(); }); } }

function draw(where) {
  const [w, h] = [canvas.clientWidth, canvas.clientHeight], ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  const { right, up, eye } = basis(), s = pixelsPerUm();
  gl.uniformMatrix3fv(where.turn, false, [0, 1, 2].flatMap(k => [right[k], up[k], eye[k]]));
  gl.uniform2f(where.scale, 2 * s / w, 2 * s / h);
  gl.uniform2f(where.shift, 2 * view.shift[0] / w, 2 * view.shift[1] / h);
  gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, scene.count);
  annotate(w, h, s, right, up);
}

function annotate(w, h, s, right, up) {
  const longest = 0.25 * w / s, power = 10 ** Math.floor(Math.log10(longest));
  const bar = [5, 2, 1].map(k => k * power).find(length => length <= longest) || power;
  const label = bar >= 1 ? `${+bar.toPrecision(3)} µm` : `${+(bar * 1000).toPrecision(3)} nm`;
  const x1 = w - 24, x0 = x1 - bar * s, y = h - 34;
  const pen = 'stroke="#1a1a1a" stroke-width="2" fill="none"';
  let svg = `<path d="M${x0} ${y - 5}v10M${x0} ${y}H${x1}M${x1} ${y - 5}v10" ${pen}/>`
    + `<text x="${(x0 + x1) / 2}" y="${y + 22}" text-anchor="middle" font-size="15">${label}</text>`;
  ["x", "y", "z"].forEach((name, k) => {
    const [dx, dy] = [44 * right[k], -44 * up[k]], [ox, oy] = [70, h - 64];
    svg += `<path d="M${ox} ${oy}l${dx} ${dy}" ${pen}/>`
      + `<text x="${ox + 1.3 * dx}" y="${oy + 1.3 * dy + 5}" text-anchor="middle" font-size="15">${name}</text>`;
  });
  overlay.innerHTML = svg;
}

const held = new Map();
canvas.addEventListener("pointerdown", e => {
  canvas.setPointerCapture(e.pointerId); held.set(e.pointerId, [e.clientX, e.clientY]);
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, e => held.delete(e.pointerId));
const spread = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
canvas.addEventListener("pointermove", e => {
  if (!held.has(e.pointerId)) return;
  const before = held.get(e.pointerId), [dx, dy] = [e.clientX - before[0], e.clientY - before[1]];
  const apart = held.size === 2 ? spread() : 0;
  held.set(e.pointerId, [e.clientX, e.clientY]);
  if (apart) view.zoom *= spread() / apart;
  else if (e.shiftKey) view.shift = [view.shift[0] + dx, view.shift[1] - dy];
  else {
    view.azimuth -= 0.008 * dx;
    view.elevation = Math.max(-1.57, Math.min(1.57, view.elevation + 0.008 * dy));
  }
  refresh();
});
canvas.addEventListener("wheel", e => {
  e.preventDefault(); view.zoom = Math.max(0.2, Math.min(60, view.zoom * Math.exp(-0.0015 * e.deltaY))); refresh();
}, { passive: false });
canvas.addEventListener("dblclick", () => { view = structuredClone(start); refresh(); });
begin().catch(error => { help.textContent = `Cannot draw: ${error.message}.`; });
</script>
</body>
</html>
"""
