"""The sampler is Optuna's, no more and no less."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import optuna
import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.search.protocols import Trial
from layerwise.encoders.search.strategies.tpe import TPE

Run = Callable[..., list[Trial]]


def losses_of(candidate: str, objectives: int) -> tuple[float, ...]:
    errors = float(sum((int(digit) - 3) ** 2 for digit in candidate)) + int(candidate) / 1e7
    return (errors, 100 - errors * int(candidate[0]))[:objectives]


@pytest.mark.parametrize("objectives", [1, 2])
def test_questions_are_those_of_optuna_with_the_same_answers(
    digits: Any, run: Run, objectives: int
) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        directions=["minimize"] * objectives,
        sampler=optuna.samplers.TPESampler(seed=7, n_startup_trials=10),
    )
    expected: list[str] = []
    while len(expected) < 40:
        proposed = study.ask()
        values = [proposed.suggest_categorical(f"g{at}", range(5)) for at in range(6)]
        candidate = "".join(map(str, values))
        study.tell(proposed, losses_of(candidate, objectives))
        if candidate not in expected:
            expected.append(candidate)
    asked = run(TPE(digits, seed=7), lambda trial: losses_of(trial.candidate, objectives), 40)
    assert [trial.candidate for trial in asked] == expected


def test_it_finds_what_genes_tell_on_their_own(digits: Any, run: Run) -> None:
    found = []
    for seed in range(3):
        asked = run(TPE(digits, seed=seed), lambda trial: losses_of(trial.candidate, 1), 60)
        found.append(min(losses_of(trial.candidate, 1)[0] for trial in asked))
    # Of 60 random candidates the best is at 3 or more in 9 of 10 searches.
    assert max(found) < 2.1


def test_nothing_is_said(digits: Any, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(TPE(digits), lambda trial: losses_of(trial.candidate, 1), 12)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_without_optuna_the_cure_is_told(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r'pip install "layerwise\[search\]"'):
        TPE(digits)
