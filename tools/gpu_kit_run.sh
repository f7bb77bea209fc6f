#!/usr/bin/env bash
# Installs this kit's wheels into its own folder, without a network, and runs everything that this machine can check.
#
#   ./run.sh [--python PYTHON] [options of bench/gpu_check.sh: --json OUT, --only STEP,…, --limit SECONDS]
#
# PYTHON: one that has PyTorch; default: python3. Nothing outside this folder is changed. What a machine without a GPU
# can do is done there too; of each other step it is said why it did not run. Exit code: that of bench/gpu_check.sh:
# 0: all good; 2: there is no GPU; 64: the kit is for another Python; else something failed.
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '/^set /q; 2,$s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

python=python3 options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --python) python=${2:?--python needs a path}; shift 2 ;;
    --json) options+=(--json "$(realpath -m "${2:?--json needs a path}")"); shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
python=$(command -v "$python") || { echo "run.sh: there is no such Python" >&2; exit 64; }
case "$python" in /*) ;; *) python=$PWD/$python ;; esac
cd "$here"

cat KIT.json
wanted=$(sed -n 's/.*"python": "\(.*\)".*/\1/p' KIT.json)
found=$("$python" -c "import sys; print('%d.%d' % sys.version_info[:2])")
if [ "$found" != "$wanted" ]; then
  echo "run.sh: this kit is for Python $wanted, $python is $found; make one: make gpu-kit ARGS='--python python$found'" >&2
  exit 64
fi
if [ ! -f site/.installed ]; then
  "$python" -m pip --disable-pip-version-check install -q --no-index --no-deps --no-compile --target site wheels/*.whl
  touch site/.installed
fi
export PYTHONPATH="$here/site" XDG_CACHE_HOME="$here/cache"

"$python" - << 'PYTHON'
import importlib.util

needed = "numpy PIL onnxruntime pyarrow tokenizers rich".split()
asked = {"torch": "steps torch…", "torchvision": "its decoding beside ours", "onnx": "step torch-cpu",
         "pytest": "step tests", "hypothesis": "step tests", "av": "videos"}
for name in needed:
    if importlib.util.find_spec(name) is None:
        print(f"{name} is not here: bindrt does not run without it")
for name, what in asked.items():
    if importlib.util.find_spec(name) is None:
        print(f"{name} is not here: {what} cannot run")
PYTHON

exec bench/gpu_check.sh --python "$python" ${options[@]+"${options[@]}"}
