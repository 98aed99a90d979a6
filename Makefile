# tradechat: everything a developer runs. `make` alone lists the targets. Needs Go (go.work says which), gcc for the
# race detector, and git for the version; Go fetches the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
PREFIX    ?= /usr/local
DESTDIR   ?=
ARGS      ?=
TESTFLAGS ?=
FUZZTIME  ?= 10s
BENCH     ?= .
BENCHTIME ?= 1s
RESULTS   ?= docs/results

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.0

MODULES  := libproto libnet liblog shmstore client server loadgen bench
PACKAGES := $(MODULES:%=./%/...)
COMMANDS := $(wildcard ./*/cmd/tradechat*)
BINARIES := $(notdir $(COMMANDS))

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --verify --quiet HEAD || echo unknown)
STAMP   := tradechat.internal/liblog/version
LDFLAGS := -X $(STAMP).Version=$(VERSION) -X $(STAMP).Commit=$(COMMIT)
# The stamp above is the version; Go's own needs a repository that git trusts.
BUILD   := $(GO) build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"

# Tests run programs and read files that Go's test cache does not know of: never take a result from it.
TEST := $(GO) test -count=1 $(TESTFLAGS)

.PHONY: build run demo test race crash durability lint fuzz bench results install clean help check-go standalone

build: check-go ## the binaries, into bin/
	@mkdir -p bin
	$(BUILD) -o bin/ $(COMMANDS)

run: build ## the server in the foreground; ARGS='--listen 127.0.0.1:0 --workers 2'
	bin/tradechatd $(ARGS)

demo: build ## the whole main job on real connections, with a worker killed in the middle; ARGS='--workers 8'
	bin/tradechat-bench demo $(ARGS)

test: check-go standalone ## all tests, and that each module builds alone; TESTFLAGS='-run Name -v'
	$(TEST) -timeout 5m $(PACKAGES)

race: check-go ## all tests under the race detector
	CGO_ENABLED=1 $(TEST) -race -timeout 10m $(PACKAGES)

crash: check-go ## slot processes killed at every instruction of every operation, and repaired; takes minutes
	$(TEST) -timeout 30m -v -run '^TestKilledAtEveryInstruction$$' ./shmstore -crash=all

durability: check-go ## the whole server killed under load, 300 times, and what it had answered looked up; takes minutes
	TRADECHAT_KILL_ROUNDS=300 $(TEST) -timeout 30m -v -run '^TestEverythingKilledAgainAndAgain$$' ./server/scenario

lint: check-go ## gofmt, vet, staticcheck and more; settings in .golangci.yml
	$(GO) run $(GOLANGCI_LINT) run $(PACKAGES)

fuzz: check-go ## every fuzz target for FUZZTIME (10s)
	GO="$(GO)" scripts/fuzz.sh $(FUZZTIME) $(PACKAGES)

bench: check-go ## the Go benchmarks; BENCH=Name BENCHTIME=1s
	@echo "machine: $$(uname -srm), $$(nproc) cores, $$(awk -F': ' '/model name/ {print $$2; exit}' /proc/cpuinfo)"
	@echo "commit:  $(VERSION)  flags: -bench $(BENCH) -benchtime $(BENCHTIME)"
	$(TEST) -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -p 1 $(PACKAGES)

results: build ## the Real Test and its report, into RESULTS (docs/results); eight minutes; ARGS='--only locks --duration 60s'
	bin/tradechat-bench real-test --out $(RESULTS) $(ARGS)
	bin/tradechat-bench report $(RESULTS)

install: build ## the binaries into DESTDIR/PREFIX/bin (PREFIX=/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 0755 $(BINARIES:%=bin/%) "$(DESTDIR)$(PREFIX)/bin"

clean: ## bin/ and profiles; not tradechat-data/
	rm -rf bin
	find . -name .git -prune -o -type f \( -name '*.prof' -o -name '*.test' -o -name 'coverage.out' \) -exec rm -f {} +

help: ## this list
	@echo "usage: make TARGET [NAME=VALUE]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Each module must build without go.work, by its own go.mod.
standalone: check-go
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) build -buildvcs=false ./...) || { echo "make: module $$m does not build alone (GOWORK=off)" >&2; exit 1; }; done

check-go:
	@scripts/check-go.sh "$(GO)"
