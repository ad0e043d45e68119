"""Whatever happens to a study on its way, the table in the end is that of an undisturbed run, byte for byte."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cofire.study.lock import OWN_FILES, only_driver
from cofire.study.one_case import compute_one
from cofire.study.plan import make_plan
from cofire.study.rerun import rerun
from cofire.study.status import study_status
from cofire.study.sweep import SweepResult, sweep
from cofire.study.table import read_study
from microstructures.errors import CofireError, FormatError, InputError

TABLES = ("table.csv", "table.parquet")
PATIENCE_S = 240.0


def same_table(folder: Path, finished: SweepResult) -> bool:
    return all((folder / name).read_bytes() == (finished.folder / name).read_bytes() for name in TABLES)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def finished_cases(folder: Path) -> int:
    return len(list(folder.glob("cases/[0-9a-f]*/case.json")))


@contextmanager
def driver(study: Path, out: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a sweep in a process of its own, and end it in any case."""
    command = [sys.executable, "-m", "cofire", "sweep", str(study), "--out", str(out), "--workers", "1", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that compute; one of multiprocessing's own keeps count of resources."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.parametrize("workers", [2, 5])
def test_workers_and_order_do_not_matter(study_file, tmp_path, finished, workers):
    def shuffled(names: list[str]) -> list[str]:
        return random.Random(workers).sample(names, len(names))

    found = sweep(study_file, out=tmp_path / "study", workers=workers, order=shuffled)
    assert (found.done, found.outcome) == (8, "done")
    assert same_table(found.folder, finished)


def test_a_stopped_study_goes_on(study_file, tmp_path, finished):
    out = tmp_path / "study"
    first = sweep(study_file, out=out, workers=1, stop=lambda: finished_cases(out) >= 2)
    assert first.outcome == "stopped"
    assert 2 <= first.done < 8
    second = sweep(study_file, out=out, workers=1, resume=True)
    assert (second.outcome, second.computed) == ("done", 8 - first.done)
    assert same_table(out, finished)


def test_a_driver_that_is_killed(study_file, tmp_path, finished):
    out = tmp_path / "study"
    with driver(study_file, out) as process:
        until(lambda: finished_cases(out) >= 1)
        workers = workers_of(process)
        process.kill()
        process.wait()
        until(lambda: not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers))
    assert finished_cases(out) < 8
    sweep(study_file, out=out, workers=1, resume=True)
    assert same_table(out, finished)
    assert not list(out.rglob("*.partial*"))
    assert not [entry for entry in (out / "cases").iterdir() if entry.name[0] == "."]


def test_a_worker_that_is_killed_once_is_replaced(study_file, tmp_path, finished):
    out = tmp_path / "study"
    with driver(study_file, out) as process:
        until(lambda: finished_cases(out) >= 1)
        for worker in workers_of(process):
            worker.kill()
        assert process.wait(PATIENCE_S) == 0
    assert same_table(out, finished)


def test_76_a_case_whose_worker_dies_twice_is_marked_and_the_rest_goes_on(study_file, tmp_path, finished):
    out = tmp_path / "study"
    with driver(study_file, out) as process:
        for _ in range(2):  # nothing is finished yet, so both times it is the first case
            until(lambda: bool(workers_of(process)) and bool(list(out.glob("structures/.*.lock"))))
            for lock in out.glob("structures/.*.lock"):
                lock.unlink()
            for worker in workers_of(process):
                worker.kill()
                worker.wait()
        _, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1, told
    assert "--workers" in told
    assert "Traceback" not in told
    status = study_status(out)
    assert (status.done, len(status.failed)) == (7, 1)
    assert sweep(study_file, out=out, workers=1, resume=True).computed == 1
    assert same_table(out, finished)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["72-SIGTERM", "72-SIGINT"])
def test_a_signal_lets_running_cases_end(study_file, tmp_path, finished, number, code):
    out = tmp_path / "study"
    with driver(study_file, out) as process:
        until(lambda: finished_cases(out) >= 1)
        process.send_signal(number)
        _, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code, told
    assert "Traceback" not in told
    assert f"--out {out} --resume" in told
    status = study_status(out)
    assert 1 <= status.done < 8
    assert status.driver is None
    sweep(study_file, out=out, workers=1, resume=True)
    assert same_table(out, finished)


