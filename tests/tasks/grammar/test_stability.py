"""The same seed gives the same bytes everywhere, and more documents only add to fewer."""

from __future__ import annotations

import hashlib

import conllu

from layerwise.tasks.grammar.sampler import Sampler
from layerwise.tasks.grammar.treebank import GRAMMAR_VERSION, generate

GOLDEN = "73b8a0dc0bd7f71651a118eb06096d3233ba9b66fa38f316bb0be6e40f8af0b7"


def _digest(texts: dict[str, str]) -> str:
    return hashlib.sha256("".join(texts[s] for s in ("train", "dev", "test")).encode()).hexdigest()


def test_the_default_output_is_the_golden_one(texts: dict[str, str]) -> None:
    # A change here is a change of the data: raise GRAMMAR_VERSION with it.
    assert GRAMMAR_VERSION == "1"
    assert _digest(texts) == GOLDEN


def test_same_seed_same_text_and_other_seed_other_text() -> None:
    few = {"train": 4, "dev": 2}
    assert generate(7, few) == generate(7, few)
    assert generate(7, few) != generate(8, few)


def test_more_documents_extend_fewer(texts: dict[str, str]) -> None:
    few = generate(1, {"train": 5, "test": 2})
    assert set(few) == {"train", "test"}
    assert texts["train"].startswith(few["train"]) and texts["test"].startswith(few["test"])


def test_other_seeds_give_whole_treebanks() -> None:
    for seed in (2, 3):
        parsed = conllu.parse(generate(seed, {"dev": 10})["dev"])
        assert len(parsed) >= 80
        assert all(sentence.to_tree().token["head"] == 0 for sentence in parsed)


def test_no_documents_give_empty_text() -> None:
    assert generate(1, {"train": 0}) == {"train": ""}


def test_the_sampler_keeps_to_its_ranges() -> None:
    sampler = Sampler("a", 1)
    assert {sampler.below(3) for _ in range(200)} == {0, 1, 2}
    assert sorted(sampler.shuffled([1, 2, 3, 4])) == [1, 2, 3, 4]
    assert {sampler.weighted([("x", 1.0), ("y", 0.0)]) for _ in range(50)} == {"x"}
    assert all(sampler.pick_early(["p", "q"]) in ("p", "q") for _ in range(50))
    draws = [Sampler("a", key).below(10**6) for key in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
