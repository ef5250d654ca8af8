# Porter's house rules in one place. Everything of weight is in scripts/, where it can be read and linted.
#
# Two builds exist and no third: debug with the tests (`.build/debug`), and the programs as they are installed
# (`.build-release/release`, optimised, with Swift's runtime inside), which the demonstration and the end-to-end
# tests run too. Each has a folder of its own, so that both can be made at once. The latter is made program by
# program: the static runtime has no Testing, and a build of everything would want it for Tests/Support.

SHELL = /bin/sh
PREFIX ?= /usr/local
DESTDIR ?=
AGENT ?= codex
CHAOS ?=
SETUP = @scripts/setup
PYTHON = /usr/bin/python3
RELEASE = --scratch-path .build-release --configuration release --static-swift-stdlib
PROGRAMS = porter-fcgi porter-watchdog porter-runner porter-worker porterctl porter-playground
export PREFIX DESTDIR

# Newer than every source once the programs are built; asking SwiftPM six times would cost ten seconds.
BUILT = .build-release/release/programs-built

.DEFAULT_GOAL = help
.PHONY: help setup build demo run test test-long lint format chaos bench install clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing; without root, print the line that does
	$(SETUP)

build: $(BUILT) ## Build the programs as they are installed

$(BUILT): Package.swift .swift-version $(shell find Sources Playground)
	$(SETUP) build
	@for program in $(PROGRAMS); do swift build $(RELEASE) --product $$program || exit 1; done
	@touch $@

demo: build ## Show the main job on this box, from a comment to a pull request (AGENT=codex, or AGENT=demo)
	$(SETUP) run agents
	$(PYTHON) scripts/demo --agent $(AGENT)

run: build ## Start everything on this box and keep it running until Ctrl-C
	$(SETUP) run agents
	@exec $(PYTHON) scripts/run

test: ## What must be green before a change is merged (PORTER_TEST_WITHOUT_CLIS=1: without agents' programs)
	@scripts/test

test-long: build ## What takes longer: 10,000 power cuts and calls, real systemd, that the linters find faults
	$(SETUP) run lint tests long
	scripts/power-cuts --cuts 10000
	scripts/power-cuts --cuts 1000 --synchronous NORMAL
	scripts/lint-selftest
	PORTER_CASES=10000 .venv-tests/bin/python -m pytest Tests/EndToEnd/test_description.py
	scripts/test-systemd

lint: ## Format, documentation, layers, scripts, nginx, units, links
	$(SETUP) build lint
	scripts/lint

format: ## Format the Swift sources
	swift format --in-place --recursive Sources Tests Playground Package.swift

chaos: build ## Kill Porter 10,000 times and more, and check the promise from outside (CHAOS="--seed N")
	$(SETUP) run agents tests
	swift build $(RELEASE) --product porter-chaos
	$(PYTHON) scripts/chaos $(CHAOS)

bench: build ## Measure the way in beside a bare C responder and others, passes, lists and pages beside a long history
	$(SETUP) run bench
	$(PYTHON) Benchmarks/ingest/ingest.py .build-release/release/porter-fcgi
	$(PYTHON) Benchmarks/ingest/peers.py .build-release/release/porter-fcgi
	$(PYTHON) Benchmarks/pass/pass.py .build-release/release/porter-watchdog
	$(PYTHON) Benchmarks/lists/lists.py .build-release/release
	$(PYTHON) Benchmarks/pages/pages.py

install: ## Install what was built (DESTDIR, PREFIX=/usr/local); keeps what the operator changed
	@scripts/install

clean: ## Remove everything that was built; keeps the virtual environments
	rm -rf .build .build-release build
