# Parley: what developers and CI run. Needs Go, Node and make.
#
#   make run ARGS="-addr 127.0.0.1:8080,127.0.0.1:8081"
#   make test TESTFLAGS="-run TestSecrets"
#   make lint test MODULES=./standalone
#   make faults DURATION=20m SEED=7
#   make load SCENARIO=hotroom DURATION=20s
#   make figures FIGURES="persist hotroom" RUNS=3
#   make plots SWEEP=rooms DURATION=5s
#   make bench BASE=v1.2.0 BENCH=Log_Append BENCHED=./services/chat
#   make env ROTATE=nats
#   make secrets ARGS="-namespace parley -smtp smtp://user:password@mail:587"

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

# Every module of go.work, as ./DIR, so that none can be forgotten here.
MODULES ?= $(patsubst $(CURDIR)/%,./%,$(shell go list -m -f '{{.Dir}}'))
PACKAGES = $(MODULES:%=%/...)

# The web client belongs to all of it, not to some modules.
WEB ?= $(if $(filter file,$(origin MODULES)),yes)

ARGS ?=
TESTFLAGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run web check test test-deploy alone race e2e allocs webtest lint weblint audit fmt bench generate faults load figures plots env secrets programs tools

help: ## Tell what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Built and then started, not "go run": that makes an error of Ctrl-C.
run: ## Start the whole system in one process; ARGS are its flags.
	@if ! command -v npm >/dev/null; then echo "there is no Node here: going on without building the web client"; \
	else $(MAKE) --no-print-directory web || echo "the web client was not built: going on without"; fi
	@go build -o bin/parley ./standalone
	@exec bin/parley $(ARGS)

# What the gateway embeds. A page that is newer than all that it is made from is
# left as it is; folders count too, as they show what was removed.
PAGE := services/gateway/web/dist/index.html
NPM_INSTALLED := web/node_modules/.package-lock.json
WEB_SOURCES = $(shell find web/app/src web/app/public web/sdk/src web/scripts ! -name '*.test.ts*') $(wildcard web/app/*.* web/*/package.json)

HAVE_NPM = command -v npm >/dev/null || { echo "npm is missing: building the web client needs Node.js (see README.md), which npm comes with" >&2; exit 1; }

web: $(PAGE) ## Build the web client that gateways serve, if something of it has changed.

$(PAGE): $(NPM_INSTALLED) $(WEB_SOURCES)
	@$(HAVE_NPM)
	cd web && npm run build

$(NPM_INSTALLED): web/package-lock.json
	@$(HAVE_NPM)
	cd web && npm ci
	@touch $@

# The inner loop. FerretDB stands in for MongoDB in the stores' tests.
check: ## Test units and stores, without the race detector.
	go test -vet=off -timeout 10m $(TESTFLAGS) $(UNITS:%=%/...)
	$(if $(filter ./e2e,$(MODULES)),go test -vet=off -timeout 10m -run '^TestMongoStores$$' ./e2e)

test: alone race e2e allocs $(if $(WEB),webtest) ## Test everything about Parley itself: units and processes under the race detector, allocations, the web client in a browser.

# With GOWORK=off a module sees only its own go.mod: this finds requirements
# that the workspace hides. Vet is a part of make lint.
ALONE = @for module in $(1); do \
	(cd "$$module" && GOWORK=off go list -deps -test ./... >/dev/null) || { echo "$$module does not build alone"; exit 1; }; \
	done

alone:
	$(call ALONE,$(filter-out ./deploy,$(MODULES)))

UNITS = $(filter-out ./deploy ./e2e,$(MODULES))

# The race detector needs a C compiler; without one, tests run without it. SQLite
# itself, translated from C, is not instrumented: it takes four times as long
# then, and only its driver, which is instrumented, calls it.
UNRACED := modernc.org/sqlite/lib modernc.org/libc
RACE := $(if $(shell command -v "$$(go env CC)"),-race $(foreach p,$(UNRACED),-gcflags=$(p)=-race=false))

race:
	$(if $(RACE),,@echo "no C compiler: testing without the race detector")
	$(if $(UNITS),go test $(RACE) -vet=off -timeout 15m $(TESTFLAGS) $(UNITS:%=%/...))

