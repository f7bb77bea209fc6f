#!/usr/bin/env bash
# Everything there is to do on a machine with an NVIDIA GPU: the GPU tests against the driver, each op compared
# with the CPU side and measured, copies, what may go wrong, compute-sanitizer and Nsight Compute where they
# are, and the whole pipeline with PyTorch as the engine.
#
#   bench/gpu_check.sh [--python PYTHON] [--json OUT] [--only STEP,…] [--limit SECONDS]
#                      [--bundle BUNDLE PRECISION]
#
# Each step is a process with a time limit, and one that fails does not keep the others from running. Where there is
# no GPU, the steps that need none run, and of each other it is said why it did not. OUT gets the steps, their exit
# codes, seconds and results, after each step anew; what a step printed and measured is beside it, in OUT's name with
# the step's. PYTHON: an environment to use as it is, instead of building .venv. STEP: run these alone; --only list
# names them. SECONDS: of all steps together; those for which none are left are not run. BUNDLE: also run the
# pipeline with its TensorRT plans, and time its encoders in that precision, for the measured column of
# `python -m bench engines --roofline`; to make one here:
# bind-export random:0 -o BUNDLE --engine tensorrt --precision fp16.
# Exit code 0: all good; 2: no GPU; else something failed. BINDRT_LIBCUDA names another driver library: with the
# simulated one (tests/cudasim) everything is compared and nothing measured.
set -euo pipefail

python="" bundle="" precision="" json="" only="" limit=100000
while [ $# -gt 0 ]; do
  case "$1" in
    --python) python=${2:?--python needs a path}; shift 2 ;;
    --bundle) bundle=${2:?--bundle needs a path} precision=${3:?--bundle needs a precision}; shift 3 ;;
    --json) json=$(realpath -m "${2:?--json needs a path}"); shift 2 ;;
    --only) only=${2:?--only needs names}; shift 2 ;;
    --limit) limit=${2:?--limit needs seconds}; shift 2 ;;
    *) sed -n '/^set /q; 2,$s/^# \{0,1\}//p' "$0"; exit 64 ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$only" = list ]; then
  python=true
elif [ -z "$python" ]; then
  python=.venv/bin/python
  make build
fi

export PYTHONUNBUFFERED=1  # the last line is what was said last, on either output

# Why steps cannot run: nothing is said of those that can.
status=0 absence=""
if [ "$only" != list ]; then
  said=$("$python" -m bench gpu --ready 2>&1) || status=$?
  printf '%s\n' "$said"
  [ "$status" = 0 ] || absence=${said##*$'\n'}
  [ "$status" = 0 ] || echo "gpu_check: \`$python -m bindrt doctor\` says what is missing" >&2
fi
lacking=$absence

steps=() summary=() failed=() complete=false
end=$((SECONDS + limit))
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

quoted() {  # TEXT as JSON has it
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "${text//[[:cntrl:]]/ }"
}

write() {  # all steps until now
  [ -n "$json" ] || return 0
  (IFS=,; printf '{"complete": %s, "lacking": %s, "steps": [%s]}\n' \
    "$complete" "$(quoted "$lacking")" "${steps[*]}") > "$json"
}

record() {  # NAME EXIT-CODE SECONDS WHAT: WHAT is for people
  local name=$1 code=$2 seconds=$3 what=$4
  case "$what" in FAILED*) failed+=("$name") ;; esac
  summary+=("$(printf '%-22s %5s s  %s' "$name" "$seconds" "$what")")
  steps+=("{\"step\": \"$name\", \"exit_code\": $code, \"seconds\": $seconds, \"result\": $(quoted "$what")}")
  write
}

