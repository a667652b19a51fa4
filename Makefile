# `make demo` and `make test` do all their set-up themselves; run either again and it is quick.

PORT ?= 8000
export PORT PYTHON

python := .venv/bin/python
node := sh scripts/node.sh
schema := .venv/bin/check-jsonschema --quiet --builtin-schema vendor
# How many tests run at once: those with servers wait more than they compute, the others keep each core busy.
WORKERS ?= 4
waiting := -n $(WORKERS)
computing := -n logical --maxprocesses $(WORKERS)
fast := -m "not servers and not packaging and not browser and not thorough"

.PHONY: help demo test coverage baseline bench soak docs screenshots release format clean \
	demo-environment environment node chromium webdriver mariadb proxies \
	test-style test-types test-migrations test-docs test-python test-postgresql test-client test-browser test-webdriver \
	test-mariadb test-proxies test-versions test-prerelease test-thorough test-again

help:
	@echo "make demo          serve the demo site on http://127.0.0.1:$(PORT)/ (PORT=8001 for another port)"
	@echo "make test          run the tests; make test-python and the like run one part"
	@echo "make test-thorough run those in other databases, browsers and surroundings"
	@echo "make coverage      say which lines no test runs"
	@echo "make baseline      write down what the hot paths cost now, which 'make test' holds them to"
	@echo "make bench         measure on this machine; PARTS=\"streams fanout storing\" takes some of the parts"
	@echo "make soak          break deliveries for SECONDS=300, EACH=60 at a time, load LOADS=1000 pages, kill senders, and say what is lost"
	@echo "make docs          build the documentation's site in build/docs"
	@echo "make screenshots   take the documentation's pictures anew, from the demo"
	@echo "make release       build sdist and wheel in dist, and test them; uploads nothing"
	@echo "make format        format the Python code and the client"
	@echo "make clean         remove what make has made, and the demo's database"

demo: demo-environment
	@sh scripts/demo.sh

# The quick checks come first, and the ones that say the most come last.
test: test-style test-types test-migrations test-client test-browser test-python

# What takes longer: the documentation's site, other databases and browsers, and tests that repeat others in other surroundings.
test-thorough: test-docs test-postgresql test-webdriver test-proxies test-again

test-style: environment
	@echo "== Style: ruff, and the forms of the forge"
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(schema).github-workflows .github/workflows/*.yml
	@$(schema).github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@$(schema).github-issue-config .github/ISSUE_TEMPLATE/config.yml

test-types: environment
	@echo "== Types: mypy"
	@$(python) -m mypy

test-migrations: environment
	@echo "== Migrations: none is missing"
	@$(python) manage.py makemigrations --check --dry-run

test-docs: docs

test-client: node
	@echo "== The browser client: biome, tsc and node --test"
	@$(node) npm run --silent lint
	@$(node) npm run --silent check
	@$(node) npm run --silent test

test-python: environment node
	@echo "== The app on SQLite, with real servers"
	@$(python) -m pytest $(waiting) -m "not browser and not thorough"

test-again: environment node chromium
	@echo "== Tests that repeat others in other surroundings"
	@$(python) -m pytest $(waiting) -m "thorough and not browser" --ignore=tests/proxies
	@$(python) -m pytest $(waiting) -m "thorough and browser" tests/browser

test-postgresql: environment
	@echo "== The app on PostgreSQL"
	@$(python) -m tests.servers.postgresql $(python) -m pytest $(computing) $(fast) --cov --cov-report=

# Not a part of `make test-thorough`, for it needs Debian packages and a compiler.
test-mariadb: environment mariadb
	@echo "== The app on MariaDB"
	@$(python) -m tests.servers.mariadb $(python) -m pytest $(computing) $(fast)

test-browser: environment chromium
	@echo "== The demo in Chromium"
	@$(python) -m pytest $(waiting) -m "browser and not thorough" tests/browser

test-versions: environment
	@echo "== The fast tests on the other versions of Python and Django"
	@$(python) scripts/versions.py

# On what is not out yet: .ci/run shows how it went, and does not fail for it.
test-prerelease: environment
	@echo "== The fast tests on the newest pre-release of Django"
	@$(python) -m nox --session prerelease

test-webdriver: environment chromium webdriver
	@echo "== The demo in Firefox and WebKit, and Chromium's back/forward cache"
	@$(python) -m pytest -m browser tests/webdriver

test-proxies: environment chromium proxies
	@echo "== The demo behind nginx, Caddy and HAProxy"
	@$(python) -m pytest $(waiting) -m "not browser" tests/proxies
	@$(python) -m pytest $(waiting) -m browser tests/proxies

# `make test-thorough` measures without servers, which costs little, and holds the floor; this counts what servers run too.
coverage: environment node
	@$(python) -m pytest $(waiting) --ignore=tests/proxies --cov --cov-report=term --cov-report=html:build/coverage
	@$(node) npm run --silent test
	@echo "The lines stand in build/coverage/index.html"

# On every version of Python and Django that is here; only on purpose, with a sentence in the commit that says why.
baseline: environment
	@$(python) -m pytest -q --renew-baseline tests/test_costs.py
	@$(python) -m nox --session baseline

# PARTS="streams fanout" takes some of the parts; OPTIONS="--quick" and the like are handed on.
bench: environment node chromium benchmarks/build/hq
	@sh scripts/environment.sh benchmarks/requirements.txt
	@$(node) npm install --prefix benchmarks/node --silent --no-package-lock --no-audit --no-fund
	@$(python) -m benchmarks $(PARTS) $(OPTIONS)

benchmarks/build/hq: benchmarks/requirements-hq.txt | environment
	@$(python) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $@ -r $<
	@touch $@

SECONDS ?= 300
LOADS ?= 1000
EACH ?= 60

soak: environment mariadb
	@$(python) -m tests.delivery "$$(date +%s)-" $(SECONDS) --soak --each $(EACH)
	@echo "$(LOADS) page loads of a live part while it changes, on SQLite and on PostgreSQL"
	@$(python) -m tests.delivery_site.loading $(LOADS)
	@$(python) -m tests.delivery_site.loading $(LOADS) --postgresql
	@echo "10,000 deliveries by workers that are killed, on SQLite and on PostgreSQL"
	@$(python) -m tests.senders "$$(date +%s)" 10000
	@$(python) -m tests.senders "$$(date +%s)" 10000 --postgresql

# Strictly: a link that leads nowhere, a page that is not listed and a docstring that cannot be read end it.
docs: environment
	@echo "== The documentation's site"
	@sh scripts/environment.sh docs/requirements.txt
	@$(python) -m sphinx --fail-on-warning --keep-going --quiet docs build/docs
	@echo "The site begins at build/docs/index.html"

# NAMES="bell chat" takes some of them.
screenshots: environment chromium
	@PYTHONPATH=. $(python) scripts/screenshots.py $(NAMES)

release: environment chromium
	@sh scripts/release.sh

format: environment node
	@$(python) -m ruff check --fix-only --quiet .
	@$(python) -m ruff format .
	@$(node) npm run --silent format

clean:
	rm -rf .venv .nox node_modules build dist .mypy_cache .pytest_cache .ruff_cache *.sqlite3 *.sqlite3-shm *.sqlite3-wal

demo-environment:
	@sh scripts/environment.sh requirements.txt

environment:
	@sh scripts/environment.sh tests/requirements.txt

node: environment
	@$(node)

chromium: environment
	@sh scripts/chromium.sh

webdriver: environment
	@sh scripts/webdriver.sh

mariadb: environment
	@sh scripts/mariadb.sh

proxies: environment
	@sh scripts/proxies.sh
