"""How the command line starts: light imports, help, version, and words it does not know."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

COMMANDS = (
    "compare",
    "calibrate",
    "build",
    "import",
    "info",
    "conduct",
    "percolate",
    "hop",
    "show",
    "animate",
    "serve",
    "doctor",
)
HEAVY = (
    "numpy", "numba", "scipy", "pandas", "pyvista", "vtk", "vtkmodules", "matplotlib", "h5py", "pydantic", "networkx", "skimage",
    "tifffile", "pyarrow", "jinja2",
)  # fmt: skip


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


def _loaded_by(code: str) -> list[str]:
    ran = _python(
        "-c", f"import sys, json\n{code}\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]), file=sys.stderr)"
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stderr)
    assert isinstance(found, list)
    return found


def test_help_loads_nothing_heavy():
    assert _loaded_by("import cofire.cli\ncofire.cli.main(['--help'])") == []


def test_help_of_a_command_loads_nothing_heavy_but_what_reads_the_options():
    assert set(_loaded_by("import cofire.cli\ncofire.cli.main(['conduct', '--help'])")) <= {"pydantic"}


def test_the_front_door_loads_nothing_heavy():
    assert _loaded_by("import cofire, microstructures") == []


def test_pictures_load_when_they_are_drawn():
    assert not {"pyvista", "vtk", "vtkmodules", "matplotlib"} & set(_loaded_by("import cofire, kmc, microstructures, viz"))


def test_public_names_stay_what_they_are():
    _loaded_by(
        "import cofire, cofire.cli, contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()): assert cofire.cli.main(['doctor', '--json']) == 0\n"
        "import cofire.commands.compare, cofire.experiment.comparing\n"
        "for name in dir(cofire): assert type(getattr(cofire, name)) is type(getattr(cofire, name)), name\n"
        "assert callable(cofire.compare) and callable(cofire.doctor) and callable(cofire.build)"
    )


def test_module_and_help():
    ran = _python("-m", "cofire", "--help")
    assert ran.returncode == 0
    assert ran.stderr == ""
    for command in COMMANDS:
        assert command in ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(done, command):
    assert f"Usage: cofire {command}" in done(command, "--help").out


def test_version(done):
    from cofire import __version__

    assert done("--version").out == f"cofire {__version__}\n"


def test_bare_command_prints_help_and_fails(run):
    ran = run()
    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bild",), "build"),
        (("build", "cold-pressed"), "--out"),
        (("build", "--out", "s.h5"), "{cold-pressed|co-fired}"),
        (("info",), "STRUCTURE"),
        (("conduct", "a.npy", "--voxl-nm", "25"), "--voxel-nm"),
        (("conduct", "a.npy", "b.npy"), "b.npy"),
        (("conduct", "a.npy", "--axis"), "--axis"),
        (("doctor", "--verbose"), "--verbose"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_words_say_what_and_where_help_is(refuse, words, says):
    line = refuse(*words)
    assert says in line
    assert "--help" in line
