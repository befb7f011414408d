"""``probe fit``: the numbers, the files it writes, and what it says of wrong ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.preprocessing import StandardScaler

from layerwise.probes.linear import HALF_DECADES, LinearProbe

Command = Callable[..., Any]
Array = NDArray[Any]
Given = Callable[..., tuple[Path, Path]]

CLASSES = ["ähnlich", "b c", "Z"]


def make(seed: int, rows: int, classes: int = 3, dim: int = 6) -> tuple[Array, list[str]]:
    """Overlapping clouds, not centred, the same for every seed."""
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    random = np.random.default_rng(seed)
    numbers = random.integers(0, classes, rows)
    vectors = centres[numbers] + random.normal(scale=1.5, size=(rows, dim)) + 3
    return vectors.astype(np.float32), [CLASSES[number] for number in numbers]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Writes vectors and labels, and gives their files."""

    def write(name: str, vectors: Array, labels: list[str]) -> tuple[Path, Path]:
        files = tmp_path / f"{name}.npy", tmp_path / f"{name}.txt"
        np.save(files[0], vectors)
        files[1].write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
        return files

    return write


@pytest.fixture
def three(given: Given) -> list[Any]:
    """The arguments for a training, a dev and a test set."""
    train, dev, test = (
        given(n, *make(s, r))
        for n, s, r in zip(("a", "b", "c"), (0, 1, 2), (300, 100, 120), strict=True)
    )
    return [*train, "--dev", *dev, "--test", *test]


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


class TestNumbers:
    @pytest.mark.parametrize("classes", [2, 3])
    def test_they_are_those_of_scikit_learn(
        self, classes: int, command: Command, given: Given
    ) -> None:
        (x, y), (x_test, y_test) = make(0, 300, classes), make(2, 120, classes)
        said = command(
            "fit", *given("a", x, y), "--test", *given("c", x_test, y_test), "--l2", 2, "-f", "json"
        )
        assert said.code == 0 and said.err == ""
        found = json.loads(said.out)
        scaler = StandardScaler().fit(x.astype(float))
        oracle = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(scaler.transform(x), y)
        p = oracle.predict_proba(scaler.transform(x_test))
        predicted = oracle.classes_[p.argmax(axis=1)]
        dummy = DummyClassifier(strategy="most_frequent").fit(x, y)
        scores = found["test"]
        assert scores["accuracy"] == pytest.approx(np.mean(predicted == np.array(y_test)))
        assert scores["macro_f1"] == pytest.approx(f1_score(y_test, predicted, average="macro"))
        bits = log_loss(y_test, p, labels=oracle.classes_) / math.log(2)
        # Rounding in float32 differs from processor to processor: 1.2e-5 off has been seen.
        assert scores["cross_entropy_bits"] == pytest.approx(bits, rel=1e-4)
        assert scores["majority_accuracy"] == dummy.score(x_test, y_test)
        assert (found["rows"], found["features"], found["classes"]) == (300, 6, classes)
        assert scores["rows"] == 120 and scores["unknown_labels"] == 0
        assert found["converged"] is True and found["gap"] < 1e-6 and found["passes"] > 0
        assert found["l2"] == 2 and found["l2_chosen_by"] == "you"
        assert found["l2_at_the_edge"] is None

    def test_dev_chooses_as_the_estimator_does(self, command: Command, three: list[Any]) -> None:
        found = json.loads(command("fit", *three, "-f", "json").out)
        (x, y), (x_dev, y_dev) = make(0, 300), make(1, 100)
        probe = LinearProbe().fit(x, y, x_dev, y_dev)
        assert found["l2"] == probe.l2_ and found["l2_chosen_by"] == "dev"
        assert found["dev"]["accuracy"] == probe.score(x_dev, y_dev)
        best = min(step.held_out for step in probe.path_) / math.log(2)
        assert found["dev"]["cross_entropy_bits"] == pytest.approx(best, rel=1e-6)

    def test_without_dev_cross_validation_chooses(self, command: Command, given: Given) -> None:
        x, y = make(0, 300)
        found = json.loads(command("fit", *given("a", x, y), "-f", "json").out)
        assert found["l2"] == LinearProbe().fit(x, y).l2_
        assert found["l2_chosen_by"] == "cross-validation"
        assert "dev" not in found and "test" not in found

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
    def test_any_float(self, dtype: str, command: Command, given: Given) -> None:
        x, y = make(0, 200)
        held = x.astype(dtype)
        found = json.loads(command("fit", *given("a", held, y), "--l2", "1,10", "-f", "json").out)
        assert found["l2"] == LinearProbe(l2=(1, 10)).fit(held.astype(float), y).l2_

    @pytest.mark.parametrize(
        "l2, edge", [("0.001,0.01", "strongest"), ("1e4,1e5", "weakest"), ("1", None)]
    )
    @pytest.mark.parametrize("dev", [True, False])
    def test_the_edge_of_the_grid_is_told(
        self, l2: str, edge: str | None, dev: bool, command: Command, three: list[Any]
    ) -> None:
        arguments = three if dev else three[:2]
        found = json.loads(command("fit", *arguments, "--l2", l2, "-f", "json").out)
        assert found["l2_at_the_edge"] == edge
        text = command("fit", *arguments, "--l2", l2).out
        assert (f"the {edge} of the grid" in text) == (edge is not None)


