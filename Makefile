# make book | serve | test | lowest | newest | colab | offline | pdf | outputs | front-end | picture | measure | repo | links | clean
# Another Python: make book PYTHON=python3.12

PYTHON ?= python3
PORT ?= 8000
BOOK = .venv/book/bin/python
FULL = .venv/full/bin/python
PAGES = _build/html/index.html
QUICK = MBTOOLS_FAST=1 TQDM_DISABLE=1 OMP_NUM_THREADS=1

# asked in each recipe, as some ask for a Python of their own
THERE = command -v $(PYTHON) >/dev/null || { \
    echo "Stopped: there is no $(PYTHON) here. Install Python 3.11 or newer, or" \
         "name the one you have: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }

.PHONY: book serve test lowest newest colab offline pdf outputs front-end picture measure repo links clean \
    env-book env-full env-lowest env-newest env-colab

book: env-book _build/.fresh
	@# a page with a warning must warn again next time: forget what was read
	@.venv/book/bin/jupyter-book build . --quiet -W -n --keep-going \
	    >_build/book.log || { rm -rf _build/.doctrees; exit 1; }
	@echo "The book: file://$(CURDIR)/$(PAGES)"
	@echo "Over http: make serve"

# What Sphinx does not notice by itself makes every page anew.
_build/.fresh: _toc.yml _config.yml book/requirements.txt \
    $(wildcard book/_ext/* book/_static/* mbtools/*.py mbtools/*/*.py)
	@rm -rf _build
	@mkdir -p _build
	@touch $@

serve: book
	@$(BOOK) tools/serve.py _build/html $(PORT)

test: env-book
	@# the pages are made while the tests' environment is
	@$(MAKE) --no-print-directory -j2 book env-full
	@$(FULL) -m ruff check .
	@$(FULL) -m ruff format --check .
	@$(FULL) tools/browser.py
	@$(QUICK) $(FULL) -m pytest -n 2

# The same with the oldest packages that we allow, and with today's newest. Their
# outputs may look different: here each cell must run, and its asserts must hold.
lowest newest: %: book env-%
	@$(QUICK) .venv/$@/bin/python -m pytest -n 2 --nbval-lax

# Each notebook alone in an environment like Colab's, then the sliders in JupyterLab
# and in the classic front end, which Colab's widgets are made for
colab: env-colab env-full
	@.venv/colab/bin/python tests/colab/run.py $(NOTEBOOK)
	@$(FULL) tests/colab/front_ends.py

# To take along: they land in the built book, whose first page then links to them
offline: book
	@$(BOOK) tools/take_along.py

pdf: book env-full
	@$(FULL) -m tools.paper

# All notebooks, or one: make outputs NOTEBOOK=notebooks/01_….ipynb
outputs: env-full
	@TQDM_DISABLE=1 $(FULL) tools/outputs.py $(or $(NOTEBOOK),$(wildcard notebooks/*.ipynb))

# After a change of a widget's script or style alone: no cell runs
front-end: env-full
	@$(FULL) tools/outputs.py --front-end $(wildcard notebooks/*.ipynb)

picture: book env-full
	@$(FULL) -m tools.picture book/_static/explorer.png

# Lighthouse, axe and slider latency of each page, for the table in CONTRIBUTING.md;
# one of them: make measure ONLY=latency
measure: book env-full
	@$(FULL) -m tools.measure $(ONLY:%=--only %)

# Names the public repository everywhere: make repo URL=https://github.com/me/my-book
repo:
	@$(THERE)
	@$(PYTHON) tools/repo.py "$(URL)"

# Asks every external link of the book; the answers stand in _build/linkcheck
links: env-book
	@.venv/book/bin/jupyter-book build . --quiet --builder custom \
	    --custom-builder linkcheck

clean:
	rm -rf _build

env-lowest: PYTHON = python3.11
env-colab: PYTHON = python3.13
env-book env-full env-lowest env-newest env-colab: env-%:
	@$(THERE)
	@$(PYTHON) tools/env.py $*
