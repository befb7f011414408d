"""The settings of a training, and the way of its learning rate."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from layerwise.core.errors import UsageError
from layerwise.encoders.budget import Budget
from layerwise.encoders.training_settings import TrainingSettings, rate


class TestRate:
    @pytest.mark.parametrize("unit", [1, 0.5])
    def test_it_rises_to_the_full_rate_and_falls_to_a_twentieth(self, unit: float) -> None:
        """In steps, and in seconds of which a step takes half of one."""
        rates = [rate(place * unit, round(200 * unit), 0.1) for place in range(200)]
        assert rates[0] == pytest.approx(1 / (20 * unit)) and rates[20] == 1.0
        assert rates[20 + 90] == pytest.approx(0.05 + 0.95 / 2)  # half way down
        assert rates[-1] == pytest.approx(0.05, abs=1e-3)
        assert rates[:20] == sorted(rates[:20])
        assert rates[20:] == sorted(rates[20:], reverse=True)

    @pytest.mark.parametrize(("total", "warmup"), [(1, 0.05), (5, 1.0), (4000, 0.0), (3, 0.5)])
    def test_its_ends_are_sound(self, total: int, warmup: float) -> None:
        for spent in [0, 0.3, *range(min(total, 50)), total - 0.1, total + 2]:
            assert 0 < rate(spent, total, warmup) <= 1


class TestSettings:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"batch": 0},
            {"accumulate": 0},
            {"vocabulary": 1},
            {"learning_rate": 0},
            {"warmup": 2},
            {"clip": 0},
            {"precision": "float8"},
            {"softmax": "odd"},
            {"samples": 0},
            {"seed": -1},
            {"odd": 1},
        ],
    )
    def test_impossible_ones_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            TrainingSettings(**wrong)

    def test_a_budget_is_read_and_written_as_text(self) -> None:
        settings = TrainingSettings(budget="90m")
        assert settings.budget == Budget(5400, "seconds")
        assert settings.model_dump()["budget"] == "1h30m"
        assert TrainingSettings(**settings.model_dump()) == settings
        with pytest.raises(UsageError, match="no such unit"):
            TrainingSettings(budget="90minutes")

    @pytest.mark.parametrize(
        ("vocabulary", "asked", "softmax"),
        [
            (20_000, None, "full"),
            (20_001, None, "adaptive"),
            (20_001, "full", "full"),
            (100, "sampled", "sampled"),
        ],
    )
    def test_the_softmax_suits_the_vocabulary_unless_told(
        self, vocabulary: int, asked: Any, softmax: str
    ) -> None:
        settings = TrainingSettings(vocabulary=vocabulary, softmax=asked)
        assert settings.output_layer == settings.describe()["softmax"] == softmax
