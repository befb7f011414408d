"""Workers of every kind: the same results, one thread each, and no exception swallowed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from layerwise.core.errors import LayerwiseError, UsageError
from layerwise.suite import engine

KINDS = [("processes", 1), ("threads", 3), ("processes", 2)]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        yield
    torch.set_num_threads(before)


def threads() -> set[int]:
    """How many threads torch and the libraries of linear algebra would take."""
    blas = {library["num_threads"] for library in threadpool_info()}
    return {torch.get_num_threads(), *blas}


@pytest.mark.parametrize("kind, workers", KINDS)
def test_every_kind_gives_all_results(kind: str, workers: int) -> None:
    jobs = list(range(20))
    done = engine.run(lambda job: (job, job**2), jobs, engine=kind, workers=workers)
    assert sorted(done) == [(job, job**2) for job in jobs]


@pytest.mark.parametrize("kind, workers", KINDS)
def test_no_jobs_no_results(kind: str, workers: int) -> None:
    assert list(engine.run(str, [], engine=kind, workers=workers)) == []


@pytest.mark.parametrize("kind, workers", KINDS)
def test_sums_are_the_same_to_the_last_bit(kind: str, workers: int) -> None:
    def work(seed: int) -> tuple[int, bytes]:
        import numpy as np
        import torch

        rows = np.random.default_rng(seed).normal(size=(400, 300)).astype(np.float32)
        return seed, (torch.from_numpy(rows).T @ torch.from_numpy(rows)).numpy().tobytes()

    alone = sorted(engine.run(work, range(4), engine="processes", workers=1))
    assert sorted(engine.run(work, range(4), engine=kind, workers=workers)) == alone


@pytest.mark.parametrize("kind, workers", KINDS)
def test_an_exception_of_a_worker_comes_out(kind: str, workers: int) -> None:
    def work(job: int) -> float:
        return 1 / (job - 3)

    with pytest.raises(ZeroDivisionError):
        list(engine.run(work, range(6), engine=kind, workers=workers))


def test_a_result_comes_as_soon_as_it_is_there() -> None:
    release = threading.Event()

    def work(job: int) -> int:
        if job == 0:
            assert release.wait(20)
        return job

    done = engine.run(work, range(4), engine="threads", workers=2)
    first = next(done)
    release.set()
    assert first != 0 and sorted([first, *done]) == [0, 1, 2, 3]


def test_a_worker_process_has_one_thread() -> None:
    def work(job: int) -> tuple[int, int, list[int]]:
        import os

        import torch
        from threadpoolctl import threadpool_info

        return os.getpid(), torch.get_num_threads(), [i["num_threads"] for i in threadpool_info()]

    for pid, of_torch, of_blas in engine.run(work, range(3), engine="processes", workers=2):
        assert pid != os.getpid()
        assert of_torch == 1 and set(of_blas) <= {1}


def test_alone_there_is_one_thread_while_a_job_runs() -> None:
    before = threads()
    assert (
        list(engine.run(lambda job: threads(), [0, 1], engine="processes", workers=1)) == [{1}] * 2
    )
    assert threads() == before


def test_one_thread_stays_one_when_other_jobs_begin_and_end() -> None:
    before = threads()

    def work(job: int) -> set[int]:
        first = threads()
        time.sleep(job * 7 % 5 / 1000)
        return first | threads()

    assert list(engine.run(work, range(40), engine="threads", workers=4)) == [{1}] * 40
    assert threads() == before == {2}


def test_a_killed_worker_is_told_and_the_next_run_has_new_ones() -> None:
    def work(job: int) -> int:
        if job == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    with pytest.raises(LayerwiseError, match="a worker process was killed") as caught:
        list(engine.run(work, range(3), engine="processes", workers=2))
    assert caught.value.exit_code == 1 and "--workers" in caught.value.cure
    assert sorted(engine.run(abs, [-1, -2], engine="processes", workers=2)) == [1, 2]


def test_ray_that_is_not_there_is_told() -> None:
    if find_spec("ray") is not None:
        pytest.skip("ray is installed")
    with pytest.raises(UsageError, match=r"--engine ray: ray is not installed; pip install"):
        list(engine.run(str, [1], engine="ray", workers=1))
