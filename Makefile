# Every command of this repository; `make` alone lists them. Presumes Python 3.11 or newer, pip and make: each command
# makes its own environment, and makes it anew when pyproject.toml or the compiled module changes.

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-oldest-twisted acceptance check format bench promises sanitize wheels clean

VERSIONS ?= 3.11 3.12 3.13
TESTS ?=
FULLY_COVERED := */ampkit/wire/*,*/ampkit/schema/*,*/ampkit/core/*,*/ampkit/policy/*

COVERED_TESTS := tests/wire tests/schema tests/core tests/policy
AT_A_TIME := --numprocesses=2 --dist=worksteal

BIN := .venv/bin
ALL_EXTRAS := '.[certs,cli,fast,testing,twisted]'
DEMO_EXTRAS := '.[cli,twisted]'
BENCH_EXTRAS := '.[fast,twisted]'
OLDEST_TWISTED := 'twisted==22.10.0' 'pyopenssl<25' # newer ones have taken away what it needs

# A pyenv shim exists for versions that do not run, so what counts is that a candidate answers, with the path of the real
# interpreter. PYENV_VERSION is for such shims; nothing else reads it.
ANSWER := import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)
any_python = for name in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(ANSWER)' 2>/dev/null && exit; done; exit 1
python_version = python$(1) -c '$(ANSWER)' 2>/dev/null || PYENV_VERSION=$(1) python$(1) -c '$(ANSWER)' 2>/dev/null

# $(call environment,COMMAND THAT PRINTS A PYTHON,WHAT TO INSTALL) makes the directory of the target, which is its stamp.
# Where the system took ensurepip out of Python, its own pip reaches into the new environment. Old ones know no --group.
PIP_INSTALL = $(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input
define environment
	@echo "Making $(@D) ..."
	@python=$$($(1)) || { echo "No Python 3.11 or newer runs here. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$python" -m venv $(@D) >/dev/null 2>&1 \
	|| { "$$python" -m venv --without-pip $(@D) && "$$python" -m pip --python $(@D)/bin/python install -qq pip; } \
	|| { echo "$$python cannot make $(@D): it needs its modules venv and pip." >&2; exit 1; }
	@$(PIP_INSTALL) --upgrade 'pip>=25.1'
	@$(PIP_INSTALL) $(2)
	@touch $@
endef

# Comments behind a target are its line in `make help`.
help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-19s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .venv-demo/.ready  ## two processes call each other, then a genuine Twisted peer, as a story in the terminal
	@.venv-demo/bin/ampkit demo

test: .venv/.ready  ## run the tests: the inner rooms in pure Python, to the last branch; then all, compiled if that was built
	@env -u AMPKIT_REQUIRE_SPEED AMPKIT_PURE=1 $(BIN)/coverage run -m pytest $(COVERED_TESTS)
	@$(BIN)/coverage report --include='$(FULLY_COVERED)' --fail-under=100
	@$(BIN)/python -m pytest $(AT_A_TIME)

test-all:  ## run the tests, or TESTS, on each Python of VERSIONS that is on this machine
	@for version in $(VERSIONS); do \
		if ($(call python_version,$$version)) >/dev/null; then $(MAKE) --no-print-directory test-$$version || exit; \
		else echo "Python $$version is not on this machine: skipped"; fi; done

test-%: .venv-%/.ready
	@echo "Python $*"
	@.venv-$*/bin/python -m pytest $(AT_A_TIME) $(TESTS)

test-oldest-twisted: .venv-oldest-twisted/.ready  ## run the tests of the Twisted face on the oldest Twisted it supports
	@.venv-oldest-twisted/bin/python -m pytest $(AT_A_TIME) tests/twisted

acceptance: .venv/.ready  ## run the test-suite of a program that uses twisted.protocols.amp, on ours
	@$(BIN)/python -m pytest -m minute tests/twisted/acceptance

check: .venv/.ready  ## style, types, layers
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy --no-error-summary
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo
	$(BIN)/python typing_tests/check.py

format: .venv/.ready  ## put the code into the one style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: .venv-bench/.ready  ## measure against twisted.protocols.amp and others; ARGS=--quick is shorter, ARGS=--full longer
	@.venv-bench/bin/python -m bench $(ARGS)

promises: .venv/.ready  ## what holds whatever the other end does, each with a figure
	@$(BIN)/python -m bench.promises

# What CPython itself never gives back counts as a leak, so leaks are not looked for here. Where it was not built with
# the sanitizers, they have to be there before it is.
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANITIZED := build/sanitized/lib
UNDER_SANITIZERS = env AMPKIT_REQUIRE_SPEED=1 PYTHONPATH=$(SANITIZED) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" $(BIN)/python
FUZZ_SECONDS ?= 60

sanitize: .venv/.ready  ## the compiled module under the address and undefined behaviour sanitizers: tests, and a minute of fuzzing
	@rm -rf build/sanitized
	@CFLAGS="$(SANITIZERS) -g -O1 -fno-omit-frame-pointer" LDFLAGS="$(SANITIZERS)" AMPKIT_REQUIRE_SPEED=1 \
		$(BIN)/python setup.py --quiet build --build-lib $(SANITIZED) --build-temp build/sanitized/temp
	@$(UNDER_SANITIZERS) -c 'from ampkit import _speed; assert _speed.__file__.startswith("$(CURDIR)/$(SANITIZED)"), _speed.__file__'
	@$(UNDER_SANITIZERS) -m pytest -p no:cacheprovider --timeout=300 tests/wire tests/schema tests/core tests/speed
	@$(UNDER_SANITIZERS) -m tests.speed.fuzz $(FUZZ_SECONDS)

wheels: .venv/.ready  ## a wheel for each Python of VERSIONS, one without the compiled module, a source archive; in dist/
	@$(BIN)/python -m build --quiet --sdist
	@AMPKIT_PURE=1 $(BIN)/python -m build --quiet --wheel
	@for version in $(VERSIONS); do \
		python=$$($(call python_version,$$version)) || { echo "Python $$version is not on this machine: skipped"; continue; }; \
		"$$python" -m pip wheel -qq --disable-pip-version-check --no-deps --wheel-dir dist . || exit; done
	@ls dist/*

clean:  ## remove everything that these commands made
	@rm -rf .venv .venv-* build dist src/*.egg-info .coverage .coverage.* htmlcov .hypothesis
	@rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests bench examples typing_tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

COMPILED := setup.py $(wildcard src/compiled/*.pyx src/compiled/*.pxi)

.venv/.ready: pyproject.toml $(COMPILED)
	$(call environment,$(any_python),--editable $(ALL_EXTRAS) --group dev)

.venv-demo/.ready: pyproject.toml $(COMPILED)
	$(call environment,$(any_python),--editable $(DEMO_EXTRAS))

.venv-bench/.ready: pyproject.toml $(COMPILED)
	$(call environment,$(any_python),--editable $(BENCH_EXTRAS) --group bench)

.venv-oldest-twisted/.ready: pyproject.toml $(COMPILED)
	$(call environment,$(call python_version,3.11) || ($(any_python)),--editable '.[testing]' --group test $(OLDEST_TWISTED) 'twisted[tls]')

.venv-%/.ready: pyproject.toml $(COMPILED)
	$(call environment,$(call python_version,$*),--editable $(ALL_EXTRAS) --group test)

.PRECIOUS: .venv-%/.ready