# The processes have the race detector; what drives them does without, which
# saves compiling FerretDB and others a second time. e2e/tracing runs the NATS
# CLI, and belongs to test-deploy.
e2e: programs
	$(if $(filter ./e2e,$(MODULES)),PARLEY_PROGRAMS="$(CURDIR)/bin/programs" go test -vet=off -timeout 15m $(TESTFLAGS) \
		$$(go list ./e2e/... | grep -v '/e2e/tracing$$'))

# What tests start, built once for all their packages.
PROGRAMS := ./standalone ./parleyctl ./pkg/client/examples/echobot ./e2e/faults/faultypart

programs:
	@mkdir -p bin/programs
	go build $(RACE) -o bin/programs/ $(PROGRAMS)
	go build -o bin/programs/standalone-plain ./standalone

# Programs of other projects, at the versions of this file.
TOOLS := e2e/system/tools.txt

tools: bin/tools/.built
bin/tools/.built: $(TOOLS)
	@mkdir -p bin/tools
	@while read -r name package; do \
		echo "go install $$package"; \
		GOBIN="$(CURDIR)/bin/tools" GOFLAGS= GOWORK=off go install "$$package" || exit 1; \
	done <$(TOOLS)
	@touch $@

# All that takes long to compile is built first: tools, our programs, an image's
# gateway with the flags of deploy/Dockerfile, and then the tests themselves, one
# package after the other: they count requests while gateways start and stop.
test-deploy: tools ## Test images, Compose, the chart and documented commands, with the programs of other projects.
	$(call ALONE,./deploy)
	@mkdir -p bin/deploy
	go build -o bin/deploy/ ./standalone ./services/gateway/cmd/gateway ./deploy/smoke
	CGO_ENABLED=0 GOWORK=off go build -C services/gateway/cmd/gateway -trimpath -o /dev/null .
	go vet ./deploy/... ./e2e/tracing
	PARLEY_TOOLS="$(CURDIR)/bin/tools" PARLEY_PROGRAMS="$(CURDIR)/bin/deploy" \
		go test -vet=off -p 1 -timeout 15m $(TESTFLAGS) ./deploy/... ./e2e/tracing

# The SDK's and the app's tests, and then both in a browser against processes.
webtest: $(PAGE) ## Test the web client: its SDK, the app, and all of it in a browser.
	@mkdir -p bin
	go build -o bin/parley ./standalone
	cd web && PARLEY_BIN="$(CURDIR)/bin/parley" npm test
	chromium="$$(.ci/chromium)" && cd web && CHROMIUM="$$chromium" PARLEY_BIN="$(CURDIR)/bin/parley" npm run test:browser

# The packages of the hot paths. Each has benchmarks, and a TestAllocs that says
# what they may allocate, in a file that is not built under the race detector.
BENCHED ?= ./pkg/allocs ./pkg/contract ./pkg/rpc ./pkg/token ./services/chat ./services/gateway

