# Short words for long commands. `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# List the tasks.
default:
    @just --list --unsorted

# Install everything that development needs.
setup:
    uv sync --group full --all-extras

# All that must be green before a commit, in the order of what fails soonest.
check: lint types floors test

# Run the tests; arguments go to pytest.
test *arguments:
    uv run pytest {{ arguments }}

# Lint, and check the form.
lint:
    uv run ruff check .
    uv run ruff format --check .

# Mend what ruff can mend, and give files their form.
fmt:
    uv run ruff check --fix .
    uv run ruff format .

# Read the types with two checkers.
types:
    uv run mypy
    uv run basedpyright

# Check that no lower floor imports a higher one.
floors:
    uv run lint-imports

# Watch a first run tell its story.
story *arguments:
    uv run interlock run examples/first.toml --cycles 20 --interval 0 {{ arguments }}

# Build the book, warnings as errors, and run its examples.
docs:
    uv run --group full --all-extras sphinx-build -q -W -b html docs docs/_build/html
    uv run --group full --all-extras sphinx-build -q -W -b doctest docs docs/_build/doctest

# Show which branches no test takes.
cover:
    uv run --group full --all-extras coverage run -m pytest -q
    uv run --group full --all-extras coverage report

# Play the runs that the corpus lacks (`new`), or store again what this build tells of those it has (`renew`).
corpus *words:
    uv run python -m tests.corpus.make {{ words }}

# Measure cycles a second and time per stage.
bench:
    uv run python benchmarks/cycle.py

# Time one judgement of the gate; `--peer` puts another engine's checks beside it, in an environment of its own.
bench-gate *options:
    uv run python benchmarks/gate.py {{ options }}

# Change the gate and its folds in one place at a time and see whether a test notices; it takes hours and writes mutants/.
mutants *names:
    uv run --isolated --group full --all-extras --with mutmut==3.8.1 mutmut run --max-children 2 {{ names }}

# Write the versions and hashes of everything to requirements.lock.
lock:
    .ci/lock

# What CI runs.
ci:
    .ci/run

# Prove durability at length: `opcodes`, `calls`, `power` or `damage`.
durability proof *options:
    uv run python -m benchmarks.durability {{ proof }} {{ options }}

# Measure a journal of a million records, beside the disk's own rate of syncs.
bench-journal *options:
    uv run python -m benchmarks.journal {{ options }}
