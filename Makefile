# Thin on purpose: the work is done by scripts/ and by the Python modules named here.
PYTHON := .venv/bin/python
# Extra arguments: make test ARGS="-k catalogue", make bench ARGS=--quick
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo chat setup test check bench torture soak audit clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s%s\n", $$1, $$2 }' Makefile

demo: ## A sample shop with simulated phones in the browser; no key, phone or server needed (FRESH=1 starts anew, MEMORY=weaviate)
	@scripts/setup.sh demo
	@$(PYTHON) -m sandbox.demo $(if $(filter-out 0 no,$(FRESH)),--fresh) $(ARGS)

chat: ## Chat in the terminal with your own .env and the real model
	@scripts/setup.sh run
	@scripts/chat.sh $(ARGS)

setup: ## Prepare .venv for running the bot; every other target does this by itself
	@scripts/setup.sh run

test: ## Run the tests (ARGS="-k word" picks some)
	@scripts/setup.sh dev
	@.venv/bin/pytest -n 3 --dist loadfile -m "not torture" $(ARGS)

check: ## Format, lint, types and tests: what must pass before a change lands
	@scripts/setup.sh dev
	@scripts/check.sh

bench: ## Run the benchmarks (ARGS=--quick or ARGS=--full)
	@scripts/setup.sh dev
	@$(PYTHON) -m bench $(ARGS)

torture: ## Run the long tests (1,000 deaths and more); the table of what they lost or doubled is at the end
	@scripts/setup.sh dev
	@.venv/bin/pytest -m torture $(ARGS)

soak: ## One hour of messages, payments and faults (ARGS="--seconds 600" for less)
	@scripts/setup.sh dev
	@$(PYTHON) -m bench.soak --full $(ARGS)

audit: ## Look up known weaknesses of everything that is installed
	@scripts/setup.sh run
	@scripts/audit.sh

clean: ## Remove .venv, caches and the demo's state; your own state in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis var/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
