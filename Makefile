# Two commands to know: `make run` starts everything, `make test` runs every test. Both install what they need.

VENV := .venv
PYTHON := $(VENV)/bin/python
CONFIG := $(if $(wildcard identity.yml),identity.yml,identity.example.yml)

.PHONY: help run test check bench format messages clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/.server ## Start the server in development mode, on SQLite
	@exec $(PYTHON) manage.py serve --dev -c $(CONFIG)

test: $(VENV)/.development ## Run every test, on SQLite and on PostgreSQL
	@$(PYTHON) -m tests.postgres -n 2 -q tests/identity tests/flows tests/actions --ignore tests/identity/test_serve.py
	@$(PYTHON) -m pytest -n 2 -q $(ARGS)

check: $(VENV)/.development ## Format, lint, types, system checks, migrations
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) manage.py check -c identity.example.yml
	$(PYTHON) manage.py makemigrations --check --dry-run

bench: $(VENV)/.development ## Measure, on PostgreSQL, as ratios of one run
	@exec $(PYTHON) -m tests.bench

format: $(VENV)/.development ## Put the code into the house's form
	$(PYTHON) -m ruff check --fix --exit-zero -q .
	$(PYTHON) -m ruff format .

messages: $(VENV)/.development ## Compile the translations of mails
	$(VENV)/bin/pybabel compile -D django -d actions/locale

clean: ## Remove the virtual environment and the development database
	rm -rf $(VENV) vestibule.sqlite3* .vestibule-secret

# A virtual environment, and a stamp for each set of packages in it: a second run starts at once.

$(VENV)/.server: requirements.txt
	@command -v python3 >/dev/null || { echo "Python 3.11 or later is needed, and python3 was not found." >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; this is $$(python3 --version)." >&2; exit 1; }
	@python3 -m venv $(VENV) || { echo "A virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing what the server needs into $(VENV) ..."
	@$(PYTHON) -m pip install --disable-pip-version-check -q -r requirements.txt || { echo "The packages could not be installed. Is there a network?" >&2; exit 1; }
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.server
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PYTHON) -m pip install --disable-pip-version-check -q -r requirements-dev.txt || { echo "The packages could not be installed. Is there a network?" >&2; exit 1; }
	@touch $@
