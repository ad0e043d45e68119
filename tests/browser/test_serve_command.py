"""`cofire serve` before it serves: what it refuses in one line, the application's state, and who is turned away."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from cofire.cli import main
from cofire.commands.serve import _names
from microstructures.errors import InputError
from viz.serve import Subject, free_port
from viz.serve.address import FIRST_PORT, guard


@pytest.fixture
def taken():
    """Return a port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def refuse(capsys, monkeypatch):
    """Return a function that runs a command which must be refused in one line, with or without trame; it gives the line."""
    monkeypatch.setattr("viz.serve.running.find_spec", lambda package: True)

    def go(*words: object, code: int = 2) -> str:
        assert main(["serve", *map(str, words)]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return go


def test_a_taken_port_says_what_to_do(refuse, files, taken):
    line = refuse(files["one"], "--port", taken)
    assert f"port {taken} on 127.0.0.1 cannot be used" in line
    assert "leave it out" in line


def test_without_a_port_the_next_free_one_is_taken(monkeypatch):
    monkeypatch.setattr("viz.serve.address._refused", lambda host, port: "taken" if port < FIRST_PORT + 3 else None)
    assert free_port("127.0.0.1", None) == FIRST_PORT + 3
    monkeypatch.setattr("viz.serve.address._refused", lambda host, port: "taken")
    with pytest.raises(InputError, match="none of the ports 8050 to 8099 is free"):
        free_port("127.0.0.1", None)


@pytest.mark.parametrize("port", [0, 70000])
def test_impossible_ports_are_refused(refuse, files, port):
    assert "allowed: 1 to 65535" in refuse(files["one"], "--port", port)


def test_an_address_of_another_machine_is_refused(refuse, files):
    assert "on 192.0.2.1 cannot be used" in refuse(files["one"], "--host", "192.0.2.1", "--port", 8098)


def test_a_structure_that_is_not_there_is_refused(refuse, tmp_path):
    assert "none.h5" in refuse(tmp_path / "none.h5", "--no-open")


def test_names_are_told_apart(files):
    assert _names([files["one"], files["two"]]) == ["one", "two"]
    elsewhere = files["one"].parent / "more" / "one.h5"
    assert _names([files["one"], elsewhere]) == [str(files["one"]), str(elsewhere)]
    with pytest.raises(InputError, match="given twice"):
        _names([files["one"], files["one"]])


def test_without_trame_the_way_to_get_it_is_said(refuse, files, monkeypatch):
    monkeypatch.setattr("viz.serve.running.find_spec", lambda package: None)
    assert refuse(files["one"], code=3).endswith("run: pip install 'cofire[serve]'\n")


@pytest.fixture(scope="module")
def application(structure):
    """Return the application that a page would talk to, on a server that does not listen."""
    pytest.importorskip("trame", reason="needs trame: pip install 'cofire[serve]'")
    from viz.serve.running import make_application

    made = make_application([Subject("one", structure), Subject("two", structure.with_(process="image"))], "unit-test")
    yield made
    made.stage.close()


def test_state_becomes_choices_and_faces(application):
    everything = len(application.seen.shown.surface)
    application.state.shown_phases = ["LATP"]
    application.redraw()
    assert application.choices.hidden == ("pore", "LFP")
    assert len(application.seen.shown.surface) != everything
    application.state.shown_phases = []
    application.redraw()
    assert application.state.message.startswith("nothing is left to see")
    application.state.shown_phases = ["LFP", "LATP"]
    application.redraw()
    assert len(application.seen.shown.surface) == everything
    assert application.state.message == ""


def test_nonsense_from_a_page_is_told_and_changes_nothing(application):
    before = application.seen
    application.state.field = "<script>"
    application.redraw()
    assert application.state.message.startswith("field is '<script>'")
    assert application.seen is before
    application.state.field = "phase"
    application.redraw()


def test_solving_beside_the_page_ends_with_the_current(application):
    async def solve() -> None:
        application.state.axis = "y"
        application.solve()
        assert application.state.solving
        while application.state.solving:
            await asyncio.sleep(0.01)

    asyncio.run(solve())
    assert application.state.field == application.seen.field == "current"
    assert application.state.bar_css.startswith("linear-gradient(")
    assert any(row["what"].startswith("ionic conductivity along y") for row in application.state.numbers)
    application.state.carrier = "electron"
    application.redraw()
    assert application.seen.field == "phase"
    assert "not solved" in application.state.message
    application.state.update({"carrier": "ion", "axis": "x", "field": "phase"})
    application.redraw()


def test_another_structure_is_shown_and_both_are_in_the_table(application):
    application.state.subject = "two"
    application.switch()
    assert application.seen.shown.structure is application.subjects["two"].structure
    lines = application.table().decode().splitlines()
    assert lines[0] == "structure,quantity,value,unit"
    assert {line.split(",")[0] for line in lines[1:]} == {"one", "two"}
    assert application.picture().startswith(b"\x89PNG")


def test_two_structures_of_one_name_are_refused(structure):
    pytest.importorskip("trame", reason="needs trame: pip install 'cofire[serve]'")
    from viz.serve.running import make_application

    with pytest.raises(InputError, match="each by a name of its own"):
        make_application([Subject("one", structure), Subject("one", structure)])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example:{port}"}, 403),
    ],
)
def test_other_sites_are_turned_away(headers, status):
    web = pytest.importorskip("aiohttp.web", reason="needs trame: pip install 'cofire[serve]'")
    import aiohttp

    async def ask() -> tuple[int, str]:
        application = web.Application()
        guard(application, "127.0.0.1")
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        filled = {name: value.format(port=port) for name, value in headers.items()}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"http://127.0.0.1:{port}/paraview/", headers=filled) as reply,
            ):
                return reply.status, await reply.text()
        finally:
            await runner.cleanup()

    got, text = asyncio.run(ask())
    assert got == status
    assert got == 403 or json.loads(text)["sessionURL"].startswith("ws://127.0.0.1:")