step() {  # NAME SECONDS COMMAND...
  local name=$1 most=$2 left=$((end - SECONDS)) code=0 begin=$SECONDS log what
  shift 2
  if [ "$only" = list ]; then
    echo "$name"
    return
  fi
  case ",${only:-$name}," in *",$name,"*) ;; *) return ;; esac
  if [ -n "$absence" ]; then
    record "$name" null 0 "not run: $absence"
    return
  fi
  if [ "$left" -le 0 ]; then
    record "$name" null 0 "not run: no time was left"
    return
  fi
  if ! command -v "$1" > /dev/null; then
    record "$name" null 0 "not run: $1 is not here"
    return
  fi
  printf '\n--- %s\n' "$name"
  log=${json:+${json%.json}-$name.log}
  log=${log:-$logs/$name.log}
  timeout -k 10 "$((most < left ? most : left))" "$@" 2>&1 | tee "$log" || code=$?
  what="FAILED: exit code $code"
  case "$code $* $(tail -n 1 "$log")" in
    "0 "*) what=good ;;
    "124 "* | "137 "*) what="FAILED: its time was over" ;;
    "1 "*" -m bindrt doctor "*) ! grep -q '^Problems:' "$log" || what="it names problems" ;;
    "2 "*": error: "*) ;;  # options that there are not
    "2 "*" -m bench "*) what="not run: $(tail -n 1 "$log")" ;;
  esac
  record "$name" "$code" "$((SECONDS - begin))" "$what"
}

anywhere() {  # STEP...: it needs no GPU
  if [ "$status" = 2 ]; then local absence=""; fi
  "$@"
}

needs() {  # "MODULE..." STEP...: Python modules that not every machine has
  local not_here modules=$1
  shift
  if [ "$only" != list ] && [ -z "$absence" ]; then
    # shellcheck disable=SC2086  # several words
    not_here=$("$python" -c 'import sys; from importlib.util import find_spec
print(*(name for name in sys.argv[1:] if find_spec(name) is None), sep=", ")' $modules)
    [ -z "$not_here" ] || local absence="not installed: $not_here"
  fi
  "$@"
}

result() {  # NAME: the option that has a step write its result beside OUT
  [ -z "$json" ] || printf -- '--json\n%s-%s.json\n' "${json%.json}" "$1"
}

bench() {  # NAME SECONDS BENCH [ARGUMENT...]
  local name=$1 most=$2 options
  shift 2
  mapfile -t options < <(result "$name")
  step "$name" "$most" "$python" -m bench "$@" "${options[@]}"
}

anywhere step doctor 120 "$python" -m bindrt doctor
needs pytest step tests 600 "$python" -m pytest -q tests/csrc/gpu
bench programs 600 gpu-programs
bench kernels 300 gpu
bench copies 120 gpu-copies
bench decode 300 gpu-decode
bench adversities 600 gpu-adversities
for tool in memcheck initcheck synccheck racecheck; do
  step "sanitizer-$tool" 300 compute-sanitizer --tool "$tool" --error-exitcode 9 \
    "$python" -m bench gpu --small --rounds 1 --json /dev/null
done
bench nsight 400 gpu-nsight
needs torch bench torch 580 torch --part modalities
needs torch bench torch-files 580 torch --part pictures videos --modality image video
needs torch bench torch-compiled 580 torch --way compiled --modality image
needs "torch torchvision" bench torch-compiled-others 580 torch --part others --way eager compiled --modality image
anywhere needs "torch onnx" bench torch-cpu 580 torch --device cpu --bundle tiny --precision fp32 --max-batch 4
if [ -n "$bundle" ]; then
  step engines 600 "$python" -m bench engines --bundle "$bundle" --gpu "$precision"
  bench pipeline 600 gpu-pipeline "$bundle" "$precision"
fi

[ "$only" != list ] || exit 0
if [ ${#steps[@]} = 0 ]; then
  echo "gpu_check: --only $only: no step is named so; --only list names them" >&2
  exit 64
fi
complete=true
write
printf '\n'
printf '%s\n' "${summary[@]}"
if [ ${#failed[@]} != 0 ]; then
  echo "gpu_check: failed: ${failed[*]}" >&2
  exit 1
fi
exit "$status"
