"""bilm-tf's files: read as TensorFlow meant them, and what is wrong with a folder told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core.errors import ModelError
from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.elmo import elmo
from layerwise.encoders.elmo_weights import load_elmo

torch.set_num_threads(1)
OPTIONS: dict[str, Any] = {
    "lstm": {
        "dim": 9,
        "projection_dim": 5,
        "n_layers": 2,
        "cell_clip": 0.6,
        "proj_clip": 0.5,
        "use_skip_connections": True,
        "dropout": 0.1,
    },
    "char_cnn": {
        "embedding": {"dim": 3},
        "filters": [[1, 4], [3, 4]],
        "n_characters": 262,
        "max_characters_per_token": 12,
        "n_highway": 2,
        "activation": "relu",
    },
    "n_train_tokens": 768648884,
}
WORDS = ["The", "old", "café", "was", "<S>", "extraordinarily", "big"]
CELL = "RNN_0/RNN/MultiRNNCell/Cell{}/LSTMCell"


def changed(**parts: Any) -> dict[str, Any]:
    """The options with some of one part's other values."""
    return {
        name: value | parts.get(name, {}) if isinstance(value, dict) else value
        for name, value in OPTIONS.items()
    }


def write(folder: Path, options: dict[str, Any] = OPTIONS, scale: float = 0.7) -> Path:
    """A model of these options with random weights, as bilm-tf would write it."""
    random = np.random.default_rng(3)
    lstm, cnn = options["lstm"], options["char_cnn"]
    dim, hidden = lstm["projection_dim"], lstm["dim"]
    channels = sum(number for _, number in cnn["filters"])
    shapes: dict[str, tuple[int, ...]] = {"char_embed": (261, cnn["embedding"]["dim"])}
    for i, (width, number) in enumerate(cnn["filters"]):
        shapes[f"CNN/W_cnn_{i}"] = (1, width, cnn["embedding"]["dim"], number)
        shapes[f"CNN/b_cnn_{i}"] = (number,)
    for i in range(cnn.get("n_highway") or 0):
        for part in ("transform", "carry"):
            shapes[f"CNN_high_{i}/W_{part}"] = (channels, channels)
            shapes[f"CNN_high_{i}/b_{part}"] = (channels,)
    if channels != dim:
        shapes |= {"CNN_proj/W_proj": (channels, dim), "CNN_proj/b_proj": (dim,)}
    for direction in (0, 1):
        for layer in range(lstm["n_layers"]):
            place = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes[f"{place}/W_0"] = (2 * dim, 4 * hidden)
            shapes[f"{place}/B"] = (4 * hidden,)
            shapes[f"{place}/W_P_0"] = (hidden, dim)
    folder.mkdir(exist_ok=True)
    (folder / "options.json").write_text(json.dumps(options))
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, shape in shapes.items():
            file[name] = random.normal(size=shape, scale=scale).astype(np.float32)
    return folder


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-x))


def clip(x: NDArray[Any], at: float | None) -> NDArray[Any]:
    return x if at is None else np.clip(x, -at, at)


def word_vector(file: Any, options: dict[str, Any], word: str) -> NDArray[Any]:
    """The character CNN of bilm-tf on one word, place by place, in float64."""
    cnn = options["char_cnn"]
    activate = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}[cnn["activation"]]
    codes = np.full(cnn["max_characters_per_token"], 260)
    inside = {"<S>": [256], "</S>": [257]}.get(word, list(word.encode()))
    inside = inside[: len(codes) - 2]
    codes[: len(inside) + 2] = [258, *inside, 259]
    x = file["char_embed"][...].astype(float)[codes]  # (characters, embedding)
    pooled = []
    for i, (width, _) in enumerate(cnn["filters"]):
        kernel, bias = file[f"CNN/W_cnn_{i}"][0], file[f"CNN/b_cnn_{i}"][...]
        places = [
            np.tensordot(x[t : t + width], kernel, 2) + bias for t in range(len(x) - width + 1)
        ]
        pooled.append(activate(np.max(places, axis=0)))
    y: NDArray[Any] = np.concatenate(pooled)
    for i in range(cnn.get("n_highway") or 0):
        layer = {name: value[...] for name, value in file[f"CNN_high_{i}"].items()}
        carry = sigmoid(y @ layer["W_carry"] + layer["b_carry"])
        transform = np.maximum(y @ layer["W_transform"] + layer["b_transform"], 0)
        y = carry * transform + (1 - carry) * y
    if "CNN_proj" in file:
        y = y @ file["CNN_proj/W_proj"][...] + file["CNN_proj/b_proj"][...]
    return y


