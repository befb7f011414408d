#!/usr/bin/env bash
# Type check. mypy does not see through an editable install whose root is the package, so the parts
# are linked under one folder of that name first.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/types/layerwise
for part in __init__.py __main__.py py.typed core encoders probes results suite tasks; do
    ln -sfn "$PWD/$part" "build/types/layerwise/$part"
done
"${PYTHON:-python}" -m mypy -p layerwise
