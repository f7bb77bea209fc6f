#!/usr/bin/env bash
# Everything there is to do on a machine with an NVIDIA GPU: builds bindrt with its kernels, runs the GPU tests
# against the driver, compares each op with the CPU side, measures it, and writes bench/results/<device>.json.
#
#   bench/gpu_check.sh [--python PYTHON] [--bundle BUNDLE PRECISION] [--json OUT]
#
# A step that fails does not keep the others from running. OUT gets the steps, their exit codes and seconds.
# PYTHON: an environment to use as it is, instead of building .venv. BUNDLE: also run the pipeline with it, and time its
# encoders in that precision, for the measured column of `python -m bench engines --roofline`; to make one here:
# bind-export random:0 -o BUNDLE --engine tensorrt --precision fp16.
# Exit code 0: all good; 2: no GPU; else something failed. BINDRT_LIBCUDA names another driver library: with the
# simulated one (tests/cudasim) everything is compared and nothing measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="" bundle="" precision="" json=""
while [ $# -gt 0 ]; do
  case "$1" in
    --python) python=${2:?--python needs a path}; shift 2 ;;
    --bundle) bundle=${2:?--bundle needs a path} precision=${3:?--bundle needs a precision}; shift 3 ;;
    --json) json=${2:?--json needs a path}; shift 2 ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 64 ;;
  esac
done

if [ -z "$python" ]; then
  python=.venv/bin/python
  make build
fi

status=0
"$python" -m bench gpu --ready || status=$?
if [ "$status" != 0 ]; then
  echo "gpu_check: nothing was tried; \`$python -m bindrt doctor\` says what is missing" >&2
  exit "$status"
fi

steps=() failed=()
step() {  # NAME COMMAND...
  local name=$1 code=0 begin=$SECONDS
  shift
  "$@" || code=$?
  steps+=("{\"step\": \"$name\", \"exit_code\": $code, \"seconds\": $((SECONDS - begin))}")
  [ "$code" = 0 ] || failed+=("$name")
}
step tests "$python" -m pytest -q tests/csrc/gpu
step kernels "$python" -m bench gpu
if [ -n "$bundle" ]; then
  step engines "$python" -m bench engines --bundle "$bundle" --gpu "$precision"
  step pipeline "$python" -m bench gpu-pipeline "$bundle" "$precision"
fi
if [ -n "$json" ]; then
  (IFS=,; printf '{"steps": [%s]}\n' "${steps[*]}") > "$json"
fi
if [ ${#failed[@]} != 0 ]; then
  echo "gpu_check: failed: ${failed[*]}" >&2
  exit 1
fi