def direction(file: Any, options: dict[str, Any], number: int, x: NDArray[Any]) -> list[Any]:
    """TensorFlow's LSTMCell over (time, dim), layer on layer, in float64."""
    lstm = options["lstm"]
    layers = []
    for layer in range(lstm["n_layers"]):
        cell = file[f"RNN_{number}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"]
        weight, bias, projection = (cell[name][...].astype(float) for name in ("W_0", "B", "W_P_0"))
        memory, state = np.zeros(lstm["dim"]), np.zeros(lstm["projection_dim"])
        outputs = []
        for step in x:
            i, j, f, o = np.split(np.concatenate([step, state]) @ weight + bias, 4)
            memory = clip(
                sigmoid(f + 1.0) * memory + sigmoid(i) * np.tanh(j), lstm.get("cell_clip")
            )
            state = clip((sigmoid(o) * np.tanh(memory)) @ projection, lstm.get("proj_clip"))
            outputs.append(state)
        y = np.array(outputs)
        x = y + x if layer and lstm.get("use_skip_connections") else y
        layers.append(x)
    return layers


def oracle(folder: Path, words: list[str]) -> NDArray[Any]:
    """All layers of a sentence, of shape (1 + layers, words, 2 * dim), from the raw file."""
    options = json.loads((folder / "options.json").read_text())
    with h5py.File(folder / "weights.hdf5") as file:
        x = np.array([word_vector(file, options, word) for word in ["<S>", *words, "</S>"]])
        ahead = [y[1:-1] for y in direction(file, options, 0, x)]
        back = [y[::-1][1:-1] for y in direction(file, options, 1, x[::-1])]
    layers = zip([x[1:-1], *ahead], [x[1:-1], *back], strict=True)
    return np.array([np.concatenate(pair, axis=1) for pair in layers])


def encode(folder: Path, words: list[str]) -> NDArray[np.float32]:
    document = Document("d", (Sentence.from_words(words),))
    return next(elmo(str(folder), EncoderOptions()).encode([document]))