# A package whose test has gone missing would pass.
allocs: ## Hold the benchmarks to their budgets of allocations.
	@for package in $(BENCHED); do \
		grep -qs '^func TestAllocs(' "$$package"/*_test.go || { echo "$$package has no TestAllocs"; exit 1; }; \
	done
	go test -count 1 -run '^TestAllocs$$' $(BENCHED)

# The run that make test makes for 75 seconds; JSON=FILE keeps its report, and
# MONGO_RESTART is a command that restarts the database of MONGO_URI.
faults: ## Let faults strike for DURATION, as SEED says, and show that nothing is lost.
	go test $(RACE) -timeout 0 -count 1 -v -run '^TestFaults$$' ./e2e/faults -args \
		$(if $(DURATION),-faults.duration=$(DURATION)) $(if $(SEED),-faults.seed=$(SEED)) \
		$(if $(JSON),-faults.json="$(abspath $(JSON))") $(if $(MONGO_RESTART),-faults.mongo-restart="$(MONGO_RESTART)")

# LOADFLAGS are further flags of e2e/load, such as -conns 10000.
LOAD = bin/load -parley bin/parley $(if $(DURATION),-duration $(DURATION)) $(LOADFLAGS)

.PHONY: loads
loads:
	@go build -o bin/parley ./standalone
	@go build -o bin/load ./e2e/load

load: loads ## Measure how fast SCENARIO is, or all are, beside the machine's floor; JSON keeps the results.
	@exec $(LOAD) -floor $(if $(SCENARIO),-scenario $(SCENARIO)) $(if $(JSON),-json "$(JSON)")

# What docs/performance.md tells. Leave the machine alone meanwhile: it takes
# some two hours, most of it for the passwords of those who register.
FIGURES ?= persist hotroom hotroom-1000 direct mixed idle storm
RUNS ?= 5
figure-persist := -scenario persist -history 100000
figure-hotroom := -scenario hotroom
figure-hotroom-1000 := -scenario hotroom -members 1000
figure-direct := -scenario direct
figure-mixed := -scenario mixed
# Long enough for two turns over everyone's rooms, of which none falls into the
# first half minute.
figure-idle := -scenario idle -conns 10000 $(if $(DURATION),,-duration 2m)
figure-storm := -scenario storm -conns 5000

figures: loads ## Measure FIGURES RUNS times, for docs/performance.md.
	$(foreach f,$(FIGURES),$(LOAD) -floor -runs $(RUNS) $(figure-$(f)) -json docs/performance/$(f).json && )true
	go generate ./e2e/load

plots: loads ## Measure what SWEEP, or all, change, for DURATION a point, and draw docs/performance/*.svg.
	$(LOAD) -sweep $(or $(SWEEP),all) -json docs/performance/plots.json
	go generate ./e2e/load

lint: $(if $(WEB),weblint) ## Check formatting, and run golangci-lint, vet among it, with the import rules; check the web client's types and style.
	@unformatted="$$(gofmt -l $(MODULES))"; \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	go run $(GOLANGCI_LINT) run $(PACKAGES)

weblint: $(NPM_INSTALLED)
	cd web && npm run lint

# Needs a network, so it is no part of make test. npm ci holds what it installs
# against the hashes of the lock file.
audit: ## Look for known weaknesses in what Parley is made of; needs a network.
	@for module in $(MODULES); do \
		echo "govulncheck $$module/..."; \
		(cd "$$module" && go run $(GOVULNCHECK) ./...) || { \
			echo "a weakness was found, or the database (https://vuln.go.dev) could not be asked: see above"; exit 1; }; \
	done
	cd web && npm ci --ignore-scripts --dry-run

fmt: $(if $(WEB),$(NPM_INSTALLED)) ## Format all code.
	gofmt -w $(MODULES)
	$(if $(WEB),cd web && npm run format)

# BENCHFLAGS are further ones of the test binaries, such as -test.benchtime=5s.
BASE ?= main
BENCH ?= .
COUNT ?= 6

bench: ## Compare the benchmarks BENCH of the packages BENCHED with those of BASE, a commit: main, or the one before.
	@BASE='$(BASE)' BENCH='$(BENCH)' COUNT='$(COUNT)' BENCHFLAGS='$(BENCHFLAGS)' BENCHSTAT='$(BENCHSTAT)' .ci/bench $(BENCHED)

generate: $(if $(WEB),$(NPM_INSTALLED)) ## Write what is generated: documents from code, the SDK's types from documents.
	go generate $(PACKAGES)
	$(if $(WEB),cd web && npm run generate -w sdk)

# OUT names another file. What is there stays, so both can be run at any time.
SECRETS = go run ./deploy/secrets
SECRETSFLAGS = $(if $(OUT),-out "$(OUT)") $(if $(ROTATE),-rotate $(ROTATE)) $(ARGS)

env: ## Write what .env lacks of secrets for Docker Compose; ROTATE=nats or tls renews some.
	@$(SECRETS) env $(SECRETSFLAGS)

secrets: ## Print secrets for kubectl apply -f -, kept in .env.kubernetes; ROTATE as above.
	@$(SECRETS) manifests $(SECRETSFLAGS)
