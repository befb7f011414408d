"""A scratch environment that borrows this one's libraries but not its ``layerwise``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from an sdist, as a release would be."""
    out = tmp_path_factory.mktemp("dist")
    # The backend is here already; an isolated build would have to fetch it.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return next(out.glob("*.whl"))


def make_environment(home: Path) -> Path:
    """A new environment's folder of programs, with this environment's libraries to borrow."""
    venv.create(home, with_pip=True)
    binaries = home / "bin"
    packages = next((home / "lib").glob("python*/site-packages"))
    # A plain path line adds this environment's libraries; editable installs in it, which need
    # their own .pth files to be read, stay invisible.
    (packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    # What venv brings may be too old to build with, and would hide the borrowed one.
    for name in ("setuptools", "pkg_resources", "_distutils_hack"):
        shutil.rmtree(packages / name, ignore_errors=True)
    for left in (*packages.glob("setuptools-*"), *packages.glob("distutils-precedence.pth")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return binaries


@pytest.fixture(scope="session")
def scratch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of the scratch environment in an empty folder outside the checkout."""
    home = tmp_path_factory.mktemp("scratch")
    binaries = make_environment(home / "env")
    work = home / "elsewhere"
    work.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "LAYERWISE_CACHE": str(home / "cache"),
    }

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(binaries / program), *arguments],
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
        )

    done = run("python", "-m", "pip", "install", "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The folder of programs of an environment without ``layerwise``."""
    return make_environment(tmp_path / "env")