class TestText:
    def test_all_is_said(self, command: Command, three: list[Any]) -> None:
        said = command("fit", *three)
        found = json.loads(command("fit", *three, "-f", "json").out)
        assert said.code == 0 and said.err == ""
        assert "train     300 rows, 6 features, 3 classes\n" in said.out
        assert f"L2        {found['l2']:.4g}, chosen on dev\n" in said.out
        assert "optimum   converged, gap " in said.out
        assert f"test      accuracy {found['test']['accuracy']:.4f} (majority " in said.out
        assert f"{found['test']['cross_entropy_bits']:.4f} bits a label; 120 rows\n" in said.out
        assert "unknown" not in said.out
        assert found["l2"] in HALF_DECADES

    def test_labels_unknown_in_training_are_errors_and_told(
        self, command: Command, three: list[Any]
    ) -> None:
        before = json.loads(command("fit", *three, "-f", "json").out)
        for path in (three[4], three[7]):
            path.write_text("new\nnewer\n" + "\n".join(lines(path)[2:]), encoding="utf-8")
        told = "2 labels are unknown in training: counted as errors"
        assert command("fit", *three).out.count(told) == 2
        found = json.loads(command("fit", *three, "-f", "json").out)
        for name in ("dev", "test"):
            assert found[name]["unknown_labels"] == 2
            rows, lost = before[name]["rows"], before[name]["accuracy"] - found[name]["accuracy"]
            assert found[name]["rows"] == rows
            assert -1e-9 <= lost * rows <= 2 + 1e-9

    def test_a_test_set_of_unknown_labels_only(self, command: Command, three: list[Any]) -> None:
        three[7].write_text("new\n" * 120)
        found = json.loads(command("fit", *three, "-f", "json").out)["test"]
        assert found["accuracy"] == 0 and found["cross_entropy_bits"] is None
        assert "cross-entropy undefined" in command("fit", *three).out


class TestFiles:
    def test_weights(self, command: Command, three: list[Any], tmp_path: Path) -> None:
        path = tmp_path / "new" / "w.safetensors"
        assert command("fit", *three[:2], "--l2", "1", "-o", path).code == 0
        x, y = make(0, 300)
        probe = LinearProbe(l2=1.0).fit(x, y)
        with safe_open(path, framework="np") as stream:
            coef, intercept = stream.get_tensor("coef"), stream.get_tensor("intercept")
            note = stream.metadata()
        assert json.loads(note["classes"]) == sorted(CLASSES)
        assert float(note["l2"]) == 1
        assert np.allclose(coef, probe.coef_) and np.allclose(intercept, probe.intercept_)
        scores = x @ coef.T + intercept
        assert (np.array(sorted(CLASSES))[scores.argmax(axis=1)] == probe.predict(x)).all()

    @pytest.mark.parametrize("test", [True, False])
    def test_predictions(
        self, test: bool, command: Command, three: list[Any], tmp_path: Path
    ) -> None:
        path = tmp_path / "p.txt"
        assert command("fit", *three[: 8 if test else 5], "--predictions", path).code == 0
        (x, y), dev, (x_test, _) = make(0, 300), make(1, 100), make(2, 120)
        predicted = LinearProbe().fit(x, y, *dev).predict(x_test if test else dev[0])
        assert lines(path) == predicted.tolist()

    def test_the_lines_of_windows_and_its_mark(self, command: Command, three: list[Any]) -> None:
        plain = command("fit", *three, "-f", "json")
        three[1].write_bytes(b"\xef\xbb\xbf" + three[1].read_bytes().replace(b"\n", b"\r\n"))
        found = json.loads(command("fit", *three, "-f", "json").out)
        assert found | {"seconds": 0} == json.loads(plain.out) | {"seconds": 0}


