"""HDF5 weights: read by name and shape; damage, links and foreign types are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from layerwise.core.errors import ModelError
from layerwise.encoders.hdf5 import open_weights

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)
NAME = "group/x"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.hdf5"
    with h5py.File(path, "w") as file:
        file[NAME] = VALUES
        file["group/y"] = VALUES
        file["other"] = VALUES
    return path


def put(path: Path, change: Callable[[Any], object]) -> Path:
    """The file with another thing in place of the dataset, or of its group."""
    with h5py.File(path, "r+") as file:
        del file["group"]
        change(file)
    return path


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(ModelError) as caught, open_weights(path) as file:
        file.read(NAME, 2, 3)
    line = str(caught.value)
    assert "\n" not in line and line.startswith(str(path))
    for part in parts:
        assert part in line


def test_a_dataset_is_read_by_name_and_the_rest_is_told(path: Path) -> None:
    with open_weights(path) as file:
        read = file.read(NAME, 2, 3)
        assert file.unread() == ["group/y", "other"]
    assert read.dtype == torch.float32 and np.array_equal(read.numpy(), VALUES)


def test_a_file_that_cannot_be_written_is_read(path: Path) -> None:
    path.chmod(0o444)
    with open_weights(path) as file, open_weights(path) as again:
        assert torch.equal(file.read(NAME, 2, 3), again.read(NAME, 2, 3))


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 3, 1), (2, 4)])
def test_another_shape(path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"group/x: has the shape \(2, 3\), not"):
        with open_weights(path) as file:
            file.read(NAME, *shape)


def test_no_file_and_no_hdf5(tmp_path: Path) -> None:
    refused(tmp_path / "absent.hdf5", "not a sound HDF5 file")
    (tmp_path / "text.hdf5").write_text("weights")
    refused(tmp_path / "text.hdf5", "not a sound HDF5 file", "fresh copy")


def test_half_a_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])
    refused(path, "not a sound HDF5 file")


def test_a_dataset_or_its_group_is_absent_or_something_else(path: Path) -> None:
    refused(put(path, lambda file: None), f"{NAME}: no such dataset")
    with h5py.File(path, "r+") as file:
        file["group"] = VALUES
    refused(path, f"{NAME}: ")
    refused(put(path, lambda file: file.create_group(NAME)), f"{NAME}: no such dataset")


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6).reshape(2, 3),
        np.array([[b"a"] * 3] * 2),
        VALUES.astype(complex),
        np.zeros((2, 3), dtype=[("weight", "f4")]),
    ],
    ids=["whole numbers", "texts", "complex", "records"],
)
def test_what_is_not_floats(path: Path, values: Any) -> None:
    refused(put(path, lambda file: file.update({NAME: values})), f"{NAME}: holds", "not floats")


def test_objects(path: Path) -> None:
    def objects(file: Any) -> None:
        file.create_dataset(NAME, (2, 3), dtype=h5py.string_dtype())
        file[NAME][0, 0] = b"\x80\x04cos\nsystem\n"

    refused(put(path, objects), f"{NAME}: holds object, not floats")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_float32_cannot_hold(path: Path, value: float) -> None:
    wide = VALUES.astype(np.float64)
    wide[1, 1] = value
    refused(put(path, lambda file: file.update({NAME: wide})), f"{NAME}: holds values", "finite")


class TestOtherFiles:
    """Nothing but the file itself is read, although HDF5 could."""

    def elsewhere(self, tmp_path: Path) -> str:
        with h5py.File(tmp_path / "elsewhere.hdf5", "w") as file:
            file[NAME] = VALUES
            file["x"] = VALUES
        (tmp_path / "secret").write_bytes(VALUES.tobytes())
        return str(tmp_path / "elsewhere.hdf5")

    def test_links(self, path: Path, tmp_path: Path) -> None:
        other = self.elsewhere(tmp_path)
        for link in (h5py.ExternalLink(other, NAME), h5py.SoftLink("/other")):
            refused(put(path, lambda file, to=link: file.update({NAME: to})), f"{NAME}: a link")
        outside = h5py.ExternalLink(other, "group")
        refused(put(path, lambda file: file.update({"group": outside})), f"{NAME}: a link")

    def test_bytes_of_a_plain_file(self, path: Path, tmp_path: Path) -> None:
        self.elsewhere(tmp_path)

        def outside(file: Any) -> None:
            at = [(str(tmp_path / "secret"), 0, VALUES.nbytes)]
            file.create_dataset(NAME, (2, 3), "f4", external=at)

        refused(put(path, outside), f"{NAME}: its values are in another file")

    def test_a_virtual_dataset(self, path: Path, tmp_path: Path) -> None:
        layout = h5py.VirtualLayout(shape=(2, 3), dtype="f4")
        layout[:] = h5py.VirtualSource(self.elsewhere(tmp_path), "x", shape=(2, 3))
        refused(
            put(path, lambda file: file.create_virtual_dataset(NAME, layout)),
            f"{NAME}: its values are in another file",
        )
