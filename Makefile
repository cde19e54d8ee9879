# Targets:
#   make test         all that must hold: format, vet, lint, tests, and short
#                     forms of conformance, crash and prove; bench on a few rows
#   make lint         golangci-lint, in the version below
#   make conformance  lib/pq's own test suite through the shim
#   make crash        kill the process, the server, the network, the power, and
#                     count what is lost; CYCLES=n SEED=n MODES=child,server,…
#   make prove        the same histories through lib/pq and through the shim;
#                     STATEMENTS=n SEED=n
#   make oracle       the recogniser against PostgreSQL's own parser, and histories
#                     of many goroutines; STATEMENTS=n SEED=n
#   make soak         the example shop's load for MINUTES, while things fail: does
#                     anything grow, is anything lost; MINUTES=n SEED=n
#   make bench        the benchmarks: bench/RESULTS.md and bench/plots, in some 50 minutes;
#                     SCALE=n measures n times as long, BENCH_FLAGS="-only '^read'"
#   make bench-quick  what the ratios are made of, in some four minutes; the tests of
#                     bench do the same on a few rows
#   make fuzz         every fuzz target for TIME each
#   make demo         the example shop; DEMO_FLAGS="..."
#
# Needs Go. A PostgreSQL server is found, or installed where that is possible
# (see internal/pgtest); PGTEST_DSN names another one.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Every module of the repository.
MODULES := $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/testdata/*' | sort))

# The race detector needs a C compiler.
RACE := $(if $(shell command -v "$$(go env CC)"),-race)

CYCLES ?= 20
MODES ?= child,server,both,network,power
STATEMENTS ?= 10000
SEED ?=
MINUTES ?= 10
TIME ?= 30s
DEMO_FLAGS ?=
TEST_FLAGS ?=
SCALE ?= 1
BENCH_FLAGS ?=

prove = go run ./internal/prove -statements $(1) $(if $(SEED),-seed $(SEED))

.PHONY: test
test: format vet lint unit prove-short

.PHONY: format
format:
	@unformatted="$$(gofmt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:" $$unformatted; exit 1; fi

.PHONY: vet
vet:
	@for module in $(MODULES); do (cd $$module && echo "go vet ($$module)" && go vet ./...) || exit 1; done

.PHONY: lint
lint:
	@for module in $(MODULES); do (cd $$module && echo "golangci-lint ($$module)" && go run $(GOLANGCI_LINT) run ./...) || exit 1; done

# Includes the short forms of conformance and of the crash laboratory.
.PHONY: unit
unit:
	@for module in $(MODULES); do (cd $$module && echo "go test $(RACE) ($$module)" && go test $(RACE) -timeout 20m $(TEST_FLAGS) ./...) || exit 1; done

.PHONY: conformance
conformance:
	go run ./internal/conformance

.PHONY: crash
crash:
	go run ./internal/crash -cycles $(CYCLES) -modes $(MODES) -none $(if $(SEED),-seed $(SEED))

.PHONY: prove
prove:
	$(call prove,$(STATEMENTS))

.PHONY: prove-short
prove-short:
	$(call prove,2000)

.PHONY: oracle
oracle: STATEMENTS = 1000000
oracle:
	cd proof && go test ./parser -run Agrees -timeout 0 -v -statements $(STATEMENTS) -seed $(or $(SEED),0)
	cd proof && go test ./linear -run Shim -timeout 0 -v -rounds 20 -seed $(or $(SEED),0)

.PHONY: soak
soak:
	go run ./internal/soak -minutes $(MINUTES) $(if $(SEED),-seed $(SEED))

.PHONY: bench
bench:
	cd bench && go run . -results . -scale $(SCALE) $(BENCH_FLAGS)

.PHONY: bench-quick
bench-quick:
	cd bench && go run . -quick

.PHONY: fuzz
fuzz:
	@for module in $(MODULES); do (cd $$module && for package in $$(go list ./...); do \
		tests=$$(go test -list '^Fuzz' $$package) || { echo "$$tests"; exit 1; }; \
		for target in $$(grep '^Fuzz' <<< "$$tests" || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(TIME) -fuzzminimizetime 1s $$package || exit 1; \
		done; \
	done) || exit 1; done

.PHONY: demo
demo:
	@go run ./examples/storefront $(DEMO_FLAGS)
