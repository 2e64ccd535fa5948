# The front door. Each target sets up all that it needs in .venv; nothing outside this folder is touched.
PYTHON ?= python3
RUNNER := .venv/bin/python
# Where drills are: what is collected for them alone need not be all tests.
DRILLS := tests/drills tests/containers
# What to run with `make drill`.
SCENARIO ?= az-loss
COMPOSE_FILE := docker-compose.multi-region.yml
BASE_IMAGE := $(shell sed -n s/^ARG.BASE=//p topology/image/Dockerfile)

.PHONY: drill test nightly lint bench clean setup image image-offline

drill: .venv/ready          ## lose a data centre under load, and prove what survived
	$(RUNNER) -m harness run $(SCENARIO)

# Most tests wait for real parts most of their time, so four go at a time on two cores. Most drills measure time, and some
# look at the whole machine: these go alone.
test: .venv/ready-dev lint  ## all tests, on real parts
	$(RUNNER) -m pytest -n 4 -m "not drill"
	$(RUNNER) -m pytest -n 2 -m "drill and beside and not nightly" $(DRILLS)
	$(RUNNER) -m pytest -m "drill and not beside and not nightly" $(DRILLS)

nightly: .venv/ready-dev   ## what takes too long for every change: more drills, and every scenario whole
	$(RUNNER) -m pytest -m nightly $(DRILLS)
	$(RUNNER) -m harness run $(basename $(notdir $(filter-out scenarios/events.yaml,$(wildcard scenarios/*.yaml))))

lint: .venv/ready-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/ready-dev      ## every figure that this project claims
	for bench in bench/*.py; do echo "== $$bench"; $(RUNNER) $$bench || exit 1; done

# The nodes' image is built, Toxiproxy's is upstream's. A registry that is not in reach is not waited for.
image: .venv/ready          ## the images of the compose file, from a registry if one is in reach
	(timeout 20 docker manifest inspect $(BASE_IMAGE) >/dev/null \
		&& docker compose -f $(COMPOSE_FILE) build door && docker compose -f $(COMPOSE_FILE) pull docomo-link) \
		|| (echo "no registry: the images are made here" && $(MAKE) image-offline)

image-offline: .venv/ready  ## the images of the compose file, where no registry is in reach
	PYTHON=$(RUNNER) topology/image/offline.sh

clean:
	$(RUNNER) -m harness clean

setup: .venv/ready-dev

# Runs a command, and says every five seconds how far it is. Its clock ends with this shell, whatever ends that.
told = (while sleep 5 >/dev/null && kill -0 $$$$; do \
	echo "  $$(ls -d .venv/lib/*/site-packages/*.dist-info 2>/dev/null | wc -l) packages"; done) 2>/dev/null & \
	clock=$$!; $(1); status=$$?; kill $$clock; exit $$status
PIP := $(RUNNER) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.venv/ready: pyproject.toml constraints.txt
	@echo "setting up .venv: a minute or two, once"
	@$(call told,{ $(RUNNER) -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear .venv; } && $(PIP) --editable .)
	@touch $@

.venv/ready-dev: .venv/ready
	@echo "setting up .venv: what the tests need"
	@$(call told,$(PIP) --editable '.[dev]')
	@touch $@