def test_72_a_second_interrupt_ends_it_at_once(study_file, tmp_path, finished):
    out = tmp_path / "study"
    with driver(study_file, out) as process:
        until(lambda: finished_cases(out) >= 1)
        workers = workers_of(process)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        _, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130, told
        assert "Traceback" not in told
        until(lambda: not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers))
    sweep(study_file, out=out, workers=1, resume=True)
    assert same_table(out, finished)


def test_70_a_disk_that_is_full(study_file, tmp_path, finished):
    """No file may grow beyond 20 kB, which a structure needs and a plan does not."""
    out = tmp_path / "study"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    command = [sys.executable, "-m", "cofire", "sweep", str(study_file), "--out", str(out), "--workers", "1"]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1])),
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("error: no space left")
    assert "--resume" in last
    assert "Traceback" not in ran.stderr
    assert not list((out / "failed").iterdir())  # the disk is to blame, not the case
    sweep(study_file, out=out, workers=1, resume=True)
    assert same_table(out, finished)


def test_73_two_drivers_in_one_folder(study_file, tmp_path):
    out = tmp_path / "study"
    out.mkdir()
    with only_driver(out), pytest.raises(InputError, match=rf"process {os.getpid()} on .* since 20"):
        sweep(study_file, out=out, workers=1)
    assert not finished_cases(out)
    assert not (out / "study.json").exists()


def copy_of(finished: SweepResult, folder: Path, *, without: int = 0) -> Path:
    """Copy a finished study, some of its cases left out."""
    shutil.copytree(finished.folder, folder)
    for case in sorted((folder / "cases").iterdir())[:without]:
        shutil.rmtree(case)
    return folder


def test_77_what_a_clock_says_does_not_matter(study_file, tmp_path, finished):
    out = copy_of(finished, tmp_path / "study", without=2)
    for number, path in enumerate(out.rglob("*")):
        os.utime(path, (4e9, 4e9) if number % 2 else (0, 0))
    assert sweep(study_file, out=out, workers=1, resume=True).computed == 2
    assert same_table(out, finished)


