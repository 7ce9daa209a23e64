# make demo: the whole shop on this machine.  make test: everything that CI runs.
PYTHON ?= python3
PORT ?= 8000
FULL ?=
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: demo test coverage lint format clean

demo: $(VENV)/.run
	@DJANGO_SETTINGS_MODULE=shop_reco.settings.demo exec $(BIN)/python manage.py demo --port $(PORT) $(if $(FULL),--full)

test: $(VENV)/.dev
	@bash scripts/test.sh

coverage: $(VENV)/.dev
	$(BIN)/coverage run --source reco_engine -m pytest -q tests/reco_engine
	$(BIN)/coverage report --skip-covered --fail-under 95

lint: $(VENV)/.dev
	@bash scripts/lint.sh

format: $(VENV)/.dev
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "installing the packages; this takes some minutes the first time"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "installing the packages; this takes some minutes the first time"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) var build dist
