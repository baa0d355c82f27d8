# Variables may be given on the command line: make fuzz FUZZTIME=10s

PKG       = ./...
RACE      = -race
BENCH     = .
BENCHTIME = 1s
COUNT     = 1
FUZZ      = ^Fuzz
FUZZTIME  = 60s
ARGS      =

TOOL = go tool -modfile=.tools/go.mod

.PHONY: help test test-services watch lint fmt bench fuzz cover tidy run

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' Makefile

test: ## gofmt, go vet and all tests with the race detector; a skipped test fails [PKG, RACE]
	@RACE='$(RACE)' .ci/test $(PKG)

test-services: ## install the servers and tools that the tests start, where apt-get can
	@.ci/services

watch: ## the tests of a package whenever a file of it is saved
	$(TOOL) gotestsum --watch

lint: ## golangci-lint and go.mod's tidiness; building the linter takes minutes the first time
	go mod tidy -diff
	$(TOOL) golangci-lint run

fmt: ## format as lint wants it
	$(TOOL) golangci-lint fmt

# To compare two saved runs of COUNT=10: go tool -modfile=.tools/go.mod benchstat old.txt new.txt
bench: ## benchmarks, one package after another [PKG, BENCH, BENCHTIME, COUNT]
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime '$(BENCHTIME)' -count '$(COUNT)' -timeout 0 -p 1 $(PKG)

fuzz: ## every fuzz target in turn, FUZZTIME each [PKG, FUZZ, FUZZTIME]
	@FUZZ='$(FUZZ)' FUZZTIME='$(FUZZTIME)' .ci/fuzz $(PKG)

cover: ## statement coverage across packages, total and coverage.html [PKG]
	go test -count=1 -coverpkg=./... -coverprofile=coverage.out $(PKG)
	go tool cover -html=coverage.out -o coverage.html
	go tool cover -func=coverage.out -o coverage.txt
	@tail -n 1 coverage.txt

tidy: ## go mod tidy, for the module and for its tools
	go mod tidy
	cd .tools && go mod tidy

run: ## serve the quickstart [ARGS]
	go run ./cookbook/quickstart $(ARGS)
