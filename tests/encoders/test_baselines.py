"""Baselines: a word's vector depends on its form alone, and is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import Encoder, EncoderOptions, InputReporter, Randomisable
from layerwise.encoders.baselines import OneHot, RandomVectors, onehot, random_vectors
from layerwise.encoders.conformance import check_encoder

OPTIONS = EncoderOptions()


def document(words: str) -> Document:
    return Document(words, (Sentence.from_words(words.split()),))


@pytest.mark.parametrize("make", [onehot, random_vectors])
def test_the_contract_holds(make: type) -> None:
    encoder = make("", OPTIONS)
    assert isinstance(encoder, Encoder) and not isinstance(encoder, Randomisable)
    assert [c for c in check_encoder(encoder) if not c.passed] == []
    assert encoder.parameters == 0 and encoder.final_norm is False
    zero = next(c for c in check_encoder(encoder) if c.name == "layer 0 without context")
    assert zero.informative and "same vector" in zero.detail


@pytest.mark.parametrize("make", [onehot, random_vectors])
def test_equal_forms_have_equal_vectors_and_case_counts(make: type) -> None:
    a, b = make("", OPTIONS).encode([document("the dog the Dog"), document("dog")])
    assert np.array_equal(a[0, 0], a[0, 2]) and np.array_equal(a[0, 1], b[0, 0])
    assert not np.array_equal(a[0, 1], a[0, 3])


def test_one_hot_has_a_single_one_and_counts_its_collisions() -> None:
    encoder = onehot("", OPTIONS)
    assert isinstance(encoder, InputReporter)
    (array,) = encoder.encode([document("a b c a")])
    assert array.shape == (1, 4, 2048)
    assert (array.sum(axis=-1) == 1).all() and set(np.unique(array)) == {0.0, 1.0}
    report = OneHot(1).input_report([document("a b c a")])
    assert report == {"words": 4, "types": 3, "colliding_types": 3}
    assert OneHot(65_536).input_report([document("a b c a")])["colliding_types"] == 0


def test_only_without_a_width_is_the_form_itself_meant() -> None:
    assert onehot("", OPTIONS).word_identity and not onehot("2048", OPTIONS).word_identity
    vectors = [next(onehot(a, OPTIONS).encode([document("a b c")])) for a in ("", "2048")]
    np.testing.assert_array_equal(*vectors)


def test_one_hot_collides_as_often_as_it_says() -> None:
    types, width = 2000, 2048
    report = OneHot(width).input_report([document(" ".join(f"w{i}" for i in range(types)))])
    expected = 1 - np.exp(-(types - 1) / width)
    assert report["colliding_types"] / types == pytest.approx(expected, abs=0.04)


def test_random_vectors_are_standard_gaussian_and_the_same_on_every_machine() -> None:
    encoder = random_vectors("8", OPTIONS)
    (array,) = encoder.encode([document("dog")])
    golden = [0.5245113, 0.4660982, -0.4296167, 0.07857265]
    assert array[0, 0, :4] == pytest.approx(golden, rel=1e-6)
    (many,) = RandomVectors(256).encode([document(" ".join(f"w{i}" for i in range(400)))])
    assert abs(many.mean()) < 0.01 and abs(many.std() - 1) < 0.01
    assert abs(np.corrcoef(many[0, :, 0], many[0, :, 1])[0, 1]) < 0.2


def test_the_argument_sets_the_width_and_with_it_the_fingerprint() -> None:
    encoders = [make(a, OPTIONS) for make in (onehot, random_vectors) for a in ("", "64", "128")]
    assert [e.dim for e in encoders] == [2048, 64, 128, 256, 64, 128]
    assert len({e.fingerprint for e in encoders}) == 6
    assert onehot("2048", OPTIONS).fingerprint != onehot("", OPTIONS).fingerprint
    assert onehot("64", OPTIONS).fingerprint == onehot("64", OPTIONS).fingerprint


@pytest.mark.parametrize("argument", ["0", "-3", "many", "99999999", "٣"])
@pytest.mark.parametrize("make", [onehot, random_vectors])
def test_a_senseless_width_is_a_usage_error(make: type, argument: str) -> None:
    with pytest.raises(UsageError, match="width"):
        make(argument, OPTIONS)


def test_lone_surrogates_are_words() -> None:
    (array,) = onehot("", OPTIONS).encode([Document("d", (Sentence.from_words(["\ud800"]),))])
    assert array.sum() == 1
