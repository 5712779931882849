# make run    set up everything and serve on http://localhost:8000
# make test   set up everything for the tests and run them
# make check  format, lint, types and the tests that need no database
# make check-clients  hold a lesson with OpenAI's own client for browsers
# make bench  print the figures of docs/performance.md
# make bench-voice  print what a voice session costs beside Pipecat and LiveKit (PEERS=their folder)
# make bench-webrtc  the same of a WebRTC call beside aiortc's echo and Pipecat (PEERS=their folder)
# make lock   bring the lock files up to date with pyproject.toml

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell tools/find-python)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, every start would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-python test-page test-browser check check-clients format bench bench-voice bench-webrtc lock clean

run: $(VENV)/installed
	@exec $(BIN)/student-connect serve

test: test-python test-page test-browser

# In CI what failed may prove itself once more, by itself (docs/decisions.md).
test-python: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not browser" || { \
	  test -n "$$CI" && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none -m "not browser"; }

test-page: $(VENV)/browser
	node --test --test-reporter=spec tests/page/*.test.mjs

test-browser: $(VENV)/browser
	$(BIN)/python -m pytest -m "browser and not clients" --timeout 1300

check: $(VENV)/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 -m "not browser and not slow and not simulated and not database"

check-clients: $(VENV)/browser .bench/agents/made
	$(BIN)/python -m pytest -m clients --timeout 1300

.bench/agents/made:
	npm install --prefix $(@D) --silent --no-audit --no-fund --ignore-scripts "@openai/agents-realtime@^0.20.0" zod@^4
	touch $@

format: $(VENV)/dev
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

bench: $(VENV)/dev
	$(BIN)/python -m bench

# Peers get an environment each; what they need is never needed by the tests.
PEERS ?= ../shared/bench
bench-voice: $(VENV)/dev .bench/raw/made .bench/livekit/made .bench/pipecat/made
	$(BIN)/python -m bench.voice --peers $(PEERS) $(BENCH)

bench-webrtc: $(VENV)/dev .bench/aiortc/made .bench/pipecat-webrtc/made
	$(BIN)/python -m bench.webrtc --peers $(PEERS) $(BENCH)

.bench/raw/made: NEEDS = starlette "uvicorn[standard]" websockets orjson
.bench/livekit/made: NEEDS = "livekit-agents[openai]>=1.8,<1.9" websockets
.bench/pipecat/made: NEEDS = "pipecat-ai[websocket,silero,openai,runner]>=1.14,<1.15"
.bench/aiortc/made: NEEDS = "aiortc>=1.16,<1.17" aiohttp
.bench/pipecat-webrtc/made: NEEDS = "pipecat-ai[webrtc,silero,openai,runner]>=1.14,<1.15" "uvicorn[standard]"
.bench/%/made:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet $(NEEDS)
	@touch $@

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "Student Connect needs Python 3.11 or newer: install python3.11, python3.12 or python3.13."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: install python3-venv."; exit 1; }
	@touch $@

$(VENV)/installed: $(VENV)/made requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/dev: $(VENV)/installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	tools/test-needs speech
	@touch $@

$(VENV)/browser: $(VENV)/dev package-lock.json
	tools/test-needs browser
	@touch $@

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .bench node_modules .mypy_cache .ruff_cache .pytest_cache