VARIANTS = {
    "as published": OPTIONS,
    "three layers": changed(lstm={"n_layers": 3}),
    "no skips": changed(lstm={"use_skip_connections": False}),
    "no clips": changed(lstm={"cell_clip": None, "proj_clip": None}),
    "one clip": changed(lstm={"proj_clip": None}),
    "tanh": changed(char_cnn={"activation": "tanh"}),
    "no highways": changed(char_cnn={"n_highway": None}),
    "no projection": changed(char_cnn={"filters": [[2, 3], [4, 2]]}),
    "counted as in training": changed(char_cnn={"n_characters": 261}),
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS.keys())
def test_all_layers_are_what_tensorflow_computes(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = write(tmp_path, options)
    expected = oracle(folder, WORDS)
    np.testing.assert_allclose(encode(folder, WORDS), expected, rtol=0, atol=1e-5)
    # Every option of the table bites: the plain model gives something else.
    if options not in (OPTIONS, VARIANTS["counted as in training"]):
        plain = oracle(write(tmp_path / "plain"), WORDS)
        assert plain.shape != expected.shape or np.abs(plain - expected).max() > 1e-2


def test_the_published_file_names_serve(tmp_path: Path) -> None:
    folder = write(tmp_path)
    expected = encode(folder, WORDS)
    (folder / "options.json").rename(folder / "elmo_2x4096_512_2048cnn_2xhighway_options.json")
    (folder / "weights.hdf5").rename(folder / "elmo_2x4096_512_2048cnn_2xhighway_weights.hdf5")
    (folder / "vocab.txt").write_text("The\n")
    assert np.array_equal(encode(folder, WORDS), expected)


@pytest.mark.parametrize("kind", [np.float64, ">f4", np.float16])
def test_floats_of_any_kind_are_read(tmp_path: Path, kind: Any) -> None:
    folder = write(tmp_path)
    with h5py.File(folder / "weights.hdf5", "r+") as file:
        rounded = file["char_embed"][...].astype(kind)
        del file["char_embed"]
        file["char_embed"] = rounded
    np.testing.assert_allclose(encode(folder, WORDS), oracle(folder, WORDS), rtol=0, atol=1e-5)


def refused(folder: Path, *parts: str) -> None:
    """Loading fails with one line in which all these parts stand."""
    with pytest.raises(ModelError) as caught:
        load_elmo(folder)
    line = str(caught.value)
    assert "\n" not in line and str(folder) in line
    for part in parts:
        assert part in line


class TestFolder:
    def test_no_folder(self, tmp_path: Path) -> None:
        refused(tmp_path / "absent", "no such folder")

    @pytest.mark.parametrize("name", ["options.json", "weights.hdf5"])
    def test_a_file_is_absent(self, tmp_path: Path, name: str) -> None:
        (write(tmp_path) / name).unlink()
        refused(tmp_path, f"no files *{name.replace('.', '*.')}", "written by bilm-tf")

    def test_two_models_in_one_folder(self, tmp_path: Path) -> None:
        (write(tmp_path) / "small_weights.hdf5").write_bytes(b"")
        refused(tmp_path, "2 files *weights*.hdf5")


class TestOptions:
    def written(self, folder: Path, text: str) -> Path:
        (write(folder) / "options.json").write_text(text)
        return folder

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00"])
    def test_no_json(self, tmp_path: Path, text: str) -> None:
        refused(self.written(tmp_path, text), "options.json: cannot be read as JSON")

    @pytest.mark.parametrize("text", ["[]", "3", '"x"', "null"])
    def test_no_options(self, tmp_path: Path, text: str) -> None:
        refused(self.written(tmp_path, text), "options.json: options: ", "bilm-tf trained")

    @pytest.mark.parametrize("part", ["lstm", "char_cnn"])
    def test_a_part_is_absent(self, tmp_path: Path, part: str) -> None:
        rest = {name: value for name, value in OPTIONS.items() if name != part}
        refused(self.written(tmp_path, json.dumps(rest)), f"{part}: Field required")

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (changed(char_cnn={"n_characters": 300}), "char_cnn.n_characters"),
            (changed(char_cnn={"activation": "gelu"}), "char_cnn.activation"),
            (changed(char_cnn={"filters": []}), "char_cnn.filters"),
            (changed(char_cnn={"filters": [[13, 4]]}), "width 13 does not fit into the 12"),
            (changed(lstm={"dim": 5}), "5 is not wider than its projection, 5"),
            (changed(lstm={"n_layers": -1}), "lstm.n_layers"),
            (changed(lstm={"cell_clip": -3}), "lstm.cell_clip"),
        ],
    )
    def test_values_that_no_elmo_has(
        self, tmp_path: Path, options: dict[str, Any], told: str
    ) -> None:
        refused(self.written(tmp_path, json.dumps(options)), "options.json", told)

    @pytest.mark.parametrize(
        ("options", "dataset"),
        [
            (changed(char_cnn={"embedding": {"dim": 16}}), "char_embed: has the shape (261, 3)"),
            (changed(char_cnn={"filters": [[1, 4], [2, 4]]}), "CNN/W_cnn_1: has the shape"),
            (changed(char_cnn={"n_highway": 3}), "CNN_high_2/W_transform: no such dataset"),
            (changed(lstm={"projection_dim": 6}), "CNN_proj/W_proj: has the shape (8, 5)"),
            (changed(lstm={"dim": 10**9}), CELL.format(0) + "/W_0: has the shape"),
            (changed(lstm={"n_layers": 3}), CELL.format(2) + "/W_0: no such dataset"),
        ],
    )
    def test_options_of_another_model(
        self, tmp_path: Path, options: dict[str, Any], dataset: str
    ) -> None:
        refused(self.written(tmp_path, json.dumps(options)), "weights.hdf5: " + dataset, "options")

    @pytest.mark.parametrize(
        ("options", "odd"),
        [
            (changed(lstm={"n_layers": 1}), CELL.format(1)),
            (changed(char_cnn={"n_highway": 1}), "CNN_high_1"),
        ],
    )
    def test_a_file_with_more_than_the_options_say(
        self, tmp_path: Path, options: dict[str, Any], odd: str
    ) -> None:
        refused(self.written(tmp_path, json.dumps(options)), f"holds {odd}", "nothing")
