# Each target is one line; the logic is in the tools. `make` alone shows them.
PYTHON ?= python3
BIN := .venv/bin
STORES := $(foreach shop,demo fresh home sport demo_en pets_en,--store-dir knowledge/stores/$(shop))
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help setup serve test check lint fix types content reindex adapt eval bench train clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,models]'
	touch $@

setup: $(BIN)/.ready ## Install everything into .venv

serve: setup reindex ## Build the demo shops' index and serve on 127.0.0.1:8000
	$(BIN)/python -m scripts.serve --port $(PORT)

test: setup ## Run the tests
	$(BIN)/python -m pytest

check: lint types content test ## All that CI runs

lint: setup ## Style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

fix: setup ## Mend style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: setup ## Types
	$(BIN)/mypy

content: setup ## Check the shipped shops, their wording and gaps, their labelled chats and the needs bank
	$(BIN)/python -m scripts.check_chats $(STORES)
	$(BIN)/python -m scripts.check_needs
	$(BIN)/python -m scripts.check_knowledge --no-notes --now 2026-11-21 $(STORES)

reindex: setup ## Publish the demo shops' index
	$(BIN)/python -m scripts.reindex $(STORES)

adapt: setup ## Tune models of its own for the Chinese demo shop
	$(BIN)/python -m scripts.adapt --store-dir knowledge/stores/demo

eval: setup reindex ## Evaluate both demo shops on their test chats
	$(BIN)/python -m scripts.evaluate --store-dir knowledge/stores/demo --chats knowledge/stores/demo/chats/test.jsonl --report var/reports/demo
	$(BIN)/python -m scripts.evaluate --store-dir knowledge/stores/demo_en --chats knowledge/stores/demo_en/chats/test.jsonl --report var/reports/demo_en

bench: setup reindex ## Latency of the endpoint from another process
	$(BIN)/python -m scripts.bench

train: setup ## Fit the classifiers and the ranker again, and publish the indexes of them
	$(BIN)/python -m scripts.train_classifiers $(STORES)
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.train_ranker $(STORES) # one thread: the same bytes whatever the machine's cores
	$(MAKE) reindex

clean: ## Remove what was built
	rm -rf .venv var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
