# Prompt Segmenter: every target works on a fresh machine; what is set up once is not set up again.
SHELL := /bin/bash
.DEFAULT_GOAL := help
QGIS_PYTHON ?= /usr/bin/python3
export QGIS_PYTHON

PYTHON := .dev/venv/bin/python
PACKAGE := prompt_segmenter
VERSION := $(shell sed -n 's/^version=//p' metadata.txt)
ZIP := dist/$(PACKAGE)-$(VERSION).zip
IMAGE ?=
CLICK ?=
EXCLUDE ?=
BOX ?=
CRS ?=
MODEL ?=

.PHONY: help setup demo test test-core test-training lint zip scan train gui-smoke clean

help: ## say what there is to make
	@echo "Prompt Segmenter $(VERSION): make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: .dev/setup.stamp ## install what the plugin needs and make .dev/bin/qgis_process

.dev/setup.stamp: requirements.txt tools/setup.sh
	@tools/setup.sh run
	@touch $@

.dev/setup-dev.stamp: requirements.txt requirements-dev.txt tools/setup.sh
	@tools/setup.sh dev
	@touch $@ .dev/setup.stamp

.dev/scene.stamp: .dev/setup.stamp
	@$(PYTHON) -m pip install -q --disable-pip-version-check -c .dev/constraints.txt 'opencv-python-headless>=4.8,<5'
	@touch $@

demo: $(if $(IMAGE),.dev/setup.stamp,.dev/scene.stamp) ## outline an object in a made scene; or IMAGE=file CLICK=x,y [EXCLUDE=x,y] [BOX=l,b,r,t] [CRS=EPSG:n] [MODEL=name]
	@$(PYTHON) tools/demo.py --image '$(IMAGE)' --click '$(CLICK)' --exclude '$(EXCLUDE)' --box '$(BOX)' --crs '$(CRS)' --model '$(MODEL)'

test: .dev/setup-dev.stamp ## run all tests, with QGIS
	$(PYTHON) -m pytest -q

test-core: .dev/setup-dev.stamp ## run the core's tests, without QGIS
	$(PYTHON) -m pytest -q -p no:pytest_qgis test/core

test-training: ## run the tests of the training that need PyTorch, in an environment of their own
	@tools/train.sh test

lint: .dev/setup-dev.stamp ## ruff, mypy --strict on the core, the layers, flake8-qgis
	$(PYTHON) -m ruff check .
	cd .dev/plugins && MYPYPATH=. ../venv/bin/python -m mypy --config-file $(PACKAGE)/pyproject.toml -p $(PACKAGE).core -p $(PACKAGE).algorithms -p $(PACKAGE).ui -m $(PACKAGE).plugin
	PYTHONPATH=.dev/plugins .dev/venv/bin/lint-imports --config pyproject.toml
	$(PYTHON) -m flake8 .

zip: .dev/setup-dev.stamp ## pack the committed plugin into dist/
	@mkdir -p dist
	@git diff --quiet HEAD -- || echo "note: uncommitted changes are not in the package (it is made from HEAD)"
	git archive --format=zip --prefix=$(PACKAGE)/ -o $(ZIP) HEAD
	@$(PYTHON) tools/check_zip.py $(ZIP)

scan: zip ## run the plugin site's security scan on the package
	@$(PYTHON) tools/scan.py $(ZIP)

gui-smoke: .dev/scene.stamp .dev/setup-dev.stamp ## use the plugin in a real QGIS window on a virtual screen; pictures in docs/images, or OUT=folder
	@$(PYTHON) tools/gui_smoke.py --out '$(or $(OUT),docs/images)' $(if $(FONT),--font $(FONT))

train: ## a proof of the training, in minutes; FULL=1 trains and exports the model that comes with the plugin, WORDS=1 its words head
	@tools/train.sh

clean: ## remove everything that make has made
	rm -rf .dev build dist demo_output .qgis-settings .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
