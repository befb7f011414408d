"""The package as others get it: the wheel, in an environment and a folder of their own."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]

IMPORT_ALL = """
import importlib, pkgutil, warnings, layerwise
warnings.simplefilter("error")
names = [m.name for m in pkgutil.walk_packages(layerwise.__path__, "layerwise.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), layerwise.__file__)
"""


def test_wheel_holds_the_package_and_nothing_generic(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"layerwise"}
    assert not [name for name in names if "/tests/" in name or name.endswith("/setup.py")]
    assert "layerwise/py.typed" in names
    assert "layerwise/encoders/pretrained/transformer/weights.safetensors" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_shipped_encoder_is_at_most_four_megabytes(wheel: Path) -> None:
    shipped = [
        i for i in zipfile.ZipFile(wheel).infolist() if "/pretrained/transformer/" in i.filename
    ]
    assert 1_000_000 < sum(info.file_size for info in shipped) <= 4_000_000


def test_every_module_imports_outside_the_checkout(scratch: Run) -> None:
    done = scratch("python", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    count, place = done.stdout.split()
    assert int(count) > 80
    assert "scratch" in place


def test_help_and_lists_work_outside_the_checkout(scratch: Run) -> None:
    done = scratch("probe", "--help")
    assert done.returncode == 0 and "pretrain" in done.stdout
    done = scratch("probe", "list", "encoders")
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {"transformer", "hf", "onehot"}


def test_editable_install_works_outside_the_checkout(environment: Path, tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "-e"]
    for command in (
        [str(environment / "python"), *install, str(ROOT)],
        [str(environment / "probe"), "list", "tasks"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "coref" in done.stdout
