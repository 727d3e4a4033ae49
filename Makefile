# Everything a person does with this repository. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUNCTION := target/release/bootstrap
SCENARIO ?= rescue
SPEED ?= 10
EVENT ?= events/interruption-terminate.json

# sam and the translator ask for a Region even where none is used.
export AWS_DEFAULT_REGION ?= us-east-1
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  SCENARIO=NAME for demo (or all), SPEED=AWS-seconds per second, EVENT=FILE for invoke"

.PHONY: setup
setup: $(VENV)/installed ## the Python tools, pinned, into .venv

$(VENV)/installed: local/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement local/requirements.txt
	@touch $@

.PHONY: build
build: ## the function, for this machine
	cargo build --release --locked --bin bootstrap

.PHONY: demo
demo: setup build ## interrupt a Spot Instance on the local AWS and watch it come back
	$(BIN)/python -m local.demo --scenario $(SCENARIO) --speed $(SPEED)

.PHONY: e2e
e2e: setup build ## every scenario on the local AWS
	$(BIN)/python -m local.demo --scenario all --speed $(SPEED)

.PHONY: lint
lint: setup ## format, clippy with and without the SDK, ruff, cfn-lint, sam validate
	cargo fmt --check
	cargo clippy --locked --no-default-features --features sim --all-targets -- -D warnings
	cargo clippy --release --locked --all-targets -- -D warnings
	$(BIN)/ruff check local
	$(BIN)/ruff format --check local
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --template template.yaml

.PHONY: unit
unit: setup ## offline tests: the core, and the local AWS against what AWS documents
	cargo test --locked --no-default-features --features sim
	$(BIN)/python -m pytest --quiet local/tests

.PHONY: test
test: lint unit e2e ## everything

.PHONY: package
package: setup ## the zip that Lambda takes, for arm64
	PATH="$(CURDIR)/$(BIN):$$PATH" cargo lambda build --release --locked --arm64 --output-format zip --bin bootstrap

.PHONY: invoke
invoke: setup build ## one event into the function, on a local AWS of its own
	$(BIN)/python -m local.invoke $(EVENT)

.PHONY: bench
bench: setup build ## start-up time, memory, size
	$(BIN)/python -m local.bench

.PHONY: clean
clean: ## what was built and installed
	cargo clean
	rm -rf $(VENV) .aws-sam
