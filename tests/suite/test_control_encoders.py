"""Which rows stand beside the encoders that are asked for, and how texts are split anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from layerwise.core.errors import UsageError
from layerwise.suite.config import RunConfig, build
from layerwise.suite.control_encoders import Row, rows_of
from layerwise.suite.pipeline import evaluate

Config = Callable[..., RunConfig]


def rows(config: RunConfig) -> list[Row]:
    """The rows where only the transformer, whatever its weights, can have random ones."""
    return list(rows_of(config, lambda name: name.startswith("transformer")))


def names(config: RunConfig) -> list[str]:
    return [row.encoder for row in rows(config)]


def test_twins_and_words_stand_beside_what_is_asked_for(config: Config) -> None:
    asked = config(encoder=("transformer", "fake"), control_encoders=True, layers="1")
    assert rows(asked) == [
        Row("transformer", "1"),
        Row("transformer+random", "1"),
        Row("fake", "1"),
        Row("onehot", "all"),
        Row("random-vectors", "all"),
    ]


def test_none_stands_there_twice(config: Config) -> None:
    asked = ("transformer+random", "onehot", "transformer")
    found = names(config(encoder=asked, control_encoders=True))
    assert found == ["transformer+random", "onehot", "transformer", "random-vectors"]
    assert names(config(encoder=("transformer+random7",), control_encoders=True))[0:2] == [
        "transformer+random7",
        "onehot",
    ]


def test_a_twin_is_measured_of_an_encoder_that_can_have_one(
    config: Config, fake: Any, register: Any
) -> None:
    loads: list[str] = []

    class Drawn(type(fake("plain"))):  # type: ignore[misc]
        """A fake that can be had with random weights."""

        def randomised(self, seed: int) -> Any:
            return type(self)(weight=7.0)

    def factory(argument: str, options: Any) -> Any:
        loads.append(argument)
        return Drawn()

    register("encoder", "drawn", factory)
    outcome = evaluate(config(encoder=("drawn", "plain"), control_encoders=True))
    measured = list(dict.fromkeys(record.key.encoder for record in outcome.records))
    assert measured == ["drawn", "drawn+random", "plain", "onehot", "random-vectors"]
    assert len(loads) == 2  # once for itself, once for its twin


@pytest.mark.parametrize("without", [{"control_encoders": False}, {"controls": 0}])
def test_they_can_be_left_out(config: Config, without: dict[str, Any]) -> None:
    plain = config(**{"encoder": ("transformer",), "control_encoders": True, **without})
    assert names(plain) == ["transformer"]


def test_they_are_measured_on_the_same_targets(config: Config, fake: Any) -> None:
    fake()
    records = evaluate(config(control_encoders=True)).records
    assert {record.key.encoder for record in records} == {"fake", "onehot", "random-vectors"}
    assert len({record.key.data_hash for record in records}) == 1


def test_an_encoder_that_cannot_be_had_is_told_once(config: Config, register: Any) -> None:
    def broken(argument: str, options: Any) -> Any:
        raise RuntimeError("no weights here")

    register("encoder", "broken", broken)
    outcome = evaluate(config(encoder=("broken",), control_encoders=True))
    assert list(outcome.errors) == ["broken"]
    assert {record.key.encoder for record in outcome.records} == {"onehot", "random-vectors"}


def test_a_text_split_anew_is_another_unit(config: Config, fake: Any) -> None:
    fake()
    given = evaluate(config()).records
    anew = evaluate(config(split="sentence")).records
    assert {r.id for r in given}.isdisjoint(r.id for r in anew)
    assert {r.key.settings["split"] for r in anew} == {"sentence"}
    assert all("split" not in r.key.settings for r in given)
    sizes = anew[0].facts["counts"]
    assert sum(sizes[name]["documents"] for name in sizes) == 3 * 20  # each sentence by itself


def test_words_can_be_kept_apart(
    config: Config, make_corpus: Any, fake: Any, tmp_path: Any
) -> None:
    fake()
    large = make_corpus(tmp_path / "large", sizes={"train": 60, "dev": 60, "test": 60})
    whole = evaluate(config(data=str(large))).records[0]
    apart = evaluate(config(data=str(large), disjoint="lemma")).records[0]
    facts = apart.facts["disjoint"]
    for name in ("train", "dev", "test"):
        total = whole.facts["counts"][name]["targets"]
        assert facts["kept"][name] + facts["dropped"][name] == total
        assert apart.facts["counts"][name]["targets"] == facts["kept"][name]
    assert apart.key.settings["disjoint"] == "lemma"


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("disjoint", "word", "no such choice: 'word'; known: lemma, type"),
        ("split", "given ", "did you mean given?"),
    ],
)
def test_a_choice_that_there_is_not(setting: str, value: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"--{setting}: ") as raised:
        build({"encoder": ("onehot",), "task": ("pos",), setting: value})
    assert told in str(raised.value)


def test_records_carry_the_audit(config: Config, fake: Any) -> None:
    fake()
    record = evaluate(config()).records[0]
    # No word of one split is in another.
    assert record.facts["audit"]["test_keys_seen"] == 0
    assert record.facts["audit"]["test_targets"] == record.counts["test_targets"]
    shared = {(s["held_out"], s["known"]): s for s in record.facts["text_audit"]["shared"]}
    assert shared["test", "train"]["form_tokens"] == 0
