# Thin on purpose: `python -m vos ...` does the work, so that Windows and hosted notebooks have it too.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python
PYTEST := $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
CPU    := https://download.pytorch.org/whl/cpu

# DATA=folder runs the report on real video; without it the synthetic set is drawn. STEPS=N trains for N steps.
REPORT := report $(if $(DATA),--data $(DATA)) $(if $(STEPS),--steps $(STEPS))

.PHONY: report publish figures style lint check test test-browser lab site clean
.DEFAULT_GOAL := report

report: $(VENV)/.installed
	@$(RUN) -m vos $(REPORT)

publish: $(VENV)/.installed
	@$(RUN) experiments/publish.py

figures: $(VENV)/.installed
	@$(RUN) -m vos $(REPORT) --reuse

style: $(VENV)/.installed
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

lint: style
	@$(RUN) -m mypy

# The quick lane, under two minutes (types are checked beside the tests); `make test` is the whole.
check: style
	@$(RUN) -m mypy & types=$$!; $(PYTEST) -m "not slow"; tests=$$?; wait $$types && exit $$tests

test: lint $(VENV)/.browser $(VENV)/.site
	@$(PYTEST)

# The widgets by mouse and keyboard, in the Chromium that is installed; pictures of every step go to runs/browser.
test-browser: $(VENV)/.browser
	@$(RUN) -m pytest -rs tests/course/test_browser.py

lab: $(VENV)/.installed
	@$(RUN) -m jupyterlab notebooks

# Lessons, guides and README as web pages: runs/site/html/index.html. Notebooks are shown as they are committed.
site: $(VENV)/.site
	@rm -rf runs/site
	@$(RUN) -m sphinx -q -W --keep-going -d runs/site/doctrees -c docs/site . runs/site/html
	@echo "Open runs/site/html/index.html"

# Without an NVIDIA GPU the CPU build saves gigabytes. It is asked for once, from that index alone (mixed sources
# can pair a torch with a torchvision that does not fit); where it does not answer, the plain package serves.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else \
	  f"vos needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=python3.12")'
	@test -x $(RUN) || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@$(RUN) -c 'import torch, torchvision' 2>/dev/null || command -v nvidia-smi >/dev/null || { \
	  echo "No NVIDIA GPU: trying PyTorch's CPU build ..."; \
	  PIP_CONFIG_FILE=/dev/null $(RUN) -m pip --isolated install --quiet --retries 0 --timeout 10 \
	    --index-url $(CPU) torch torchvision 2>/dev/null \
	  || echo "PyTorch's CPU index did not answer; the plain package comes next."; }
	@echo "Installing the packages of pyproject.toml (a few minutes the first time) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[test,video,widget,imagenet]'
	@$(RUN) -c 'import torch, torchvision'
	@touch $@

$(VENV)/.browser: $(VENV)/.installed
	@$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[browser]'
	@touch $@

$(VENV)/.site: $(VENV)/.installed
	@$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[site]'
	@touch $@

clean:
	rm -rf $(VENV) runs data/synthetic
