# bindrt: `make help` lists the targets. Everything happens in .venv and build/, in this folder.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check
# pip says what it downloads and builds, since that takes minutes; `make LOUD=-q` does not.
LOUD   ?=
ARGS   ?=

CPP    := CMakeLists.txt $(wildcard cmake/*.* $(foreach depth,*.* */*.* */*/*.*,$(addsuffix /$(depth),kernels csrc))) \
          tools/compile_kernels.py tools/nvrtc.py
# The compiler of the GPU kernels; without it, or with BINDRT_CUDA=off, the build serves CPUs alone.
NVRTC  := nvidia-cuda-nvrtc-cu12==12.9.86
CUDA    = $${BINDRT_CUDA:-$$($(PY) tools/compile_kernels.py find >/dev/null 2>&1 && echo auto || echo off)}
FORMAT  = $(shell git ls-files --cached --others --exclude-standard '*.cpp' '*.h' '*.cu')

# A stamp says what is installed: `make demo` needs the runtime alone, the rest the extras `export` and `dev`.
# Once they are there, the demo uses them.
DEV       := $(VENV)/.installed-dev
DEMO      := $(if $(wildcard $(DEV)),$(DEV),$(VENV)/.installed-demo)
CORE_DEV  := $(VENV)/.core-dev
CORE_DEMO := $(if $(wildcard $(DEV)),$(CORE_DEV),$(VENV)/.core-demo)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-deep bench lint lint-python lint-cpp lint-tree lint-lock format docs wheel \
        gpu-kit lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(CORE_DEV)  ## make .venv, install all dependencies, compile bindrt._core
demo: $(CORE_DEMO)  ## embed files of all modalities with bind-tiny; a table, and a page to look at
	$(PY) examples/demo.py $(ARGS)
test: $(CORE_DEV)  ## the tests (not the deep ones)
	$(PY) tools/run_tests.py $(ARGS)
test-deep: $(CORE_DEV)  ## the tests that take minutes or gigabytes
	$(PY) -m pytest -q -m deep $(ARGS)
bench: $(CORE_DEV)  ## the table and chart of docs/measured.md; ARGS=--help lists more
	$(PY) -m bench $(ARGS)

lint: lint-python lint-cpp lint-tree lint-lock docs  ## style, types, stub, layout and arrows, lock, docs
lint-python: $(CORE_DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	MYPYPATH=runtime $(PY) -m mypy.stubtest bindrt._core --mypy-config-file pyproject.toml
lint-cpp: $(CORE_DEV)
	$(VENV)/bin/clang-format --dry-run -Werror $(FORMAT)
lint-tree: $(CORE_DEV)
	$(PY) tools/check_tree.py
lint-lock: $(CORE_DEV)
	$(PY) tools/check_lock.py
format: $(CORE_DEV)  ## rewrite in our style
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .
	$(VENV)/bin/clang-format -i $(FORMAT)
docs: $(CORE_DEV)  ## the site of docs/ and of the docstrings, in build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
wheel: $(CORE_DEV)  ## an sdist and a manylinux wheel in dist/, tried in an empty environment without a compiler
	BINDRT_CUDA=$(CUDA) $(PY) tools/make_wheel.py $(ARGS)
gpu-kit: $(CORE_DEV)  ## an archive in dist/ that checks and measures bindrt on a machine with a GPU and no network
	BINDRT_CUDA=$(CUDA) $(PY) tools/make_gpu_kit.py $(ARGS)
lock: $(CORE_DEV)  ## renew constraints.txt; ARGS=--upgrade for the newest versions
	$(PY) tools/lock.py $(ARGS)

clean:  ## remove what was built, but not .venv
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-output
	rm -f $(VENV)/.installed-* $(VENV)/.core-*

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "bindrt needs Python 3.10 or newer and '$(PYTHON)' is not; name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed-%: pyproject.toml constraints.txt | $(PY)
	@echo "installing what is needed into $(VENV), then compiling bindrt._core; the first time takes minutes"
	@$(if $(filter dev,$*),[ "$$BINDRT_CUDA" = off ] || $(PIP) install -q --no-deps $(NVRTC) || \
	  echo "building for CPUs alone: $(NVRTC) cannot be had" >&2)
	@BINDRT_CUDA=$(CUDA) $(PIP) install $(LOUD) -c constraints.txt -e '.$(if $(filter dev,$*),[export$(comma)dev])'
	@touch $@
comma := ,

# C++ that changed since the install. With `dev` the build tools are in .venv, which saves a minute of
# pip making an environment for them.
$(VENV)/.core-%: $(CPP) | $(VENV)/.installed-%
	@if [ -n "$$(find $(CPP) -newer $(VENV)/.installed-$*)" ]; then \
	  echo "compiling bindrt._core: a minute or more"; \
	  BINDRT_CUDA=$(CUDA) $(PIP) install -q --no-deps $(if $(filter dev,$*),--no-build-isolation) -e .; fi
	@touch $@
.PRECIOUS: $(VENV)/.installed-%
