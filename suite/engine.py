"""Where units run: worker processes, threads, or a Ray cluster, all through joblib."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from ..core.errors import UsageError

Job = TypeVar("Job")
Done = TypeVar("Done")


def run(
    work: Callable[[Job], Done], jobs: Sequence[Job], *, engine: str, workers: int
) -> Iterator[Done]:
    """The results in the order in which they are done. ``workers`` 0 takes every processor.

    Each job runs with one thread of its own: that is faster than sharing them, and gives the same
    sums whatever the number of workers.
    """
    workers = min(workers or os.cpu_count() or 1, max(len(jobs), 1))
    if engine == "ray":
        _join_ray()
    if workers == 1 and engine != "ray":
        yield from (_alone(work, job) for job in jobs)
        return
    backends: dict[str, dict[str, Any]] = {
        "processes": {"backend": "loky", "inner_max_num_threads": 1},
        "threads": {"backend": "threading"},
        "ray": {"backend": "ray"},
    }
    with parallel_config(**backends[engine]):
        parallel = Parallel(n_jobs=workers, return_as="generator_unordered")
        yield from parallel(delayed(_alone)(work, job) for job in jobs)


def _alone(work: Callable[[Job], Done], job: Job) -> Done:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return work(job)
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
