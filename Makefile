.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= ./var
DATA ?= ./data
TESTS_AT_ONCE ?= 2
BIN := .venv/bin

.PHONY: help install install-train clients run test check lint audit sbom messages bench train evaluate

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (set PYTHON)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary comment-moderation -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary comment-moderation -c constraints.txt -e '.[test]'
	@touch $@

.venv/installed-train: .venv/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary comment-moderation -c constraints.txt -e '.[train,evaluate]'
	@touch $@

install: .venv/installed-test ## the product and its test tools, into .venv

install-train: .venv/installed-train ## also what training and measuring are made with (large)

clients: .venv/installed-test ## other people's clients that the tests run, each in an environment of its own
	$(BIN)/python -m tests.e2e.clients.environments

run: .venv/installed ## start everything with demo content
	@exec $(BIN)/moderation up --port $(PORT) --data "$(DATA_DIR)" --demo

# In the order of the folders: the files of long tests come first and the many short ones last, so that both end together.
test: .venv/installed-test ## all tests; says which were skipped for want of what
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

lint: .venv/installed-test ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: .venv/installed-test ## common mistakes, licences, known holes of libraries
	@mkdir -p build
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive moderation workers models 2>build/bandit.log || { cat build/bandit.log; exit 1; }
	$(BIN)/python -m tests.audit.licences
	$(BIN)/python -m tests.audit.vulnerabilities

sbom: .venv/installed-test ## what the service runs with, as CycloneDX, into build/
	$(BIN)/python -m tests.audit.sbom build/sbom.json

check: lint audit sbom test ## exactly what CI runs

# What an error says is a text of the pages, too, where it is said in fixed words.
ERRORS := $(foreach name,Malformed Unauthorized Forbidden NotFound Conflict TooLarge UnsupportedMedia Invalid TooMany Unavailable,-k $(name))

messages: .venv/installed-test ## collect the texts of the pages for translators
	$(BIN)/pybabel --quiet extract -F pyproject.toml -k marked -k N_ $(ERRORS) --no-location --sort-output --project=comment-moderation \
		-o moderation/web/translations/messages.pot moderation

bench: .venv/installed-test ## measure; results go to benchmarks/README.md by hand
	$(BIN)/python -m benchmarks

train: .venv/installed-train ## fit the classifiers on the labelled data in DATA; hours, goes on after an interruption
	$(BIN)/python -m models.train --data "$(DATA)"

evaluate: .venv/installed-train ## measure the classifiers and the default policy
	$(BIN)/python -m models.evaluate --data "$(DATA)"
	for scorer in linear encoder cascade; do $(BIN)/moderation evaluate --scorer $$scorer || exit 1; done
