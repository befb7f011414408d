"""Where a number comes from: versions, code, machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import __version__

_PACKAGES = ("torch", "transformers", "numpy", "scipy", "scikit-learn", "tokenizers")


@cache
def source_hash(*modules: str) -> str:
    """sha256 over the source of the modules: the version of the code that decides a number."""
    digest = hashlib.sha256()
    for name in modules:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()


@cache
def describe() -> dict[str, Any]:
    """Versions, platform, processor and threads, for a record."""
    packages = {}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "layerwise": __version__,
        **_checkout(),
        "packages": packages,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "processor": _processor(),
        "processors": os.cpu_count() or 1,
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
    }


def _checkout() -> dict[str, Any]:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return {}
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (no word of a user's is in it)
        ["git", "-C", str(root), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
