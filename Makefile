# Python 3.11 or newer and make are all that is needed: each target makes what it needs, and stops what it started.
#
#   make run                    the whole system on http://localhost:8000/   (PORT=8001 for another port)
#   make test                   all tests, in a real browser too             (PYTEST_ARGS="tests/people -k login" for some)
#   make check                  formatting, lint, types, migrations, translations, tests of the house
#   make fuzz                   several hundred odd values in every field and address: most of an hour (FUZZ_VALUES=50 for fewer)
#   make scenarios DIR=folder   tries the calls described in a folder of YAML files
#   make drill                  kills one part after another under load, and counts what was lost (DRILL_SECONDS=240, DRILL_SEED)
#   make bench                  a million cases, and how fast each page is beside the least it could cost (BENCH_CASES=20000)
#   make backup                 data and keys of the system that `make run` runs, into var/backups and var/backup-keys
#   make restore                the newest of them into a new database beside it, compared row by row (INTO=name, FROM=folder, BROKEN_LOG=1)
#   make messages               collects the texts for translation and compiles the translations
#   make clean                  removes the virtual environment and all local data

# The first Python that is new enough and can make a virtual environment (a name on PATH may be an empty shim).
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
LOCAL := $(BIN)/python -m helpline.local
# runs a command with services of its own; its `python` is that of the virtual environment
WITH := $(LOCAL) with --
CHECKS := python manage.py makemigrations --check --dry-run; python manage.py messages --check; python -m pytest -n 2 --dist worksteal tests/house

.PHONY: help run test check fuzz scenarios drill bench backup restore messages clean
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

help:
	@sed -n 's/^#   //p' Makefile

# A stamp, so that an environment that was made by half, or for other requirements, is mended and not trusted.
$(INSTALLED): requirements.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer, with its venv module, is needed and was not found. Name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "Making a virtual environment in $(VENV) with $(PYTHON) ..."; \
		rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); }
	@echo "Installing requirements.txt (a minute or two the first time) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

run: $(INSTALLED)
	@exec $(LOCAL) run

# Tests are of the demo mode; what production refuses is tested by itself.
test check fuzz: export DEMO = 1

test: $(INSTALLED)
	@CHROMIUM="$$($(BIN)/python tests/browser.py)" && export CHROMIUM && echo "Browser: $$CHROMIUM" && \
		exec $(WITH) python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: $(INSTALLED)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(WITH) sh -ec '$(CHECKS)'

# The same every time: a fault that was found is found again. Not part of `make test`, which sends a fixed sample.
fuzz: $(INSTALLED)
	@exec $(WITH) python -m pytest -n 2 --dist worksteal -p no:logging tests/fuzz/fuzz_everything.py $(PYTEST_ARGS)

scenarios: $(INSTALLED)
	@if [ -z "$(DIR)" ]; then echo "Which folder? make scenarios DIR=path/to/folder" >&2; exit 1; fi
	@exec $(WITH) sh -ec 'python manage.py migrate --verbosity 0; exec python manage.py try_scenarios "$$1"' scenarios "$(DIR)"

drill: $(INSTALLED)
	@exec $(BIN)/python -m helpline.drill

bench: $(INSTALLED)
	@exec $(BIN)/python -m helpline.bench

# Beside a running system: its own environment says where its database is.
RUNNING := if [ ! -e var/environment ]; then echo "Nothing has run here yet: make run" >&2; exit 1; fi; . ./var/environment

backup: $(INSTALLED)
	@$(RUNNING); exec $(BIN)/python manage.py backup var/backups --keys-dir var/backup-keys

restore: $(INSTALLED)
	@$(RUNNING); from="$(or $(FROM),$$(ls -d var/backups/2* | tail -n 1))"; \
		exec $(BIN)/python manage.py restore "$$from" --keys var/backup-keys --into "$(or $(INTO),restored_$$(date +%Y%m%d_%H%M%S))" $(if $(BROKEN_LOG),--with-broken-log)

messages: $(INSTALLED)
	$(BIN)/python manage.py messages

# As root, and where no other account gets into the checkout, data and programs of the services lie in /var/tmp.
clean:
	@if [ -e var/postgres/postmaster.pid ]; then echo "PostgreSQL still runs in var: stop \`make run\` first." >&2; exit 1; fi
	rm -rf $(VENV) var build .hypothesis .pytest_cache .mypy_cache .ruff_cache
	@rm -rf "/var/tmp/helpline-$$(printf %s "$$(pwd -P)" | sha256sum 2>/dev/null | cut -c 1-12)"
