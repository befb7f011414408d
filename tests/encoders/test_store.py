"""The store: identity, complete or absent, and float16 only where that is exact enough."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core import files
from layerwise.core.errors import DataError, ModelError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import store as module
from layerwise.encoders.base import Encoder, EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.store import Store

torch.set_num_threads(1)
LAYERS, DIM = 3, 4


class Tables:
    """An encoder that reads its arrays from a table: whatever a test wants it to give."""

    name, dim, parameters, final_norm = "tables", DIM, 0, False
    layer_names = ("words", "one", "two")

    def __init__(self, arrays: dict[str, NDArray[np.float32]], fingerprint: str = "f" * 64) -> None:
        self.arrays, self.fingerprint = arrays, fingerprint
        self.asked: list[str] = []

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            self.asked.append(document.id)
            yield self.arrays[document.id]


def documents(*lengths: int) -> list[Document]:
    return [
        Document(f"d{i}", (Sentence.from_words([f"w{i}.{k}" for k in range(length)]),))
        for i, length in enumerate(lengths)
    ]


TEXT = documents(3, 1, 5)


def normal(text: Sequence[Document] = TEXT, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return {d.id: random.normal(size=(LAYERS, len(d), DIM)).astype(np.float32) for d in text}


def joined(arrays: dict[str, NDArray[np.float32]], text: Sequence[Document]) -> NDArray[np.float32]:
    return np.concatenate([arrays[d.id] for d in text], axis=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


class TestContent:
    def test_layers_are_those_of_the_encoder_document_after_document(self, store: Store) -> None:
        arrays = normal()
        found = store.activations(Tables(arrays), TEXT)
        whole = joined(arrays, TEXT)
        for layer in range(LAYERS):
            np.testing.assert_array_equal(found.layer(layer), whole[layer].astype(np.float16))
        assert found.document_starts.tolist() == [0, 3, 4, 9]
        assert found.document_starts.dtype == np.int64

    def test_the_file_is_a_plain_array_that_numpy_reads(self, store: Store) -> None:
        arrays = normal()
        found = store.activations(Tables(arrays), TEXT)
        array = np.load(found.folder / "layers.npy", allow_pickle=False)
        np.testing.assert_array_equal(array, joined(arrays, TEXT).astype(np.float16))
        assert sorted(p.name for p in found.folder.iterdir()) == ["layers.npy", "manifest.json"]

    def test_the_manifest_tells_what_it_is(self, store: Store) -> None:
        found = store.activations(Tables(normal()), TEXT)
        manifest = files.read_json(found.folder / "manifest.json")
        assert manifest == found.manifest
        data = (found.folder / "layers.npy").read_bytes()[-LAYERS * 9 * DIM * 2 :]
        size = len(data) // LAYERS
        assert manifest["checksums"] == [
            hashlib.sha256(data[i * size : (i + 1) * size]).hexdigest() for i in range(LAYERS)
        ]
        assert manifest["shape"] == [LAYERS, 9, DIM] and manifest["dtype"] == "float16"
        assert manifest["layer_names"] == ["words", "one", "two"]
        assert manifest["final_norm"] is False and manifest["input"] == {}
        assert found.seconds >= 0

    def test_an_encoders_report_of_its_input_goes_along(self, store: Store) -> None:
        class Reporting(Tables):
            def input_report(self, documents: Sequence[Document]) -> dict[str, int]:
                return {"documents": len(documents)}

        found = store.activations(Reporting(normal()), TEXT)
        assert found.manifest["input"] == {"documents": 3}

    def test_it_cannot_be_written_to(self, store: Store) -> None:
        layer = store.activations(Tables(normal()), TEXT).layer(1)
        with pytest.raises(ValueError, match="read-only"):
            layer[0, 0] = 1

    def test_a_second_run_asks_the_encoder_for_nothing(self, store: Store) -> None:
        store.activations(Tables(normal()), TEXT)
        again = Tables({})
        assert store.activations(again, TEXT).layer(0).shape == (9, DIM)
        assert again.asked == []

    def test_looking_makes_nothing(self, store: Store) -> None:
        assert store.find(Tables({}), TEXT) is None
        assert not store.folder.exists()


class TestIdentity:
    def test_another_text_is_another_entry_and_another_id_is_not(self, store: Store) -> None:
        mine = Tables(normal())
        entry = store.entry(mine, TEXT)
        renamed = [Document("x" + d.id, d.sentences) for d in TEXT]
        assert store.entry(mine, renamed) == entry
        split = [*TEXT[:2], Document("d2", (TEXT[0].sentences[0], TEXT[1].sentences[0]))]
        others = [TEXT[:2], TEXT[::-1], documents(3, 1, 4), split, []]
        assert len({entry, *(store.entry(mine, text) for text in others)}) == 1 + len(others)

    def test_one_changed_weight_misses_and_another_batch_size_hits(self, store: Store) -> None:
        def encoder(change: float = 0.0, name: str = "a", batch_words: int = 99) -> Encoder:
            torch.manual_seed(0)
            stack: dict[str, int | float | str | bool] = {"dim": 4, "layers": 1, "heads": 1}
            model = BiLM(BiLMSettings(architecture="transformer", stack=stack))
            model.state_dict()["backward_stack.norm.bias"][2] += change
            return BiLMEncoder(name, model, EncoderOptions(batch_words=batch_words))

        store.activations(encoder(), TEXT)
        assert store.find(encoder(batch_words=2), TEXT) is not None
        assert store.find(encoder(name="b"), TEXT) is not None
        assert store.find(encoder(change=1e-6), TEXT) is None

    def test_the_users_cache_is_the_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAYERWISE_CACHE", "/somewhere")
        assert Store().entry(Tables({}), TEXT).is_relative_to("/somewhere/activations")


def made(
    store: Store, values: NDArray[np.floating], text: Sequence[Document] = TEXT
) -> tuple[str, NDArray[np.floating]]:
    """The type that is chosen for values of shape (words, dim), and what is read back of them."""
    whole = np.broadcast_to(values.astype(np.float32), (LAYERS, *values.shape))
    starts = np.cumsum([0, *map(len, text)])
    arrays = {d.id: whole[:, starts[i] : starts[i + 1]] for i, d in enumerate(text)}
    found = store.activations(Tables(arrays), text)
    return found.manifest["dtype"], found.layer(1)


LONG = documents(*[40] * 10)
RANDOM = np.random.default_rng(5)
NORMAL = RANDOM.normal(size=(400, DIM))
ONE_HOT = np.eye(DIM)[RANDOM.integers(0, DIM, 400)]
ONE_BIG = NORMAL + 1e6 * (np.arange(400) == 399)[:, None]
ONE_DIM_SHIFTED = NORMAL + np.array([0, 0, 300, 0])
RARE = np.where((np.arange(400) == 7)[:, None], 1.0, np.zeros(DIM))


class TestPrecision:
    @pytest.mark.parametrize(
        ("values", "dtype"),
        [
            (NORMAL, "float16"),
            (NORMAL * 1000, "float16"),
            (NORMAL + 5, "float16"),  # a mean of five deviations is common in real encoders
            (ONE_HOT, "float16"),
            (RARE, "float16"),
            (np.full((400, DIM), 0.5), "float16"),  # constant, and exact
            (np.zeros((400, DIM)), "float16"),
            (np.full((400, DIM), 0.1), "float32"),  # constant, and not exact: better safe
            (NORMAL * 1e6, "float32"),
            (ONE_BIG, "float32"),  # only the very last word is too large
            (NORMAL * 1e25, "float32"),
            (NORMAL * 1e-8, "float32"),  # below the smallest that float16 has
            (NORMAL * 0.01 + 100, "float32"),  # tiny differences around a large mean
            (ONE_DIM_SHIFTED, "float32"),  # one dimension is enough
        ],
    )
    def test_float16_only_where_it_is_exact_enough(
        self, store: Store, values: NDArray[np.floating], dtype: str
    ) -> None:
        chosen, read = made(store, values, LONG)
        assert chosen == dtype == read.dtype.name
        expected = values.astype(np.float32)
        if dtype == "float32":
            np.testing.assert_array_equal(read, expected)
        else:
            noise = ((read - expected) ** 2).mean(axis=0, dtype=np.float64)
            assert (noise <= 1e-4 * expected.var(axis=0, dtype=np.float64)).all()

    def test_the_choice_is_the_same_for_documents_of_one_word(self, store: Store) -> None:
        words = documents(*[1] * 400)
        assert made(store, NORMAL, words)[0] == "float16"
        other = Store(store.folder / "other")
        assert made(other, NORMAL * 0.01 + 100, words)[0] == "float32"

    def test_few_words_are_judged_too(self, store: Store) -> None:
        chosen, read = made(store, NORMAL[:9] * 0.01 + 100)
        assert chosen == "float32"
        np.testing.assert_array_equal(read, (NORMAL[:9] * 0.01 + 100).astype(np.float32))
        other = Store(store.folder / "other")
        assert made(other, NORMAL[:9])[0] == "float16"

    def test_one_word_is_kept_whole(self, store: Store) -> None:
        chosen, read = made(store, NORMAL[:1], documents(1))
        assert chosen == "float32"
        np.testing.assert_array_equal(read, NORMAL[:1].astype(np.float32))

    def test_a_bad_layer_is_enough(self, store: Store) -> None:
        arrays = normal(LONG)
        for array in arrays.values():
            array[2, :, 3] += 500
        found = store.activations(Tables(arrays), LONG)
        assert found.manifest["dtype"] == "float32"
        np.testing.assert_array_equal(found.layer(2), joined(arrays, LONG)[2])

    def test_a_document_too_coarse_is_found_early(self, store: Store) -> None:
        arrays = {name: array + 500 for name, array in normal(LONG).items()}
        encoder = Tables(arrays)
        store.activations(encoder, LONG)
        assert encoder.asked[:7] == [f"d{i}" for i in range(7)]  # 280 words
        assert encoder.asked[7:] == [f"d{i}" for i in range(10)]


class TestBreachOfContract:
    @pytest.mark.parametrize("shape", [(3, 4, 4), (2, 5, 4), (3, 5, 3), (5, 4)])
    def test_a_wrong_shape_is_told_with_the_document(
        self, store: Store, shape: tuple[int, ...]
    ) -> None:
        arrays = normal() | {"d2": np.zeros(shape, np.float32)}
        with pytest.raises(ModelError, match=r"encoder tables: gave the shape .* 5 words of d2"):
            store.activations(Tables(arrays), TEXT)
        assert store.find(Tables(arrays), TEXT) is None

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite_are_told(self, store: Store, value: float) -> None:
        arrays = normal()
        arrays["d1"][2, 0, 3] = value
        with pytest.raises(ModelError, match=r"not finite for d1"):
            store.activations(Tables(arrays), TEXT)
        assert store.find(Tables(arrays), TEXT) is None

    def test_too_few_and_too_many_arrays_are_told(self, store: Store) -> None:
        class Short(Tables):
            def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
                return super().encode(documents[:-1])

        class Long(Tables):
            def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
                return super().encode([*documents, documents[0]])

        with pytest.raises(ModelError, match="gave 2 arrays for 3 documents"):
            store.activations(Short(normal()), TEXT)
        with pytest.raises(ModelError, match="gave more arrays than the 3 documents"):
            store.activations(Long(normal()), TEXT)
        assert store.find(Tables({}), TEXT) is None

    def test_it_is_made_well_after_the_encoder_is_repaired(self, store: Store) -> None:
        arrays = normal()
        with pytest.raises(ModelError):
            store.activations(Tables(arrays | {"d2": np.zeros((1, 1, 1), np.float32)}), TEXT)
        found = store.activations(Tables(arrays), TEXT)
        np.testing.assert_array_equal(found.layer(0), joined(arrays, TEXT)[0].astype(np.float16))


def test_a_layer_that_is_damaged_later_is_refused(store: Store) -> None:
    found = store.activations(Tables(normal()), TEXT)
    path = found.folder / "layers.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert found.layer(0).shape == (9, DIM)
    with pytest.raises(DataError, match="layer 2 differs from its checksum"):
        found.layer(2)
    path.write_bytes(data[:-3])
    with pytest.raises(DataError, match="cannot be read"):
        found.layer(0)


def test_the_store_imports_no_torch_models() -> None:
    """It serves every encoder: it knows the protocol alone."""
    assert not hasattr(module, "torch")
