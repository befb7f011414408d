"""The benchmark of the variants: what counts as better at equal latency, and what is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwise.benchmarks.convolution_variants import Settings, stacks, verdict


@pytest.mark.parametrize(
    ("own", "latency", "plain", "told"),
    [
        ([0.9], 2.0, {2.0: [0.8]}, "yes"),
        ([0.9], 2.0, {2.0: [0.9]}, "no"),
        ([0.9], 2.0, {1.0: [0.95]}, "no"),  # a faster one is better
        ([0.9], 2.0, {1.0: [0.8]}, "open"),  # none is as slow
        ([0.9], 2.0, {1.0: [0.8], 3.0: [0.85]}, "yes"),  # even a slower one is beaten
        ([0.9], 2.0, {1.0: [0.8], 3.0: [0.95]}, "open"),  # a slower one is better
        ([0.9], 1.0, {2.0: [0.8]}, "yes"),
        ([0.9], 1.0, {2.0: [0.95]}, "open"),
        ([0.9], 1.96, {2.0: [0.95]}, "no"),  # within 5 % is equal
        ([0.9, 0.7], 2.0, {2.0: [0.8, 0.75]}, "no"),  # one seed says otherwise
    ],
)
def test_better_at_equal_latency(
    own: list[float], latency: float, plain: dict[float, list[float]], told: str
) -> None:
    assert verdict(own, latency, plain) == told


def test_the_plain_one_seven_variants_and_deeper_plain_ones_by_each_seed() -> None:
    settings = Settings(
        output=Path("out"),
        text=(),
        held_out=(),
        budget="1kwords",
        dim=16,
        layers=3,
        deeper=(1, 2),
        window=16,
        batch=2,
        vocabulary=50,
        seeds=2,
        data="builtin",
        tasks=("pos",),
        length=15,
        repeats=5,
    )
    every = stacks(settings)
    assert len(every) == len({each.folder(settings) for each in every}) == 2 * (8 + 2)
    assert {each.layers for each in every if each.cell != "gconv"} == {3}
    assert {each.layers for each in every if each.cell == "gconv"} == {3, 4, 5}
