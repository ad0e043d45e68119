"""What a process may still take: the machine, control groups of both versions, limits, and what the user states."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from microstructures import machine_memory
from microstructures.errors import InputError
from microstructures.machine_memory import available_memory_bytes, gigabytes

GB = 10**9


class Machine:
    """A made-up folder /proc, and control groups beside it."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.groups = folder / "proc", folder / "groups"
        (self.proc / "self").mkdir(parents=True)
        self.groups.mkdir()
        (self.proc / "meminfo").write_text("MemTotal: 64000000 kB\nMemFree: 100 kB\nMemAvailable: 16000000 kB\n")

    def mount(self, kind: str, *, group: str, root: str = "/") -> None:
        options = "rw,memory" if kind == "cgroup" else "rw"
        (self.proc / "self" / "mountinfo").write_text(
            f"22 1 0:21 / /proc rw - proc proc rw\n31 22 0:28 {root} {self.groups} rw,nosuid - {kind} {kind} {options}\n"
        )
        line = f"4:memory,cpu:{group}\n" if kind == "cgroup" else f"0::{group}\n"
        (self.proc / "self" / "cgroup").write_text(f"12:pids:/elsewhere\n{line}")

    def limit(self, group: str, **files: object) -> None:
        folder = self.groups / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"memory.{name}").write_text(f"{text}\n")

    @property
    def left(self) -> int:
        return available_memory_bytes(self.proc)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.delenv("COFIRE_MEMORY_GB", raising=False)
    monkeypatch.setattr(machine_memory, "_address_space_bytes", lambda proc: 2**62)
    return Machine(tmp_path)


def test_available_memory_of_the_machine(machine):
    assert machine.left == 16_000_000 * 1024


def test_version_2_page_cache_counts_as_free(machine):
    machine.mount("cgroup2", group="/job/step")
    machine.limit("job/step", max=4 * GB, current=3 * GB, stat=f"anon {GB}\ninactive_file {GB}\nactive_file {GB // 2}")
    assert machine.left == 4 * GB - 3 * GB + GB + GB // 2


def test_least_of_all_groups_above(machine):
    machine.mount("cgroup2", group="/job/step")
    machine.limit("job/step", max="max", current=GB, stat="inactive_file 0")
    machine.limit("job", max=3 * GB, current=GB, stat="inactive_file 0")
    assert machine.left == 2 * GB


def test_version_1(machine):
    machine.mount("cgroup", group="/slurm/job")
    machine.limit("slurm/job", limit_in_bytes=9223372036854771712, usage_in_bytes=GB, stat="")
    assert machine.left == 16_000_000 * 1024
    machine.limit("slurm", limit_in_bytes=5 * GB, usage_in_bytes=4 * GB, stat=f"total_inactive_file {GB}\ninactive_file 7")
    assert machine.left == 2 * GB


@pytest.mark.parametrize("group", ["/docker/abc", "/../..", "/gone"])
def test_container_that_sees_its_own_group_as_the_mount(machine, group):
    machine.mount("cgroup2", group=group, root="/docker/abc")
    machine.limit(".", max=2 * GB, current=GB, stat="")
    assert machine.left == GB


def test_group_that_used_up_its_limit_leaves_nothing(machine):
    machine.mount("cgroup2", group="/job")
    machine.limit("job", max=GB, current=2 * GB, stat="")
    assert machine.left == 0


def test_stated_memory_goes_before_all(machine, monkeypatch):
    monkeypatch.setenv("COFIRE_MEMORY_GB", " 1.5 ")
    assert machine.left == 1_500_000_000


@pytest.mark.parametrize("text", ["much", "0", "-4", "nan", "inf", "16 GB"])
def test_impossible_statement(machine, monkeypatch, text):
    monkeypatch.setenv("COFIRE_MEMORY_GB", text)
    with pytest.raises(InputError, match=rf"COFIRE_MEMORY_GB is '{text}'; allowed: a number above 0, in GB"):
        _ = machine.left


@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are Linux's")
def test_limit_on_address_space(monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**15, resource.RLIM_INFINITY))
    held = 1024 * int(Path("/proc/self/status").read_text().split("VmSize:")[1].split()[0])
    left = machine_memory._address_space_bytes(Path("/proc"))
    assert 10**15 - 2 * held < left < 10**15 - held // 2


def test_numbers_as_people_read_them():
    assert [gigabytes(n) for n in (0, 227_000_000, 9_999_000_000, 10_750_000_000_000)] == [
        "0 GB",
        "0.227 GB",
        "10 GB",
        "10800 GB",
    ]
