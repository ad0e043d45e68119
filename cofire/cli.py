"""The command line: which commands there are, and how errors reach the user."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cofire.commands import (
    animate,
    build,
    calibrate,
    compare,
    conduct,
    doctor,
    hop,
    image,
    info,
    percolate,
    report,
    rerun,
    serve,
    show,
    status,
    sweep,
)  # fmt: skip
from cofire.environment import check_environment
from cofire.provenance import note_options, running
from cofire.version import __version__
from microstructures.errors import CofireError

_ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""Base of all errors of the command-line library; public only through its children."""

INTERRUPTED, BROKEN_PIPE = 130, 141
"""Exit codes as a shell gives them: 128 + SIGINT, 128 + SIGPIPE."""

app = typer.Typer(
    name="cofire",
    help="What does a composite solid-state cathode conduct, and why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cofire {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """What does a composite solid-state cathode conduct, and why?"""


app.command("compare")(compare.run)
app.command("calibrate")(calibrate.run)
app.command("build")(build.run)
app.command("import")(image.run)
app.command("info")(info.run)
app.command("conduct")(conduct.run)
app.command("percolate")(percolate.run)
app.command("hop")(hop.run)
app.command("sweep")(sweep.run)
app.command("status")(status.run)
app.command("report")(report.run)
app.command("rerun")(rerun.run)
app.command("show")(show.run)
app.add_typer(animate.app, name="animate")
app.command("serve")(serve.run)
app.command("doctor")(doctor.run)


class _Noted(TyperCommand):
    """A command whose options are remembered for the record that its answer carries."""

    def invoke(self, ctx: Any) -> Any:
        note_options(ctx.params)
        return super().invoke(ctx)


for _one in app.registered_commands:
    _one.cls = _Noted


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 some cases failed, 2 bad input, 3 missing extra, 130 interrupted."""
    with running(sys.argv[1:] if arguments is None else arguments):
        return _run(arguments)


def _run(arguments: list[str] | None) -> int:
    try:
        check_environment()
        code = int(typer.main.get_command(app).main(arguments, prog_name="cofire", standalone_mode=False) or 0)
        return _fail("interrupted", code) if code == INTERRUPTED else code
    except _ClickError as error:
        return _usage(error)
    except CofireError as error:
        return _fail(" ".join(str(error).split()), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except SystemError as error:  # an interrupt inside a compiled kernel comes wrapped
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return _fail("interrupted", INTERRUPTED)
    except ModuleNotFoundError as error:
        return _fail(f"package '{error.name}' is not installed; run: pip install {error.name}", 3)
    except MemoryError:
        return _fail("not enough memory; use a smaller box, larger voxels or fewer workers", 2)
    except RecursionError:
        return _fail("an input file is nested far too deeply; allowed: the tables of the documented form; correct it", 2)
    except (BrokenPipeError, SystemExit):  # nobody reads any more, as after `| head`: no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except OSError as error:
        where = "" if error.filename is None else f"{str(error.filename)[:200]}: "
        return _fail(f"{where}{error.strerror or error}; check the path, free space and permissions", 2)


def _usage(error: Any) -> int:
    """Say in one line what is wrong with the words of a command; a bare `cofire` prints its help."""
    text = error.format_message()
    if text.startswith("Usage:"):
        sys.stderr.write(text + "\n")
        return 2
    close = getattr(error, "possibilities", None)
    meant = f"; did you mean {' or '.join(close)}?" if close and not any(word in text for word in ("mean", "Possible")) else ""
    command = getattr(getattr(error, "ctx", None), "command_path", "cofire")
    return _fail(f"{' '.join(text.split()).rstrip('.')}{meant}; see {command} --help", 2)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


def entry() -> None:
    """Start from the console script."""
    sys.exit(main())
