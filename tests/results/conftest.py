"""Invented records for the tests of tables."""

from __future__ import annotations

import pytest

from layerwise.results.records import Interval, Key, Record

METRICS = {"pos.v1": "accuracy", "morph:Number.v1": "macro_f1", "coref.v1": "f1"}


def _unit(
    encoder: str = "lstm",
    task: str = "pos.v1",
    layer: int = 0,
    value: float | None = 0.9,
    *,
    metric: str | None = None,
    interval: tuple[float, float] | None = None,
    error: str = "out of memory",
    layer_name: str = "",
    baselines: dict[str, float] | None = None,
    extra: dict[str, float] | None = None,
    **key,
) -> Record:
    """A record; ``value`` None makes a failed one, ``extra`` are scores beside the main one."""
    metric = metric or METRICS.get(task, "accuracy")
    whole = {
        "encoder": encoder,
        "fingerprint": f"{encoder}-weights",
        "task": task,
        "data": "builtin",
        "data_hash": f"{task}-hash",
        "layer": layer,
        "probe": "linear.v1",
        "seed": 0,
        **key,
    }
    good = value is not None
    ends = interval and dict(zip(("low", "high"), interval, strict=True))
    return Record(
        key=Key(**whole),
        layer_name=layer_name or ("words" if layer == 0 else f"block {layer}"),
        layers=3,
        status="ok" if good else "failed",
        error=None if good else error,
        metric=metric,
        scores={metric: value, **(extra or {})} if good else {},
        interval=Interval(**ends, confidence=0.95, clusters=40, replicates=1000) if ends else None,
        baselines={name: {metric: score} for name, score in (baselines or {}).items()},
    )


@pytest.fixture(scope="session")
def unit():
    """Makes an invented record."""
    return _unit
