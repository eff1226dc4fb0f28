# Faceoff. `make` prints what there is. Needs Go 1.26; `make proto` and `make check` need Node 20 with npm besides.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# The modules of go.work; each must also build by itself. tools/* are modules of their own, so that what our tools need
# never decides what we build with.
MODULES := proto pkg services/cohost services/battle services/score services/gateway services/faceoff test/badinput test/chaos test/e2e test/sim

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(shell command -v $$(go env CC) >/dev/null && echo -race)
TEST := go test $(RACE) -shuffle=on

ALONE   := GOWORK=off
INSTALL := $(ALONE) GOBIN=$(CURDIR)/bin go -C
BUF     := tools/node_modules/.bin/buf

include make/*.mk

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build what is needed and run the whole product in one process
	bin/faceoff dev $(ARGS)

.PHONY: build
build: ## build bin/faceoff
	go build -o bin/faceoff ./services/faceoff/cmd/faceoff

.PHONY: test
test: ## all tests that need nothing but Go
	$(TEST) work

.PHONY: e2e
e2e: build bin/nats-server ## tests against a real nats-server and redis-server, every service a process of its own
	tools/redis.sh
	tools/local.sh with bash -c 'go -C test/e2e test $(RACE) -count=1 -timeout=15m ./... && \
		FACEOFF_REDIS_URL=$$FACEOFF_E2E_REDIS/1 go -C services/score test $(RACE) -count=1 ./internal/view'

.PHONY: races
races: build bin/nats-server ## aim thousands of calls at one moment, check the logs, print figures
	tools/redis.sh
	go -C test/e2e test -c -o $(CURDIR)/bin/e2e .
	tools/local.sh with bin/e2e -test.run='^TestRace' -test.parallel=1 -test.timeout=30m -full

# Times of presence are a tenth of those of production, and so is all of it; TIMES= runs it with the real ones, 15 minutes.
TIMES = FACEOFF_PRESENCE_RENEW=300ms FACEOFF_PRESENCE_UNREACHABLE_AFTER=800ms FACEOFF_PRESENCE_GRACE=1500ms FACEOFF_PRESENCE_END_AFTER=6s FACEOFF_PRESENCE_REJOIN_WITHIN=6s FACEOFF_HEARTBEAT_PATIENCE=50ms

.PHONY: rejoins
rejoins: build bin/nats-server ## kill the processes of 100 hosts in mid-battle, and see each back in its battle: [TIMES=]
	tools/redis.sh
	go -C test/e2e test -c -o $(CURDIR)/bin/e2e .
	$(TIMES) tools/local.sh with bin/e2e -test.run='^TestRejoin' -test.parallel=16 -test.timeout=30m -full

.PHONY: up-local
up-local: build bin/nats-server ## start nats-server, redis-server and every service as a process of its own
	tools/redis.sh
	tools/local.sh up

.PHONY: down-local
down-local: ## stop what up-local has started; the data stays in .cache/local
	tools/local.sh down

.PHONY: bench-ledger
bench-ledger: ## measure the log against a raw publish of the same bytes
	go -C pkg run ./ledger/bench $(ARGS)

SEEDS ?= 100
SEED  ?= 1
STEPS ?= 1000

.PHONY: sim
sim: ## harm the services in virtual time and check what they did: SEEDS=n runs, or as many as fit in TIME=4m [STEPS=m] [SEED=first]
	go -C test/sim test -c -o $(CURDIR)/bin/sim .
	@bin/sim -all -seed=$(SEED) -steps=$(STEPS) $(if $(TIME),-seeds=0 -for=$(TIME),-seeds=$(SEEDS)) -keep=$(CURDIR)/.cache/sim

# Tools, each at the version of its lock file.
bin/.generators: tools/go.mod tools/go.sum
	$(INSTALL) tools install tool
	@touch $@

bin/nats-server: tools/nats/go.mod tools/nats/go.sum
	$(INSTALL) tools/nats install tool
	@touch $@

bin/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	$(INSTALL) tools/lint install tool
	@touch $@

$(BUF): tools/package.json tools/package-lock.json
	npm --prefix tools install --no-save --no-progress # not ci: a lock written where buf for other systems cannot be had lacks it
	@touch $@
