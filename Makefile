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
# What the longer proofs look at.
CASES ?= 100000
RESCUES ?= 500
FAULTS ?= 0.1
# At tenfold speed the two minutes are twelve seconds, and the local AWS takes as long to answer 25 at once.
SOAK_SPEED ?= 5
CALLS := target/calls
CORE := --locked --no-default-features --features sim

# sam and the translator ask for a Region even where none is used.
export AWS_DEFAULT_REGION ?= us-east-1
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  SCENARIO=NAME for demo (or all), SPEED=AWS-seconds per second, EVENT=FILE for invoke,"
	@echo "  CASES=N for sim, RESCUES=N, FAULTS=SHARE and SOAK_SPEED for soak"

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
e2e: setup build ## every scenario on the local AWS, recording what the calls needed permission for
	rm -rf $(CALLS)
	$(BIN)/python -m local.demo --scenario all --speed $(SPEED) --record $(CALLS)

.PHONY: lint
lint: setup ## format, clippy with and without the SDK, ruff, cfn-lint, sam validate
	cargo fmt --check
	cargo clippy $(CORE) --all-targets -- -D warnings
	cargo clippy --release --locked --all-targets -- -D warnings
	$(BIN)/ruff check local tests
	$(BIN)/ruff format --check local tests
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --template template.yaml

.PHONY: unit
unit: setup ## offline tests: the core, and the local AWS against what AWS documents
	cargo test $(CORE)
	$(BIN)/python -m pytest --quiet local/tests

.PHONY: wire
wire: ## what is sent to AWS, and what is made of its answers
	cargo test --release --locked --test wire

.PHONY: permissions
permissions: setup local/permissions/node_modules ## the calls that e2e recorded, before the role's real policy
	$(BIN)/python -m local.permissions.replay $(CALLS)

local/permissions/node_modules: local/permissions/package-lock.json
	npm ci --prefix local/permissions --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: checkov
checkov: $(VENV)-checkov/installed ## the template against checkov's rules; exceptions stand in it, with reasons
	$(VENV)-checkov/bin/checkov --quiet --compact --skip-download --framework cloudformation --file template.yaml

$(VENV)-checkov/installed: local/checkov-requirements.txt
	$(PYTHON) -m venv $(VENV)-checkov
	$(VENV)-checkov/bin/pip install --quiet --disable-pip-version-check --requirement local/checkov-requirements.txt
	@touch $@

.PHONY: test
test: lint unit wire e2e permissions checkov ## everything

.PHONY: sim
sim: ## CASES random worlds with random schedules, against a naive model
	CASES=$(CASES) cargo test --release $(CORE) --test random -- --nocapture

.PHONY: faults
faults: ## every fault at every call of every story
	FAULTS=all cargo test --release $(CORE) --test sim faults -- --nocapture

.PHONY: mutants
mutants: ## plants bugs, one at a time: the tests must notice each
	$(PYTHON) tests/mutants/run.py

.PHONY: soak
soak: setup build ## RESCUES rescues on the local AWS while FAULTS of all calls fail
	$(BIN)/python -m local.soak --rescues $(RESCUES) --faults $(FAULTS) --speed $(SOAK_SPEED)

.PHONY: differential
differential: setup build ## the same lists of operations in the simulator and on the local AWS
	$(BIN)/python -m local.differential --speed $(SPEED)

.PHONY: package
package: setup ## the zip that Lambda takes, for arm64
	PATH="$(CURDIR)/$(BIN):$$PATH" cargo lambda build --release --locked --arm64 --output-format zip --bin bootstrap

.PHONY: invoke
invoke: setup build ## one event into the function, on a local AWS of its own
	$(BIN)/python -m local.invoke $(EVENT)

.PHONY: bench
bench: build $(VENV)-bench/installed ## how fast it is, beside a plain function in Python and AWS's rates
	cargo build --release --locked --no-default-features --features sim --example bench --example allocations
	target/release/examples/bench

$(VENV)-bench/installed: bench/baseline/requirements.txt
	$(PYTHON) -m venv .venv-bench
	$(VENV)-bench/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: clean
clean: ## what was built and installed
	cargo clean
	rm -rf $(VENV) $(VENV)-bench $(VENV)-checkov .aws-sam local/permissions/node_modules
