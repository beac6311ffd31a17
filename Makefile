# make book | serve | test | outputs | picture | measure | clean
# Another Python: make book PYTHON=python3.12

PYTHON ?= python3
PORT ?= 8000
BOOK = .venv/book/bin/python
FULL = .venv/full/bin/python
PAGES = _build/html/index.html

.PHONY: book serve test outputs picture measure clean python env-book env-full

book: env-book _build/.fresh
	@# a page with a warning must warn again next time: forget what was read
	@.venv/book/bin/jupyter-book build . --quiet -W -n --keep-going \
	    >_build/book.log || { rm -rf _build/.doctrees; exit 1; }
	@echo "The book: file://$(CURDIR)/$(PAGES)"
	@echo "Over http: make serve"

# What Sphinx does not notice by itself makes every page anew.
_build/.fresh: _toc.yml _config.yml book/requirements.txt \
    $(wildcard book/_ext/* book/_static/* mbtools/*.py mbtools/explorer/*.py)
	@rm -rf _build
	@mkdir -p _build
	@touch $@

serve: book
	@$(BOOK) tools/serve.py _build/html $(PORT)

test: book env-full
	@$(FULL) -m ruff check .
	@$(FULL) -m ruff format --check .
	@$(FULL) tools/browser.py
	@MBTOOLS_FAST=1 TQDM_DISABLE=1 OMP_NUM_THREADS=1 $(FULL) -m pytest -n 2

# All notebooks, or one: make outputs NOTEBOOK=notebooks/01_….ipynb
outputs: env-full
	@TQDM_DISABLE=1 $(FULL) tools/outputs.py $(or $(NOTEBOOK),$(wildcard notebooks/*.ipynb))

picture: book env-full
	@$(FULL) tools/picture.py book/_static/explorer.png

# Lighthouse and slider latency of the built book; ONLY=--latency for one of them
measure: book env-full
	@$(FULL) tools/measure.py $(ONLY)

clean:
	rm -rf _build

env-book env-full: env-%: python
	@$(PYTHON) tools/env.py $*

python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "Stopped: there is no $(PYTHON) here. Install Python 3.11 or newer, or" \
	         "name the one you have: make book PYTHON=python3.12"; exit 1; }
