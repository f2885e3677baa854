# Everything a developer types. Needs Python 3.11+ and make; the rest is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait as much as they work: three at a time keep two cores busy.
WORKERS ?= 3
SPREAD := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# What else to tell pytest: make test FLAGS='--shuffle 7'
FLAGS ?=

.PHONY: demo ready test lab lint bench docs clean

# The stamps let a second run start at once.
$(VENV)/demo.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing kafkactl and its sandbox into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e '.[sandbox]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing kafkactl and its development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e '.[dev]'
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp ## Start a real Kafka, create the 27 topics, prove that it works, and stop everything again.
	@$(BIN)/kafkactl sandbox run -- sh .ci/demo.sh $(BIN)/kafkactl
	@cat .ci/next-steps.txt

ready: $(VENV)/dev.stamp
	@# The first start trains the JVM on every core: not beside tests that wait for something.
	@$(BIN)/kafkactl sandbox run -- true

test: ready ## Run the suite on real brokers, with a representative part of the laboratory.
	@$(BIN)/python -m pytest -m "not lab" $(SPREAD) $(FLAGS)

lab: ready ## Break Kafka in every way the doctor knows, fix it, write tests/lab/RESULTS.md, and run the other long tests.
	@KAFKACTL_LAB=tests/lab/RESULTS.md $(BIN)/python -m pytest -m "lab or quick or property" $(FLAGS)

lint: $(VENV)/dev.stamp ## ruff, mypy --strict, the import contract, and whether docs/commands/ says what --help says.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/kafkactl lint
	@$(BIN)/python -m tests.reference --check

docs: ready ## Rewrite the command reference, the README's picture, and what the documents show of kafkactl.
	@$(BIN)/python -m tests.reference
	@$(BIN)/python -m tests.documents --write
	@$(BIN)/python -m tests.pictures

bench: $(VENV)/dev.stamp ## Measure side by side, and write bench/RESULTS.md.
	@$(BIN)/python bench/run.py

clean:
	rm -rf $(VENV) build dist *.egg-info
