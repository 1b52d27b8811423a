# Everything a person or a CI job runs here. `make help` lists it. Each target sets up what it
# needs; the first time that is the virtual environment .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python on the PATH that is new enough; `make PYTHON=… demo` chooses another one.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)) python3)
BIN := .venv/bin
# Where somebody has set it, each of the many processes would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
READY := .venv/.ready

# Sets $$python, or says what to do.
define require-python
python=$(PYTHON); \
if ! $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	found=$$($$python --version 2>&1) || found="not there"; \
	echo "Headgate needs Python 3.11 or newer; $$python is $$found." >&2; \
	echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one:" >&2; \
	echo "make PYTHON=/path/to/python3.12 demo" >&2; \
	exit 1; \
fi
endef

.PHONY: help demo demo-down test test-fast wheel test-wheel test-argocd test-kubernetes test-exploration \
	test-faults lint format generate docs golden lock sbom bench-engine bench-judge bench-polls bench-image \
	cluster-up cluster-down clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: ## Release real models on a real cluster: good ones, bad ones, three strategies
	@began=$$(date +%s); $(require-python); $$python -m hack.environment --can-have-cluster; \
	$(MAKE) --silent --no-print-directory $(READY); \
	exec $(BIN)/python -m hack.demo run --began $$began $(DEMO)

demo-down: $(READY) ## Remove what the demonstration made
	@$(BIN)/python -m hack.demo down

# Stories on the cluster wait more than they compute, so four at a time keep two cores busy; each test
# goes to the first worker that is free.
WORKERS ?= --numprocesses 4 --maxschedchunk 1

# Exit code 3: this machine can have no cluster. Those tests are then skipped, with the reason.
test: $(READY) ## Run every test, those on a real API server and a real cluster included
	@$(BIN)/python -m hack.cluster packages && $(BIN)/python -m hack.cluster build || [ $$? -eq 3 ]
	@$(BIN)/python -m hack.checkers || [ $$? -eq 3 ]
	@$(BIN)/python -m pytest $(WORKERS)

test-fast: $(READY) ## Run the tests that need no cluster
	@$(BIN)/python -m pytest -m "not cluster and not control_plane"

# What setuptools left in build of deleted modules would get into the wheel.
wheel: $(READY) ## Build the wheel into dist
	@rm -rf build dist/headgate-*.whl
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-0} $(BIN)/pip wheel --quiet --no-deps --no-build-isolation \
		--wheel-dir dist .

test-wheel: $(if $(WHEEL),$(READY),wheel) ## Run the tests that need no cluster on the wheel, or on WHEEL=…
	@rm -rf build/wheel
	@$(BIN)/pip install --quiet --no-deps --target build/wheel $(or $(WHEEL),dist/headgate-*.whl)
	@export PYTHONPATH=$$PWD/build/wheel; \
	$(BIN)/python -c 'import headgate; assert "build/wheel" in headgate.__file__, headgate.__file__'; \
	$(BIN)/python -m pytest $(WORKERS) --override-ini=pythonpath=. -m "not cluster and not control_plane"

test-argocd: $(READY) ## Run what needs the cluster alone: releases by a real Argo CD, upgrades, its NetworkPolicy
	@$(BIN)/python -m hack.cluster packages && $(BIN)/python -m hack.cluster build || [ $$? -eq 3 ]
	@HEADGATE_ALONE=1 $(BIN)/python -m pytest -m alone tests/e2e

KUBERNETES ?= 1.33 1.34 1.35

test-kubernetes: $(READY) ## Run what needs an API server against several versions of it (KUBERNETES=1.33: one)
	@failed=; for version in $(KUBERNETES); do \
		echo "Kubernetes $$version"; export HEADGATE_KUBERNETES=$$version; \
		$(BIN)/python -m hack.cluster build --control-plane-only && \
		$(BIN)/python -m pytest $(WORKERS) -m control_plane || failed+=" $$version"; \
	done; [ -z "$$failed" ] || { echo "failed with Kubernetes$$failed" >&2; exit 1; }

test-exploration: $(READY) ## Explore the planner's states in larger small worlds, for half an hour
	@HEADGATE_EXPLORE=large $(BIN)/python -m pytest $(WORKERS) tests/exploration

test-faults: $(READY) ## Disturb releases at every write and every request (under an hour)
	@$(BIN)/python -m hack.cluster build --control-plane-only
	@$(BIN)/python -m tests.faults $(FAULTS)
	@$(if $(FAULTS),,HEADGATE_LONG=1 $(BIN)/python -m pytest -m long)

lint: $(READY) ## Check style, types and layers
	@$(BIN)/python -m pytest -q tests/quality

format: $(READY) ## Format the sources and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet operator hack tests examples
	@$(BIN)/ruff format --quiet operator hack tests examples

generate: $(READY) ## Write the generated files anew: the CRD and the page of commands
	@$(BIN)/python -m hack.generate

docs: $(READY) ## Build the documents as a site into docs/_site
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_site
	@echo "docs/_site/index.html"

golden: $(READY) ## Write the golden files anew; read the difference before you commit it
	@UPDATE_GOLDEN=1 HEADGATE_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden tests/render

COMPILE := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

# requirements.txt is what the operator's image has: it can notify, too.
lock: $(READY) ## Resolve the dependencies anew (UPGRADE=1: newest versions), with hashes
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --extra notify --output-file requirements.txt pyproject.toml
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml
	@printf "setuptools\nuv\n" | $(COMPILE) $(if $(UPGRADE),--upgrade) --output-file hack/requirements.txt -
	@printf "checkov\nsoupsieve<3\n" | $(COMPILE) $(if $(UPGRADE),--upgrade) \
		--output-file hack/checkov-requirements.txt -

sbom: $(READY) ## Write the bill of materials of the image (CycloneDX) into dist
	@$(BIN)/python -m hack.sbom dist/headgate.cdx.json
	@echo "dist/headgate.cdx.json"

bench-engine: $(READY) ## Measure what the operator costs, with up to 1,000 ModelDeployments
	@exec $(BIN)/python -m hack.bench engine --output docs/measurements.md $(BENCH)

bench-judge: $(READY) ## Simulate releases: healthy ones taken back, bad ones found, beside other judges
	@exec $(BIN)/python -m hack.bench judge --output docs/measurements.md $(BENCH)

bench-polls: $(READY) ## Measure questions to Prometheus with up to 1,000 releases, and a dead one
	@exec $(BIN)/python -m hack.bench polls --output docs/measurements.md $(BENCH)

bench-image: $(READY) ## Weigh the operator's image, build it twice, and start it
	@exec $(BIN)/python -m hack.bench image --output docs/measurements.md $(BENCH)

cluster-up: $(READY) ## Start the local cluster "dev" and print the path of its kubeconfig
	@$(BIN)/python -m hack.cluster up

cluster-down: $(READY) ## Remove the local cluster "dev"
	@$(BIN)/python -m hack.cluster down

clean: ## Remove .venv and what the tools left in this directory (clusters stay)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist \
		operator/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew whenever the lock or the package's own definition changes.
$(READY): requirements-dev.txt pyproject.toml hack/environment.py hack/requirements.txt
	@$(require-python); exec $$python -m hack.environment
