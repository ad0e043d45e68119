"""TOML files of users: what is wrong is said by key and by line, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from microstructures.errors import InputError, MaterialsError, clear_line
from microstructures.toml_file import parse_toml, read_toml
from microstructures.wrong_value import wrong_value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\n# a = 2\n\na = 3", "the key 'a' twice, on lines 1 and 4"),
        ("[p]\nx = 1\n[f]\nx = 2\n[p]\ny = 1", "the key 'p' twice, on lines 1 and 5"),
        ("[p]\nx = 1\n[f]\nx = 2\nx = 3", "the key 'f.x' twice, on lines 4 and 5"),
        ("[p]\nx.y = 1\nx = 2", "'p.x.y' on line 2 and 'p.x' on line 3, one inside the other"),
        ("a = {b = 1}\na.b = 2", "'a' on line 1 and 'a.b' on line 2, one inside the other"),
        ("[[a]]\nx = 1\n[[a]]\nx = 2\nx = 3", "the key 'a.x' twice, on lines 4 and 5"),
        ("[[a]]\n[a.b]\n[[a]]\n[a.b]\n[a.b]", "the key 'a.b' twice, on lines 4 and 5"),
        ('a = """\nq.r = 1\n"""\n"q.r" = [\n  1, # ]\n]\n\'q.r\' = 3', "the key 'q.r' twice, on lines 4 and 7"),
        ("[ a . 'b' ]\n['a'.b]", "the key 'a.b' twice, on lines 1 and 2"),
        ("x = 1\r\ny = 2\r\nx = 3\r\n", "the key 'x' twice, on lines 1 and 3"),
        ("x = {a = 1, a = 2}", "the key 'a' twice, both on line 1"),
        ("ok = 1\na = 0,6", "line 2, 'a = 0,6'; write decimals with a point"),
        ("a = True", "small letters"),
        ("a = None", "leave the line out"),
        ("a = 010", "leading zero"),
        ("a = LFP", "quotes"),
        ("a: 3", "key = value"),
        ("a = 2021-02-31", "Invalid date"),
        ("a = 1\n[b", "line 2"),
        ("a = " + "9" * 5000, "4300 digits"),
        ("", "is empty"),
        ("# remark", "is empty"),
        ("x = " + "[" * 3000, "nested too deeply"),
        ("x = {" + "a." * 3000 + "b = 1}", "nested too deeply"),
    ],
    ids=lambda text: clear_line(text, 30),
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(MaterialsError) as caught:
        parse_toml(text.encode(), "r.toml", MaterialsError)
    message = str(caught.value)
    assert words in message
    assert message.startswith("r.toml ")
    assert len(message.splitlines()) == 1
    assert len(message) < 400


@pytest.mark.parametrize(
    "text", ["a.b = 1\na.c = 2", "[a.b]\nx = 1\n[a]\ny = 2", "[[a]]\nx = 1\n[[a]]\nx = 1", "x = [1.0, 2.0]"]
)
def test_what_is_right_is_taken(text: str) -> None:
    assert parse_toml(b"\xef\xbb\xbf" + text.encode(), "r.toml")


def test_lists_of_many_numbers_are_no_long_keys() -> None:
    text = "x = [" + ", ".join(["0.5"] * 5000) + ']\ny = "' + "a.b " * 500 + '"'
    assert len(parse_toml(text.encode(), "r.toml")["x"]) == 5000


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_bytes(b"a = 1\n" + b"#" * 94)
    assert read_toml(file, "study", largest_bytes=100) == {"a": 1}
    with pytest.raises(InputError, match=r"study .*r\.toml has 100 bytes; allowed: 99"):
        read_toml(file, "study", largest_bytes=99)


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    depth_nm: float = Field(1.0, ge=0.0, le=10.0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    share: float = Field(0.5, le=1.0)
    barrier_eV: float = Field(0.3, ge=0.0, le=5.0)
    inner: Inner | None = None
    several: dict[str, Inner] = Field(default_factory=dict)
    rows: list[Inner] = Field(default_factory=list)
    count: int = 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"shar": 1.0}, "unknown key 'shar'; did you mean 'share'?"),
        ({"inner": {"dpth_nm": 1.0}}, "unknown key 'inner.dpth_nm'; did you mean 'depth_nm'?"),
        ({"several": {"A": {"share": 1.0}}}, "unknown key 'several.A.share'; allowed: depth_nm"),
        ({"rows": [{"x": 1}]}, "unknown key 'rows.0.x'; allowed: depth_nm"),
        ({"share": 60.0}, "share is 60.0; allowed: less than or equal to 1; did you mean 0.6?"),
        ({"barrier_eV": 290.0}, "did you mean 0.29 eV?"),
        ({"share": "0,6"}, "did you mean 0.6, without quotes?"),
        ({"share": "much"}, "share is 'much'; allowed: a valid number; correct it"),
        ({"share": [[[[1]]]]}, "share is [[[[1]]]]"),
        ({"inner": 3}, "inner is 3; allowed: "),
        ({"count": 1.5}, "count is 1.5; allowed: "),
        ({"share": "x" * 5000}, "..."),
        ({"x" * 5000: 1}, "unknown key 'xxx"),
    ],
    ids=lambda value: clear_line(str(value), 40),
)
def test_wrong_values(table: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(table)
    line = wrong_value(caught.value, Outer)
    assert words in line
    assert len(line) < 500
    assert line.isprintable()
