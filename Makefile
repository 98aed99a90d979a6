# tradechat: everything a developer runs. `make` alone lists the targets. Needs Go (go.work says which), gcc for the
# C libraries and the race detector, and git for the version; Go fetches the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
PREFIX    ?= /usr/local
LIBDIR    ?= $(PREFIX)/lib
DESTDIR   ?=
ARGS      ?=
TESTFLAGS ?=
FUZZTIME  ?= 10s
BENCH     ?= .
BENCHTIME ?= 1s
RESULTS   ?= results
DIST      ?= dist
LAYERS    ?=

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.0

MODULES  := capi libproto libnet liblog libtradechat ledger shmstore testkit client cli server loadgen proof bench scripts/dist
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

.PHONY: build libs run demo test test-c race crash mutants durability model chaos lint fuzz bench bench-c results results-pages
.PHONY: install uninstall dist nightly clean help check-go standalone

build: check-go ## the binaries, into bin/
	@mkdir -p bin
	$(BUILD) -o bin/ $(COMMANDS)

libs: check-go ## the libraries for C, into lib/: libproto, libnet, liblog, and libtradechat, which is all of them
	GO="$(GO)" scripts/c-libs.sh lib

run: build ## the server in the foreground; ARGS='--listen 127.0.0.1:0 --workers 2'
	bin/tradechatd $(ARGS)

demo: build ## the whole main job on real connections, with a worker killed in the middle; ARGS='--workers 8'
	bin/tradechat-proof demo $(ARGS)

test: check-go standalone ## all tests, and that each module builds alone; TESTFLAGS='-run Name -v'
	$(TEST) -timeout 5m $(PACKAGES)

test-c: check-go ## all tests of the C libraries: sanitizers and ten seconds of threads, too; takes minutes
	$(TEST) -timeout 20m -v ./proof/clib -clib=all

race: check-go ## all tests under the race detector
	CGO_ENABLED=1 $(TEST) -race -timeout 10m $(PACKAGES)

crash: check-go ## processes killed, and stopped, at every instruction of every operation, and repaired; takes minutes
	$(TEST) -timeout 30m -v -run '^Test(KilledAtEveryInstruction|AKillLeavesWhatWasCopied|ARestoreThatWasCutShortIsNotBelieved|FrozenAtEveryInstruction|NoWakeUpIsLost)$$' ./shmstore -crash=all

mutants: check-go ## bugs seeded in the product, one at a time, and which check catches each; takes minutes; ARGS='--run repair-'
	$(GO) run ./shmstore/internal/mutants $(ARGS)

durability: check-go ## the whole server killed under load, 300 times, and every answer looked up afterwards; takes minutes
	TRADECHAT_KILL_ROUNDS=300 $(TEST) -timeout 30m -v -run '^TestEverythingKilledAgainAndAgain$$' ./server/scenario

model: ## the model of commit and repair, every interleaving of every kill; needs spin and gcc, takes minutes
	scripts/model.sh

chaos: build ## the drill: a server killed and damaged 500 times under load, and every answer to its clients checked; takes minutes; ARGS='--seed 7'
	bin/tradechat-proof chaos --kills 500 $(ARGS)

lint: check-go ## gofmt, vet, staticcheck and more; settings in .golangci.yml
	$(GO) run $(GOLANGCI_LINT) run $(PACKAGES)

fuzz: check-go ## every fuzz target for FUZZTIME (10s)
	GO="$(GO)" scripts/fuzz.sh $(FUZZTIME) $(PACKAGES)

bench: check-go ## the Go benchmarks; BENCH=Name BENCHTIME=1s
	@echo "machine: $$(uname -srm), $$(nproc) cores, $$(awk -F': ' '/model name/ {print $$2; exit}' /proc/cpuinfo)"
	@echo "commit:  $(VERSION)  flags: -bench $(BENCH) -benchtime $(BENCHTIME)"
	$(TEST) -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -p 1 $(PACKAGES)

bench-c: libs ## what the C libraries cost: ns a frame from C, in Go, and in C by hand; and their sizes; BENCHTIME=1s
	$(TEST) -run '^$$' -bench . -benchtime $(BENCHTIME) ./proof/clib
	@echo "sizes, stripped, in bytes:"
	@cd lib && stat -L -c '%9s  %n' *.a *.so

results: build ## the Real Test and its report, into RESULTS (results/); twenty minutes; ARGS='--only locks --duration 60s'
	bin/tradechat-bench real-test --out $(RESULTS) $(ARGS)
	bin/tradechat-bench report $(RESULTS)
	scripts/pictures.sh $(RESULTS)

results-pages: ## what the pages show of RESULTS, into docs/results
	scripts/results-pages.sh $(RESULTS) docs/results

install: build libs ## binaries, C libraries, headers, pkg-config files and a man page into DESTDIR/PREFIX (/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 0755 $(BINARIES:%=bin/%) "$(DESTDIR)$(PREFIX)/bin"
	@PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" DESTDIR="$(DESTDIR)" scripts/c-install.sh install lib

uninstall: ## removes what install has put there, with the same PREFIX and DESTDIR
	rm -f $(BINARIES:%="$(DESTDIR)$(PREFIX)/bin/%")
	@PREFIX="$(PREFIX)" LIBDIR="$(LIBDIR)" DESTDIR="$(DESTDIR)" scripts/c-install.sh uninstall lib

dist: build ## what is committed, for others, into DIST (dist/): a module proxy, the source and the binaries
	@mkdir -p "$(DIST)"
	$(GO) run ./scripts/dist --out "$(DIST)/proxy"
	@version=$$($(GO) run ./scripts/dist --version) && name=tradechat-$$version && \
	git archive --format=tar.gz --prefix="$$name/" -o "$(DIST)/$$name.tar.gz" HEAD && \
	tar -czf "$(DIST)/$$name-$$($(GO) env GOOS)-$$($(GO) env GOARCH).tar.gz" --transform "s,^bin,$$name,;s,^LICENSE,$$name/LICENSE," $(BINARIES:%=bin/%) LICENSE && \
	ls "$(DIST)"/tradechat-*.tar.gz

nightly: check-go ## race, fuzz, crash, mutants, model, durability and chaos, and a table at the end; hours; LAYERS='race crash'
	MAKE="$(MAKE)" scripts/nightly.sh $(LAYERS)

clean: ## bin/, lib/, dist/, nightly/ and profiles; not tradechat-data/
	rm -rf bin lib dist nightly
	find . -name .git -prune -o -type f \( -name '*.prof' -o -name '*.test' -o -name 'coverage.out' \) -exec rm -f {} +

help: ## this list
	@echo "usage: make TARGET [NAME=VALUE]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Each module must build without go.work, by its own go.mod.
standalone: check-go
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) build -buildvcs=false -o /dev/null ./...) || { echo "make: module $$m does not build alone (GOWORK=off)" >&2; exit 1; }; done

check-go:
	@scripts/check-go.sh "$(GO)"