class TestMistakes:
    @pytest.fixture
    def refused(self, command: Command, three: list[Any]) -> Callable[..., None]:
        def check(*told: str, code: int = 3, more: tuple[object, ...] = ()) -> None:
            said = command("fit", *three, *more)
            assert said.code == code and said.out == ""
            assert all(part in said.one_line() for part in told), said.err

        return check

    @pytest.mark.parametrize("place", [0, 1, 3, 4, 6, 7])
    def test_a_file_that_is_missing(
        self, place: int, three: list[Any], refused: Callable[..., None]
    ) -> None:
        three[place].unlink()
        refused(f"{three[place]}: no such file")

    @pytest.mark.parametrize(
        "content, told",
        [
            (np.zeros(300, np.float32), "an array of shape (300,); make it (rows, features)"),
            (np.zeros((0, 6), np.float32), "(0, 6)"),
            (np.zeros((300, 0), np.float32), "(300, 0)"),
            (np.zeros((300, 6), np.int64), "holds int64"),
            (np.zeros((300, 6), complex), "holds complex128"),
            (np.array([[None] * 6] * 300), "not an array of numbers"),
            (np.zeros((299, 6), np.float32), "300 labels for the 299 rows"),
        ],
    )
    def test_an_array_of_another_kind(
        self, content: Array, told: str, three: list[Any], refused: Callable[..., None]
    ) -> None:
        np.save(three[0], content, allow_pickle=True)
        refused(told)

    @pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY", None])
    def test_what_is_no_array(
        self, content: bytes | None, three: list[Any], refused: Callable[..., None]
    ) -> None:
        three[0].write_bytes(three[0].read_bytes()[:-8] if content is None else content)
        refused(f"{three[0]}: not an array of numbers")

    def test_an_archive_of_arrays(self, three: list[Any], refused: Callable[..., None]) -> None:
        with three[0].open("wb") as stream:
            np.savez(stream, a=np.zeros(3))
        refused("holds several arrays")

    @pytest.mark.parametrize("value", [np.nan, np.inf, -1e39])
    def test_a_value_that_is_not_finite(
        self, value: float, three: list[Any], refused: Callable[..., None]
    ) -> None:
        x = make(2, 120)[0].astype(float)
        x[17, 3] = value
        np.save(three[6], x)
        refused(f"{three[6]}: row 17 (the first is 0) holds NaN")

    @pytest.mark.parametrize(
        "content, told",
        [
            (b"", ":1: no label"),
            (b"a\n\nb\n", ":2: no label"),
            (b"a\n" * 300, "has one label only"),
            (b"a\n" * 299 + b"b\n" * 2, "301 labels for the 300 rows"),
            (b"\xff\n", "not UTF-8 (byte 0)"),
        ],
    )
    def test_labels(
        self, content: bytes, told: str, three: list[Any], refused: Callable[..., None]
    ) -> None:
        three[1].write_bytes(content)
        refused(str(three[1]), told)

    def test_another_number_of_features(
        self, three: list[Any], refused: Callable[..., None]
    ) -> None:
        np.save(three[3], np.zeros((100, 5), np.float32))
        refused("5 features, but training has 6")

    def test_a_dev_set_without_a_label_of_training(
        self, three: list[Any], refused: Callable[..., None]
    ) -> None:
        three[4].write_text("new\n" * 100)
        refused("has no label of training; L2 cannot be chosen on it")

    @pytest.mark.parametrize("l2", ["", "x", "1,,2", "0", "-1", "nan", "inf"])
    def test_l2(self, l2: str, refused: Callable[..., None]) -> None:
        refused("--l2:", "write 0.1,1,10", code=2, more=(f"--l2={l2}",))

    def test_outputs(
        self, three: list[Any], command: Command, refused: Callable[..., None], tmp_path: Path
    ) -> None:
        refused("does not end in .safetensors", code=2, more=("-o", tmp_path / "w.npz"))
        refused("is read here", code=2, more=("--predictions", three[7]))
        refused("is a folder", code=2, more=("--predictions", tmp_path))
        said = command("fit", *three[:2], "--predictions", tmp_path / "p.txt")
        assert said.code == 2 and "nothing to predict" in said.one_line()
        assert not (tmp_path / "p.txt").exists()
