#!/usr/bin/env bash
# Everything there is to do on a machine with an NVIDIA GPU: builds bindrt with its kernels, runs the GPU tests
# against the driver, compares each op with the CPU side, measures it, and writes bench/results/<device>.json.
#
#   bench/gpu_check.sh [--python PYTHON]     PYTHON: an environment to use as it is, instead of building .venv
#
# Exit code 0: all good; 2: no GPU; else something failed. BINDRT_LIBCUDA names another driver library: with the
# simulated one (tests/cudasim) everything is compared and nothing measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
while [ $# -gt 0 ]; do
  case "$1" in
    --python) python=${2:?--python needs a path}; shift 2 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 64 ;;
  esac
done

if [ -z "$python" ]; then
  python=.venv/bin/python
  make build
fi

status=0
"$python" -m bench.gpu --ready || status=$?
if [ "$status" != 0 ]; then
  echo "gpu_check: nothing was tried; \`$python -m bindrt doctor\` says what is missing" >&2
  exit "$status"
fi
"$python" -m pytest -q tests/gpu
"$python" -m bench.gpu
