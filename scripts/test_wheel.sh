#!/usr/bin/env bash
# Builds the wheel and runs it from an environment of its own: scripts/test_wheel.sh PYTHON
set -euo pipefail
python=$(realpath -s "${1:?usage: scripts/test_wheel.sh PYTHON}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$work" .
"$python" - "$work"/*.whl <<'PY'
import sys
import zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
top = {name.split("/")[0] for name in names}
wrong = [t for t in top if t != "edge" and not t.endswith(".dist-info")]
assert not wrong, f"the wheel has top-level {wrong}"
for needed in ("edge/_libedge.so", "edge/assets/assistant.gguf", "edge/py.typed", "edge/export/__init__.py", "edge/quant/__init__.py", "edge/assistant/assistant.py", "edge/assistant/page/index.html", "edge/device_profiles/raspberry-pi-5.toml"):
    assert needed in names, f"the wheel lacks {needed}"
print(f"{sys.argv[1].split('/')[-1]}: {len(names)} files")
PY
"$python" -m venv "$work/env"
"$work/env/bin/pip" install --quiet "$work"/*.whl
cd "$work"
"$work/env/bin/edge" run "turn on the kitchen light" | tee answer.txt
grep -q '"name"' answer.txt
