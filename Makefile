# These are for a checkout. Everything stays in .venv, and nothing is done twice.

# HOST has no ?= : some shells and conda export a HOST of their own, which is not where to listen.
HOST = 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
PYTEST_ARGS ?= -n auto
BENCH_ARGS ?=

# These say how long the proofs are.
PROOF = .venv/bin/python -m tests.proofs
KILLS ?= 200
ROUNDS ?= 25
SERVER_KILLS ?= 20
DOUBLES ?= 20
IMPORTS ?= 40
RESPONSES ?= 5000
DOCUMENTS ?= 20000
SMALL_DOCUMENTS ?= 300000
SQUEEZES ?= 50
INPUTS ?= 1000000
STOPS ?= 20
BUILD ?=
STORAGE ?=
SLOW_SECONDS ?= 30
WORKER_KILLS ?= 5
ACCIDENTS ?= 3
SLOW_IMPORTS ?= 6
OPERATIONS ?= 5000
IMPORTS_BETWEEN ?= 20
CACHED ?= 1000
LOAD_ROUNDS ?= 5
# Each parser gets so many at most.
SECONDS ?= 600
SEED ?= 1
# TREES are crawled by prove-pages besides seeds/.
TREES ?=

PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet
LOCK = .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url --quiet

.PHONY: help run test examples prove prove-api prove-cluster prove-pages prove-run prove-image release bench check lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' Makefile

run: .venv/installed ## import seeds/ and serve it on HOST=127.0.0.1 PORT=8000
	@# Exit status 1: imported, but for documents that were reported.
	@.venv/bin/clippings import seeds/ || [ $$? -eq 1 ]
	@echo
	@echo "Try, from another terminal (Ctrl-C here ends it):"
	@echo "    curl 'http://$(HOST):$(PORT)/articles?limit=3'"
	@echo "In a browser http://$(HOST):$(PORT)/docs is the API's documentation, and these are the articles:"
	@echo
	@echo "    http://$(HOST):$(PORT)/"
	@echo
	@exec .venv/bin/clippings serve --host $(HOST) --port $(PORT)

test: .venv/installed-dev ## the tests, on SQLite and on a PostgreSQL of their own; PYTEST_ARGS=… are passed on
	.venv/bin/pytest $(PYTEST_ARGS)

prove: .venv/installed-dev ## the proofs at full length, an hour or so; KILLS=, SECONDS= and others below shorten them
	@status=0; for database in sqlite postgresql; do \
		$(PROOF).kill --database $$database --kills $(KILLS) --rounds $(ROUNDS) --server-kills $(SERVER_KILLS) || status=1; \
		$(PROOF).doubles --database $$database --times $(DOUBLES) || status=1; \
		$(PROOF).readers --database $$database --imports $(IMPORTS) --responses $(RESPONSES) || status=1; \
		$(PROOF).memory --database $$database --documents $(DOCUMENTS) --small $(SMALL_DOCUMENTS) || status=1; \
		$(PROOF).extremes --database $$database || status=1; \
	done; \
	$(PROOF).squeeze --times $(SQUEEZES) || status=1; \
	$(PROOF).connections || status=1; \
	$(PROOF).fuzz --inputs $(INPUTS) --seconds $(SECONDS) --seed $(SEED) || status=1; \
	exit $$status

prove-api: .venv/installed-prove ## what other people's tools find in the API; needs Node.js
	$(PROOF).api --examples 200
	$(PROOF).files

prove-pages: .venv/installed-dev ## the pages in a browser, every link, hostile documents; needs Node.js, Chromium; TREES=… are crawled too
	$(PROOF).pages $(TREES)

check: .venv/installed-dev ## style, types, and whether the lock files fit pyproject.toml
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	@# Without hashes: a wheel that was added to a release since is no fault of ours.
	@cp requirements*.lock .venv/
	@$(LOCK) -o .venv/requirements.lock
	@$(LOCK) --extra dev -o .venv/requirements-dev.lock
	@$(LOCK) --extra dev --extra bench -o .venv/requirements-bench.lock
	@$(LOCK) --extra dev --extra prove -o .venv/requirements-prove.lock
	@$(LOCK) --extra dev --extra release -o .venv/requirements-release.lock
	@for lock in requirements*.lock; do \
		sed '/--hash=/d; s/ \\$$//' $$lock | diff - .venv/$$lock \
		|| { echo "$$lock does not fit pyproject.toml: run 'make lock' and commit the lock files" >&2; exit 1; }; \
	done

