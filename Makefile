# All that is needed: Python 3.11 or later, Node.js 20 or later, make. Terraform is used when it is there.

PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# What is installed is named after what it was installed from, so that a changed lock installs anew.
key = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
VENV := .venv/locked-$(call key,requirements/dev.lock)
PACKAGE := .venv/package-$(call key,requirements/dev.lock pyproject.toml hatch_build.py runtime/requirements.lock)
COMPILED := $(PACKAGE)-compiled
NODE := node_modules/.locked-$(call key,package-lock.json)
CHECKOV := .cache/checkov/locked-$(call key,requirements/checkov.lock)
LOCKER := .cache/locker/ready

BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tools that tests and the demo start, python among them, are those of this checkout.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)

PYTEST := pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo day test test-fast soak check lint format picture docs lock dist clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything that the tests need into this folder
	@$(MAKE) --no-print-directory --silent -j 3 $(COMPILED) $(NODE) $(CHECKOV)

demo: $(PACKAGE) ## Run a day of the sample pipelines, and apply their stack to an AWS on this machine
	@python -m interlock_tf.local.demo

day: $(PACKAGE) ## Run only the day, in virtual time: a timeline, and a page to look at
	@mkdir -p build
	@interlock-tf simulate pipelines --calendars calendars --from 2026-12-10 \
		--sensors docs/examples/day.jsonl --html build/day.html

test: setup ## Run all tests
	@$(PYTEST)

test-fast: $(COMPILED) ## Run the tests that take no longer than a minute together
	@$(PYTEST) --hypothesis-profile=fast -m "not (slow or terraform or cdktf or wheel or linter or browser)"

check: ## Do what CI does: linters, types, import rules, all tests
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test

DAYS ?= 1000
SEED ?= 0
soak: $(PACKAGE) ## Live through DAYS random days of the samples, with faults, from SEED on
	@interlock-tf soak pipelines --calendars calendars --days $(DAYS) --seed $(SEED) --failures .cache/soak

lint: $(PACKAGE) ## Check style, types and import rules
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports

format: $(PACKAGE) ## Put the code into the project's style
	@ruff check --fix
	@ruff format

picture: day ## Take the picture of the day that the README shows, with Chromium
	@chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=0.75 \
		--blink-settings=preferredColorScheme=1 --window-size=1920,1115 --screenshot=docs/day.png build/day.html 2>/dev/null

docs: $(PACKAGE) ## Write the generated tables of the documentation anew
	@python docs/tables.py

dist: $(PACKAGE) ## Build the source distribution and the wheel
	@python -m build --outdir dist

lock: $(LOCKER) ## Resolve all dependencies anew, and write the lock files
	.cache/locker/bin/python requirements/lock.py
	npm install --package-lock-only --ignore-scripts

clean: ## Remove all that was installed or built here; not the state of what was deployed from here
	@! ls cdktf.out/stacks/*/terraform.tfstate >/dev/null 2>&1 || { \
		echo "cdktf.out holds the Terraform state of what was deployed from here: destroy that, or move the state" >&2; \
		exit 1; }
	rm -rf .venv .cache node_modules dist build cdktf.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -f interlock_tf/third_party/*.whl

$(VENV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, and none is on the PATH" >&2; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || \
		{ echo "Node.js 20 or later is needed, and none is on the PATH: the Terraform CDK runs on it" >&2; exit 1; }
	@echo "Installing the Python packages into .venv; the first time takes a minute"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -qq --no-compile --require-hashes -r requirements/dev.lock
	@touch $@

$(PACKAGE): $(VENV)
	@$(BIN)/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# Half of an installation's time is the compilation of modules of which a demo imports few. Tests want it done:
# a warning of the compiler about somebody else's module would be an error to them.
$(COMPILED): $(PACKAGE)
	@$(BIN)/python -W ignore -m compileall -qq -j 2 .venv/lib || true
	@touch $@

$(NODE):
	@echo "Installing cdktf-cli and the state machine validator into node_modules"
	@npm ci --ignore-scripts --silent
	@touch $@

$(CHECKOV):
	@echo "Installing checkov into .cache/checkov"
	@rm -rf .cache/checkov
	@$(PYTHON) -m venv .cache/checkov
	@.cache/checkov/bin/pip install -qq --require-hashes -r requirements/checkov.lock
	@touch $@

$(LOCKER):
	@$(PYTHON) -m venv .cache/locker
	@.cache/locker/bin/pip install -qq uv
	@touch $@
