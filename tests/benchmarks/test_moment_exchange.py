"""The table of the benchmark of moment exchange: means and tests, from lines that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from layerwise.benchmarks.moment_exchange import table


def lines(kind: str, scores: list[float]) -> list[dict[str, Any]]:
    return [
        {"what": "x", "size": 0, "seed": seed, "kind": kind, "score": score, "cpu_seconds": 1.0}
        for seed, score in enumerate(scores)
    ]


def test_it_is_paired_by_seed_and_keeps_to_the_seeds_that_all_have(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain, moex = [0.5, 0.7, 0.6, 0.9], [0.52, 0.71, 0.64, 0.93, 0.1]
    table([*lines("none", plain), *lines("moex", moex)])
    said = capsys.readouterr().out
    p = ttest_rel(moex[:4], plain).pvalue
    assert "x, all, 4 seeds" in said
    assert f"{np.mean(moex[:4]) - np.mean(plain):+.5f}  t-test over seeds p {p:.3f}" in said


def test_one_seed_has_no_test(capsys: pytest.CaptureFixture[str]) -> None:
    table([*lines("none", [0.5]), *lines("moex", [0.6])])
    assert "p nan (Holm nan)" in capsys.readouterr().out
