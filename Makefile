# Each target installs what it needs, without root. `make help` lists the targets.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development
CHROMIUM := $(VENV)/.installed-chromium
SERVERS := $(VENV)/.installed-servers
IMAGE := $(VENV)/.installed-image
SSE_CLIENTS := tests/e2e/sse_clients/node_modules/.package-lock.json

# Separate environments: moto and checkov pin old versions of packages that the tests use.
INFRASTRUCTURE_VENV := .venv-infrastructure
CHECKOV_VENV := .venv-checkov
LATEST_VENV := .venv-latest
INFRASTRUCTURE := $(INFRASTRUCTURE_VENV)/.installed
CHECKOV := $(CHECKOV_VENV)/.installed

# cog fills in the tables that come from the code (tools/reference.py).
REFERENCE := $(BIN)/cog -I . -P
WITH_TABLES := README.md .env.example $(wildcard docs/*.md docs/recipes/*.md)

# Most tests wait for servers and browsers, so there are more processes than cores.
WORKERS ?= 4

# Without bytecode, each process of the tests would compile every module again: 4 s of processor time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run dev services services-down dev-distributed up down image image-test migrate test unit test-latest e2e sse-clients webkit chaos pictures load infra-test lint reference format audit check build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(DEVELOPMENT) ## Create .venv with all development dependencies, pinned and hashed

run: $(RUNTIME) ## Run the scoreboard with simulated players on http://127.0.0.1:8000
	@$(BIN)/scoreboard demo

dev: $(DEVELOPMENT) ## The same, restarted on each change of the source
	@$(BIN)/watchfiles --target-type command --filter python '$(BIN)/scoreboard demo' src

services: ## Start PostgreSQL and Redis in Docker, for dev-distributed
	@docker compose version > /dev/null 2>&1 && docker info > /dev/null 2>&1 || { echo "There is no running Docker engine with Compose. \
	Install Docker, or set SCOREBOARD_DATABASE_URL and SCOREBOARD_REDIS_URL to servers of your own for make dev-distributed."; exit 1; }
	@docker compose up --detach --wait

services-down: ## Stop them; the data stays
	@docker compose down

dev-distributed: $(DEVELOPMENT) ## Like dev, on the PostgreSQL and Redis of services, or of the two URLs in the environment
	@SCOREBOARD_DATABASE_URL="$${SCOREBOARD_DATABASE_URL:-postgresql://scoreboard:$${POSTGRES_PASSWORD:-scoreboard}@127.0.0.1:$${POSTGRES_PORT:-5432}/scoreboard}" \
	SCOREBOARD_REDIS_URL="$${SCOREBOARD_REDIS_URL:-redis://:$${REDIS_PASSWORD:-scoreboard}@127.0.0.1:$${REDIS_PORT:-6379}/0}" \
	SCOREBOARD_JWT_SECRET="$${SCOREBOARD_JWT_SECRET:-for development alone, known to everybody}" \
	$(BIN)/watchfiles --target-type command --filter python '$(BIN)/scoreboard demo' src

up: ## Build the image, and start two instances behind nginx, with PostgreSQL, Redis, Prometheus and Grafana
	@docker compose --profile full up --detach --build
	@echo "The scoreboard: http://127.0.0.1:$${SCOREBOARD_PORT:-8000}  Grafana: http://127.0.0.1:$${GRAFANA_PORT:-3000}"

down: ## Stop all of it; the data stays
	@docker compose --profile full down

image: ## Build the image, as scoreboard:local; ARGS go to docker build
	@docker build --tag scoreboard:local --build-arg REVISION="$$(git rev-parse HEAD 2> /dev/null || echo unknown)" $(ARGS) .

image-test: $(IMAGE) ## Lint the Dockerfile, build the image and test it in a Docker engine; ENGINE=optional accepts a machine without one
	@$(BIN)/hadolint Dockerfile
	@! docker compose version > /dev/null 2>&1 || docker compose --profile full config --quiet
	@ENGINE=$(ENGINE) tools/image-test $(ARGS)

migrate: $(RUNTIME) ## Upgrade the database to this program's schema
	@$(BIN)/scoreboard migrate

test: $(DEVELOPMENT) $(CHROMIUM) $(SERVERS) $(SSE_CLIENTS) ## Run all tests in WORKERS processes and check the coverage; ARGS="tests/web -x" runs some
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal $(if $(ARGS),$(ARGS),--cov)

unit: $(DEVELOPMENT) ## Run the tests that need no server, in less than a minute
	@$(BIN)/python -m pytest --numprocesses=$(WORKERS) tests/unit $(ARGS)

test-latest: $(DEVELOPMENT) | $(LATEST_VENV)/bin/python ## Run the unit and web tests with the newest dependencies, in a venv of their own
	@$(BIN)/uv pip install --quiet --upgrade --python $(LATEST_VENV)/bin/python --group build --group dev --group servers --editable .
	@$(LATEST_VENV)/bin/python -m pytest tests/unit tests/web $(ARGS)

e2e: $(DEVELOPMENT) $(CHROMIUM) $(SERVERS) $(SSE_CLIENTS) ## Run the end-to-end tests alone
	@$(BIN)/python -m pytest tests/e2e tests/browser

sse-clients: $(DEVELOPMENT) $(SSE_CLIENTS) ## Follow a stream with the clients that docs/clients.md lists
	@$(BIN)/python -m pytest tests/e2e/test_sse_clients.py

webkit: $(DEVELOPMENT) $(SERVERS) ## Run the tests of the page in WebKit; make test includes them if WebKit is installed
	@$(BIN)/python -c 'from tests.webkit.browser import HELP, is_there; import sys; is_there() or sys.exit(HELP)'
	@$(BIN)/python -m pytest tests/webkit

chaos: $(DEVELOPMENT) $(SERVERS) ## Break real processes under load, each fault 20 times; ARGS="--help" lists the options
	@$(BIN)/python -m chaos $(ARGS)

pictures: $(DEVELOPMENT) $(CHROMIUM) ## Take the pictures of the README from the running page
	@$(BIN)/python -m tools.pictures

load: $(DEVELOPMENT) $(CHROMIUM) $(SERVERS) ## Measure performance; ARGS="--help" lists scenarios and options
	@$(BIN)/python -m benchmarks $(ARGS)

infra-test: $(INFRASTRUCTURE) $(CHECKOV) ## Apply infrastructure/ to a mock account, check and destroy it; ARGS="--help" lists the options
	@$(INFRASTRUCTURE_VENV)/bin/python -m infrastructure.trial $(ARGS)

lint: $(DEVELOPMENT) ## Check style, types, import layers and generated tables
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(REFERENCE) --check $(WITH_TABLES) > /dev/null || { echo "Some tables of the documents are out of date: run “make reference”."; exit 1; }

reference: $(DEVELOPMENT) ## Refresh the tables of the documents that come from the code
	@$(REFERENCE) -r $(WITH_TABLES)

format: $(DEVELOPMENT) ## Format the source, and fix what can be fixed automatically
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

audit: $(DEVELOPMENT) ## Check the dependencies for known vulnerabilities
	@.ci/audit $(BIN)/pip-audit

check: lint audit ## Run all checks that CI runs before the tests

build: $(DEVELOPMENT) ## Build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation

lock: $(DEVELOPMENT) ## Update the locks to the newest matching versions
	@$(BIN)/uv pip compile pyproject.toml --group build --upgrade --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/runtime.lock
	@$(BIN)/uv pip compile pyproject.toml --group build --group dev --constraint requirements/runtime.lock --no-strip-extras --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/development.lock
	@$(BIN)/uv pip compile --group image --upgrade --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/image.lock
	@$(BIN)/uv pip compile --group servers --constraint requirements/development.lock --upgrade --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/servers.lock
	@$(BIN)/uv pip compile --group infrastructure --upgrade --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/infrastructure.lock
	@$(BIN)/uv pip compile --group checkov --upgrade --generate-hashes --universal --python-version 3.11 --no-header --quiet --output-file requirements/checkov.lock

# Use the machine's Chromium, or install Playwright's. If neither works, the tests that need it fail with a remedy.
$(CHROMIUM): $(DEVELOPMENT)
	@command -v chromium-headless-shell > /dev/null || command -v chromium chromium-browser google-chrome google-chrome-stable > /dev/null \
		|| { echo "Installing Chromium for the tests of the page …"; $(BIN)/playwright install chromium; } \
		|| echo "Chromium could not be installed: on Debian, apt-get install chromium"
	@touch $@

# PostgreSQL and Redis for the tests: the machine's programs, or wheels, which need no root.
$(SERVERS): requirements/servers.lock $(DEVELOPMENT)
	@$(BIN)/python -m tests.servers > /dev/null \
		|| { echo "Installing PostgreSQL and Redis for the tests …"; $(PIP) install --require-hashes -r requirements/servers.lock; } \
		|| echo "They could not be installed: on Debian, apt-get install postgresql redis-server"
	@touch $@

# Clients from npm. Without npm, their tests are skipped; in CI, they fail.
$(SSE_CLIENTS): tests/e2e/sse_clients/package-lock.json
	@! command -v npm > /dev/null || npm ci --silent --prefix $(<D)

$(IMAGE): requirements/image.lock $(DEVELOPMENT)
	@$(PIP) install --require-hashes -r requirements/image.lock
	@touch $@

clean: ## Remove generated files; databases stay
	@rm -rf $(VENV) $(INFRASTRUCTURE_VENV) $(CHECKOV_VENV) $(LATEST_VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/e2e/sse_clients/node_modules
	@find src tests benchmarks chaos tools infrastructure -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python $(INFRASTRUCTURE_VENV)/bin/python $(CHECKOV_VENV)/bin/python $(LATEST_VENV)/bin/python:
	@command -v $(PYTHON) > /dev/null || { echo "Python 3.11 or newer is needed: on Debian, apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make run PYTHON=python3.13"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "Python's venv is needed: on Debian, apt-get install python3-venv"; exit 1; }
	@echo "Creating $(@D:/bin=) …"
	@$(PYTHON) -m venv $(@D:/bin=)

$(RUNTIME): requirements/runtime.lock pyproject.toml | $(BIN)/python
	@echo "Installing the server's dependencies (half a minute) …"
	@$(PIP) install --require-hashes -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): requirements/development.lock $(RUNTIME)
	@echo "Installing the development dependencies (half a minute) …"
	@$(PIP) install --require-hashes -r requirements/development.lock
	@touch $@

$(INFRASTRUCTURE): requirements/infrastructure.lock | $(INFRASTRUCTURE_VENV)/bin/python
	@echo "Installing the mock account (half a minute) …"
	@$(INFRASTRUCTURE_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

$(CHECKOV): requirements/checkov.lock | $(CHECKOV_VENV)/bin/python
	@echo "Installing checkov (half a minute) …"
	@$(CHECKOV_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@