def test_74_a_folder_that_holds_a_study_is_not_mixed(study_file, tmp_path, finished):
    out = copy_of(finished, tmp_path / "study")
    with pytest.raises(InputError, match="--resume"):
        sweep(study_file, out=out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        sweep(study_file, out=tmp_path / "other")


def test_a_driver_that_dies_before_it_has_written_anything(study_file, tmp_path):
    out = tmp_path / "study"
    out.mkdir()
    for name in OWN_FILES:
        (out / name).touch()
    assert sweep(study_file, out=out, workers=1, stop=lambda: True).outcome == "stopped"
    assert (out / "study.json").exists()


def test_a_seed_that_was_drawn_is_kept(study_file, tmp_path):
    study_file.write_text(study_file.read_text().replace("seed = 3\n", ""))
    told: list[str] = []
    out = tmp_path / "study"
    first = sweep(study_file, out=out, stop=lambda: True, note=told.append)
    drawn = json.loads((out / "study.json").read_text())["study"]["seed"]
    assert any(str(drawn) in line for line in told)
    second = sweep(study_file, out=out, stop=lambda: True, resume=True)
    assert (first.cases, second.cases) == (8, 8)
    assert json.loads((out / "study.json").read_text())["study"]["seed"] == drawn


def test_no_more_processes_than_fit_into_memory(study_file, tmp_path, monkeypatch):
    each = make_plan(study_file).bytes_each
    monkeypatch.setenv("COFIRE_MEMORY_GB", str(2.5 * each / 1e9))
    told: list[str] = []
    found = sweep(study_file, out=tmp_path / "study", workers=4, stop=lambda: True, note=told.append)
    assert found.workers == 2
    assert any("2 of 4 processes" in line for line in told)
    monkeypatch.setenv("COFIRE_MEMORY_GB", str(0.5 * each / 1e9))
    with pytest.raises(InputError, match=r"takes about .* of memory"):
        sweep(study_file, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_75_another_study_is_refused_with_what_changed_and_taken_when_meant(study_file, tmp_path, finished):
    out = copy_of(finished, tmp_path / "study")
    study_file.write_text(study_file.read_text().replace("[0.55, 0.60]", "[0.55]"))
    with pytest.raises(InputError, match=r"another study: study\.axes"):
        sweep(study_file, out=out, resume=True)
    found = sweep(study_file, out=out, extend=True)
    assert (found.cases, found.done, found.computed) == (4, 4, 0)
    assert len(read_study(out)) == 8


def test_a_structure_that_was_damaged_is_built_again(study_file, tmp_path, finished):
    out = copy_of(finished, tmp_path / "study", without=8)
    for file in (out / "structures").glob("*.h5"):
        file.write_bytes(file.read_bytes()[:1000])
    sweep(study_file, out=out, workers=1, resume=True)
    assert same_table(out, finished)


def test_50_a_case_that_was_damaged_is_named(tmp_path, finished):
    out = copy_of(finished, tmp_path / "study")
    file = next((out / "cases").iterdir()) / "case.json"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(FormatError, match=f"{file.parent.name}.*remove it"):
        read_study(out)


def test_51_a_newer_plan_is_refused(tmp_path, finished):
    out = copy_of(finished, tmp_path / "study")
    plan = json.loads((out / "study.json").read_text())
    (out / "study.json").write_text(json.dumps({**plan, "schema": 99}))
    with pytest.raises(FormatError, match="newer than this program"):
        read_study(out)


def test_a_case_that_fails_does_not_stop_the_rest(study_file, tmp_path, finished):
    study_file.write_text(study_file.read_text().replace("[0.55, 0.60]", "[0.55, 0.60, 0.75]"))
    found = sweep(study_file, out=tmp_path / "study", workers=1)
    assert (found.outcome, found.cases, found.done, len(found.failed)) == ("some-failed", 12, 8, 4)
    assert all("reached" in reason for reason in found.failed.values())
    both = read_study(found.folder)
    assert sorted(both["case"].unique()) == sorted(read_study(finished.folder)["case"].unique())
    again = sweep(study_file, out=found.folder, workers=1, resume=True)  # tried again, and nothing else
    assert (again.computed, len(again.failed)) == (0, 4)


def test_a_job_array_gives_the_same_table(study_file, tmp_path, finished):
    out = tmp_path / "study"
    assert [compute_one(study_file, index, out)[1] for index in (7, 1, 2, 3, 4, 5, 6, 0)] == [True] * 8
    assert compute_one(study_file, 3, out)[1] is False
    assert study_status(out).done == 8
    assert same_table(out, finished)
    with pytest.raises(InputError, match="allowed: 0 to 7"):
        compute_one(study_file, 8, out)


def test_a_scheduler_that_runs_already(study_file, tmp_path, finished):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path / "scratch")
    ) as cluster:  # fmt: skip
        found = sweep(study_file, out=tmp_path / "study", scheduler=cluster.scheduler_address)
    assert found.outcome == "done"
    assert same_table(found.folder, finished)


def test_no_scheduler_answers(study_file, tmp_path):
    with pytest.raises(InputError, match="no scheduler answers"):
        sweep(study_file, out=tmp_path / "study", scheduler="tcp://127.0.0.1:9")


def test_a_case_gives_the_same_bits_again_and_says_where_it_does_not(tmp_path, finished):
    out = copy_of(finished, tmp_path / "study")
    case = next((out / "cases").iterdir())
    assert rerun(case).same
    stored = json.loads((case / "case.json").read_text())
    stored["rows"][0]["sigma_eff_S_per_m"] *= 1.0 + 1e-15
    (case / "case.json").write_text(json.dumps(stored))
    found = rerun(out / case.name)
    assert not found.same
    assert "sigma_eff_S_per_m" in str(found.difference)
    stored["input"]["seed"] += 1
    (case / "case.json").write_text(json.dumps(stored))
    with pytest.raises(CofireError, match="changed by hand"):
        rerun(case)


def test_every_case_says_where_it_comes_from(finished):
    for file in finished.folder.glob("cases/*/case.json"):
        record = json.loads(file.read_text())["provenance"]
        assert {"schema", "version", "seed", "versions", "threads", "host", "start_UTC", "end_UTC", "seconds"} <= set(record)
