"""Killed at any moment, the same command ends in the same table and does nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from layerwise.results import render, table
from layerwise.results.records import Record, RecordFile
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate

Config = Callable[..., RunConfig]


def shown(records: list[Record]) -> str:
    return render.to_csv(table.build(records), intervals=True)


def dying(function: Callable[..., Any], call: int, after: bool) -> Callable[..., Any]:
    """The function, but the process is killed right before (or after) the given call of it."""
    calls = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def in_a_child(work: Callable[[], object], kill_after: float | None = None) -> int:
    """Its exit code, minus the signal when it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def undisturbed(fake: Any, config: Config, tmp_path: Path, monkeypatch: Any) -> str:
    fake()
    with monkeypatch.context() as patch:
        patch.setenv("LAYERWISE_CACHE", str(tmp_path / "undisturbed cache"))
        return shown(evaluate(config(output=tmp_path / "undisturbed")).records)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_kill_at_any_write_loses_no_record(
    name: str, after: bool, undisturbed: str, config: Config, tmp_path: Path, monkeypatch: Any
) -> None:
    for call in range(1, 100):
        monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / f"cache {call}"))
        asked = config(output=tmp_path / f"run {call}")

        def work(call: int = call, asked: RunConfig = asked) -> None:
            setattr(os, name, dying(getattr(os, name), call, after))
            evaluate(asked)

        status = in_a_child(work)
        file = RecordFile(tmp_path / f"run {call}" / "records.jsonl")
        before = {record.id for record in file.read().records}
        outcome = evaluate(asked)
        assert shown(outcome.records) == undisturbed
        assert outcome.computed == 2 - len(before)
        lines = [line for line in file.path.read_text().splitlines() if line.strip()]
        assert len(lines) - len(file.read().problems) == 2  # no unit twice
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert 3 <= call < 99


@pytest.mark.parametrize("moment", [0.01, 0.05, 0.1, 0.2])
def test_a_kill_at_some_moment_loses_no_record(
    moment: float, undisturbed: str, config: Config
) -> None:
    in_a_child(lambda: evaluate(config()), kill_after=moment)
    assert shown(evaluate(config()).records) == undisturbed


def test_two_runs_at_once_lose_nothing(
    undisturbed: str, config: Config, recorded: Any, tmp_path: Path
) -> None:
    child = os.fork()
    if child == 0:
        try:
            evaluate(config())
        finally:
            os._exit(0)
    outcome = evaluate(config())
    os.waitpid(child, 0)
    assert shown(outcome.records) == shown(recorded(tmp_path / "run")) == undisturbed


PROBE = """
import os, time
from layerwise.probes.linear import LinearProbe

class Slow(LinearProbe):
    name = "slow"

    def fit_stack(self, *arguments, **options):
        # The first fit of all goes on at once; the others wait until the test is through.
        try:
            os.close(os.open(os.environ["FIRST"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            open(os.environ["FIRST"] + ".waits", "a").write(str(os.getpid()) + "\\n")
            time.sleep(float(os.environ["SLOW"]))
        return super().fit_stack(*arguments, **options)
"""


@pytest.mark.parametrize("send", [signal.SIGKILL, signal.SIGINT], ids=lambda sent: sent.name)
def test_a_killed_or_interrupted_command_goes_on(
    send: signal.Signals, corpus: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / "plugin"
    (plugin / "slow-1.dist-info").mkdir(parents=True)
    (plugin / "slow.py").write_text(PROBE)
    (plugin / "slow-1.dist-info" / "METADATA").write_text("Name: slow\nVersion: 1\n")
    (plugin / "slow-1.dist-info" / "entry_points.txt").write_text(
        "[layerwise.probes]\nslow = slow:Slow\n"
    )
    first = tmp_path / "first"
    environment = {
        **os.environ,
        "PYTHONPATH": str(plugin),
        "OMP_NUM_THREADS": "1",
        "FIRST": str(first),
        "PROBE_RUN_TASK": "pos morph:Number",
    }
    command = [sys.executable, "-m", "layerwise", "run", "-e", "random-vectors:4", "-d", corpus]
    command += ["--no-control-encoders"]
    command += ["-o", tmp_path / "run", "--probe", "slow", "-f", "csv", "--workers"]
    engine = "processes" if send == signal.SIGINT else "threads"
    said = tmp_path / "said"
    file, waits = tmp_path / "run" / "records.jsonl", Path(f"{first}.waits")

    with said.open("w") as stream:
        process = subprocess.Popen(
            [*command, "2", "--engine", engine],
            env=environment | {"SLOW": "60"},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().endswith("\n") and waits.exists()):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        if send == signal.SIGINT:  # as Ctrl-C in a terminal, which reaches the workers too
            os.killpg(process.pid, send)
            assert process.wait(timeout=120) == 130
            told = said.read_text()
            assert told.strip() == (
                "error: interrupted; what is finished is kept, "
                "and the same command goes on from there"
            )
            assert gone(int(waits.read_text().split()[0]))
        else:
            process.kill()
            assert process.wait(timeout=120) == -send
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    kept = file.read_text()
    assert kept.count("\n") == 1

    done = subprocess.run(
        [*command, "1"],
        env=environment | {"SLOW": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "1 measured now, 1 recorded before" in done.stderr
    assert file.read_text().startswith(kept) and file.read_text().count("\n") == 2
    assert done.stdout == shown_plainly(RecordFile(file).read().records)


def shown_plainly(records: list[Record]) -> str:
    return render.to_csv(table.build(records), intervals=False)


def gone(pid: int) -> bool:
    """Whether the process is no more (or a zombie that nobody has asked for)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"
