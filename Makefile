# Variables may be given on the command line: make fuzz FUZZTIME=10s

PKG       = ./...
RACE      = -race
BENCH     = .
BENCHTIME = 1s
COUNT     = 1
FUZZ      = ^Fuzz
FUZZTIME  = 60s
VERSIONS  = 13 14 16 17
ARGS      =
URL       =

TOOL = go tool -modfile=.tools/go.mod
BENCHMARKS = go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime '$(BENCHTIME)' -count '$(COUNT)' -timeout 0

.PHONY: help check test test-clients test-citus test-services test-versions soak soak-ha watch lint fmt bench fuzz cover tidy run

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' Makefile

check: ## everything that needs no server, in a minute: gofmt, go vet, tests of the core, the engine, REST and the decorators
	@.ci/check

test: ## gofmt, go vet and all tests, with the race detector and on two versions of PostgreSQL; a skipped test fails [PKG, RACE]
	@RACE='$(RACE)' .ci/test $(PKG)

test-clients: ## generated clients, linters of the OpenAPI document, a validating proxy, and a browser; needs Node.js, npm and Chromium
	@.ci/clients

# URL names the coordinator: make test-citus URL=postgres://postgres@localhost:5432/postgres
test-citus: ## the kits for backends, engines and REST on a cluster of Citus [URL]
	DATABASE_URL='$(URL)' go test -tags citus -count=1 -timeout 60m ./backends/postgres/internal/citustest

test-services: ## install the servers and tools that the tests start, where apt-get and npm can
	@.ci/services

# One version: make test-versions VERSIONS=13
test-versions: ## the tests of backends/postgres on other versions of the server than make test has; needs npm [VERSIONS]
	@.ci/versions $(VERSIONS)

# Another length: make soak LARDER_SOAK=2
soak: ## at full length, the cases that make test samples: kills, power cuts, crash points, orders, random operations [PKG]
	@.ci/soak $(if $(filter-out ./...,$(PKG)),$(PKG))

soak-ha: ## faults of a PostgreSQL cluster under Patroni with etcd, three times each, while clients write and read; needs Linux
	@.ci/soak-ha

watch: ## the tests of a package whenever a file of it is saved
	$(TOOL) gotestsum --watch

lint: ## forbidden words, golangci-lint and go.mod's tidiness; building the linter takes minutes the first time
	go run ./.ci/words
	go mod tidy -diff
	cd backends/file/bench && go mod tidy -diff && go vet ./...
	cd cookbook/clients/go && go vet .
	$(TOOL) golangci-lint run

fmt: ## format as lint wants it
	$(TOOL) golangci-lint fmt

# To compare two saved runs of COUNT=10: go tool -modfile=.tools/go.mod benchstat old.txt new.txt
bench: ## benchmarks, one package after another, then benchmarks of other stores [PKG, BENCH, BENCHTIME, COUNT]
	$(BENCHMARKS) -p 1 $(PKG)
ifneq ($(filter ./... ./backends/file,$(PKG)),)
	cd backends/file/bench && $(BENCHMARKS) .
endif

fuzz: ## every fuzz target in turn, FUZZTIME each [PKG, FUZZ, FUZZTIME]
	@FUZZ='$(FUZZ)' FUZZTIME='$(FUZZTIME)' .ci/fuzz $(PKG)

cover: ## statement coverage across packages, total and coverage.html [PKG]
	go test -count=1 -coverpkg=./... -coverprofile=coverage.out $(PKG)
	go tool cover -html=coverage.out -o coverage.html
	go tool cover -func=coverage.out -o coverage.txt
	@tail -n 1 coverage.txt

tidy: ## go mod tidy, for the module, for its tools and for the benchmarks of other stores
	go mod tidy
	cd .tools && go mod tidy
	cd backends/file/bench && go mod tidy

run: ## serve the quickstart [ARGS]
	go run ./cookbook/quickstart $(ARGS)
