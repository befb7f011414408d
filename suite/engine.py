"""Where units run: worker processes, threads, or a Ray cluster, all through joblib."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config
from threadpoolctl import threadpool_limits

from ..core.errors import LayerwiseError, UsageError

Job = TypeVar("Job")
Done = TypeVar("Done")


def run(
    work: Callable[[Job], Done], jobs: Sequence[Job], *, engine: str, workers: int
) -> Iterator[Done]:
    """The results in the order in which they are done. ``workers`` 0 takes every processor.

    Each job runs with one thread of its own: that is faster than sharing them, and gives the same
    sums whatever the number of workers.
    """
    workers = min(count(workers), max(len(jobs), 1))
    if engine == "ray":
        _join_ray()
    elif workers == 1:
        yield from (_alone(work, job) for job in jobs)
        return
    # Part of the limit is the whole process's: the first thread to end must not lift it.
    limit = _one_thread() if engine == "threads" else nullcontext()
    try:
        with limit:
            alone = partial(_in_a_process if engine == "processes" else _alone, work)
            yield from _spread(alone, jobs, engine, workers)
    except BrokenProcessPool as error:
        raise LayerwiseError(
            "a worker process was killed, perhaps for want of memory",
            where=f"--engine {engine}",
            cure="fewer --workers, and the same command goes on from here",
        ) from error


def count(workers: int) -> int:
    """How many workers that asks for: 0 stands for one a processor."""
    return workers or int(cpu_count())


def _spread(
    work: Callable[[Job], Done], jobs: Sequence[Job], engine: str, workers: int
) -> Iterator[Done]:
    backends: dict[str, dict[str, Any]] = {
        "processes": {"backend": "loky", "inner_max_num_threads": 1},
        "threads": {"backend": "threading"},
        "ray": {"backend": "ray"},
    }
    with parallel_config(**backends[engine]):
        parallel = Parallel(n_jobs=workers, return_as="generator_unordered")
        results = parallel(delayed(work)(job) for job in jobs)
        try:
            for result in results:  # noqa: UP028 (an interrupt must end here, not in joblib)
                yield result
        finally:
            with warnings.catch_warnings():
                # What an interrupted run leaves undone is no news.
                warnings.simplefilter("ignore", UserWarning)
                results.close()


def _in_a_process(work: Callable[[Job], Done], job: Job) -> Done:
    # Ctrl-C in a terminal reaches the workers too; it is the parent that ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return _alone(work, job)


def _alone(work: Callable[[Job], Done], job: Job) -> Done:
    with _one_thread():
        return work(job)


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def _join_ray() -> None:
    try:
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise UsageError(
            "ray is not installed", where="--engine ray", cure='pip install "layerwise[ray]"'
        ) from error
    register_ray()