examples: .venv/installed-dev ## write the OpenAPI document's examples anew, from seeds/
	.venv/bin/python -m tests.support.api_examples

prove-run: .venv/installed-dev ## the service as it is run, for some minutes; STOPS=, SLOW_SECONDS= shorten it
	$(PROOF).run --stops $(STOPS) --seconds $(SLOW_SECONDS) --kills $(WORKER_KILLS) --imports $(SLOW_IMPORTS) \
		--accidents $(ACCIDENTS)

prove-cluster: .venv/installed-dev ## standbys, a pooler, services, caches, in half an hour; needs PgBouncer, nginx, Varnish; OPERATIONS= shortens it
	$(PROOF).cluster --operations $(OPERATIONS) --imports $(IMPORTS_BETWEEN) --cached $(CACHED) --rounds $(LOAD_ROUNDS)

prove-image: .venv/installed-dev ## the image, by buildah as root; BUILD= and STORAGE= are passed on
	$(PROOF).image --build="$(BUILD)" --storage="$(STORAGE)"

release: .venv/installed-release ## the wheel, tried alone in an empty folder, its SBOM (CycloneDX) and licences, in dist/
	.venv/bin/kubernetes-validate --strict --quiet deploy/kubernetes/*.yaml
	rm -rf dist && mkdir dist
	.venv/bin/python -m hatchling build -t wheel -d dist
	$(PYTHON) -m venv dist/alone
	dist/alone/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements.lock
	dist/alone/bin/python -m pip --disable-pip-version-check --quiet install --no-deps dist/*.whl
	$(PYTHON) release/alone.py dist/alone/bin/clippings
	$(PYTHON) release/alone.py .venv/bin/uvx --isolated --constraints requirements.lock --from dist/*.whl clippings
	dist/alone/bin/python release/parts.py requirements.lock dist
	.venv/bin/python release/schema.py dist/clippings.cdx.json
	rm -rf dist/alone
	@ls -l dist

bench: .venv/installed-bench ## how fast it is, beside others, in 10 minutes; BENCH_ARGS=… are passed on
	.venv/bin/python -m benchmarks $(BENCH_ARGS)

lock: .venv/installed-dev ## write the lock files anew; LOCK_ARGS=--upgrade takes what is newest
	$(LOCK) --generate-hashes $(LOCK_ARGS) -o requirements.lock
	$(LOCK) --generate-hashes $(LOCK_ARGS) --extra dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --generate-hashes $(LOCK_ARGS) --extra dev --extra bench -c requirements-dev.lock -o requirements-bench.lock
	$(LOCK) --generate-hashes $(LOCK_ARGS) --extra dev --extra prove -c requirements-dev.lock -o requirements-prove.lock
	$(LOCK) --generate-hashes $(LOCK_ARGS) --extra dev --extra release -c requirements-dev.lock -o requirements-release.lock

clean: ## remove what was installed, built and cached; the catalogue stays
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find app benchmarks migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not: try 'make PYTHON=python3.12 …'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing: on Debian and Ubuntu 'apt install python3-venv' brings it" >&2; exit 1; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: requirements.lock pyproject.toml | .venv/created
	@echo "Installing Clippings into .venv"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml | .venv/created
	@echo "Installing Clippings and its tools into .venv"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-bench: requirements-bench.lock .venv/installed-dev
	@echo "Installing what Clippings is measured beside into .venv"
	@$(PIP) install --require-hashes -r requirements-bench.lock
	@touch $@

.venv/installed-prove: requirements-prove.lock .venv/installed-dev
	@echo "Installing the tools that others look at an API with into .venv"
	@$(PIP) install --require-hashes -r requirements-prove.lock
	@touch $@

.venv/installed-release: requirements-release.lock .venv/installed-dev
	@echo "Installing what a release is checked by into .venv"
	@$(PIP) install --require-hashes -r requirements-release.lock
	@touch $@
