SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BUILD := .build
FUZZTIME ?= 60s
DRAWS ?= 1000
PAIRS ?= 20000
# Where random draws begin. It is fixed, so that a red run is the fault of the change; 0 draws others each time.
export RAPID_SEED ?= 1
EVENT ?= lambda/event/testdata/update-user-pool.json
ARCHITECTURES ?= arm64 amd64
export MODE ENDPOINT PORT
# The packages whose coverage is held at 90 % or more.
COVERED := baseline lambda/event lambda/userpool lambda/cognito lambda/outcome lambda/reconcile
comma := ,
space := $(subst ,, )
# The packages in which several goroutines or processes meet: their tests run with the race detector.
RACED := ./lambda ./lambda/cognito ./lambda/ledger ./lambda/notify ./lambda/queue ./lambda/reconcile
# What go vet looks for is in lint, so it is not looked for in each build of the tests again.
TEST := go test -vet=off -timeout 20m -v
LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
SBOM := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# nosecurityhub leaves out what only a deployment with -c securityHub=true has a use for; TAGS=lambda.norpc is everything.
TAGS := lambda.norpc,nosecurityhub
FLAGS = -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -tags $(TAGS)
RACE := $(shell command -v gcc >/dev/null || command -v cc >/dev/null || command -v clang >/dev/null && echo -race)

# Where code is; what npm installs beside it is not ours.
CODE := baseline lambda infra
GOFILES = $(shell find $(CODE) -name node_modules -prune -o -name '*.go' -print)

.PHONY: help demo install function invoke local emulate stack stack-test build others test campaign lint compiled vuln fmt generate stale model check bench sbom fuzz cover layout clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

demo: ## show an incident and its remediation on an embedded fake of Cognito
	@go run ./lambda/cmd/poolkeeper demo

function: ## build the function for both architectures into .build, with TAGS; cdk does it by itself
	@for arch in $(ARCHITECTURES); do CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build $(FLAGS) -o $(BUILD)/$$arch/bootstrap ./lambda; done

invoke: ## run the function on EVENT in SAM's container, against ENDPOINT, or against AWS, where it only reports unless MODE=enforce
	@bash infra/local.sh invoke $(EVENT)

local: ## the same with a fake of Cognito beside it, which holds the pool of the events
	@bash infra/local.sh local $(EVENT)

emulate: ## the same with the fake, and without SAM and a container
	@bash infra/local.sh emulate $(EVENT)

MINISTACK := $(BUILD)/ministack/bin/ministack
$(MINISTACK):
	@python3 -m venv $(BUILD)/ministack
	@$(BUILD)/ministack/bin/pip install --quiet ministack==1.5.33

stack: build $(MINISTACK) ## deploy the stack on this machine, without Docker and AWS, show an incident, and stay until Ctrl-C
	@[[ -x infra/node_modules/.bin/cdk ]] || npm ci --prefix infra --no-audit --no-fund --silent
	@$(BUILD)/ministack/bin/python infra/stack.py

stack-test: $(MINISTACK) ## test the stack on this machine
	@$(call run,stack,$(TEST) ./infra/e2e -run TestStack)

install: ## install poolkeeper into GOBIN, or go/bin of your home
	@go install -buildvcs=auto ./lambda/cmd/poolkeeper
	@bin=$$(go env GOBIN); bin=$${bin:-$$(go env GOPATH)/bin}; echo "installed $$bin/poolkeeper"; \
	if [[ ":$$PATH:" != *":$$bin:"* ]]; then echo "put it on PATH: export PATH=\"\$$PATH:$$bin\""; fi

build: function ## build the function and the command line into .build
	@CGO_ENABLED=0 go build -trimpath -o $(BUILD)/poolkeeper ./lambda/cmd/poolkeeper
	@ls -l $(BUILD)/*/bootstrap $(BUILD)/poolkeeper | awk '{print "built " $$NF " " $$5 " bytes"}'

# What Prowler needs only for other clouds and its dashboard takes 1.9 GB and is not installed. packaging and markupsafe
# come with that, but every check loads them.
NOT_AWS := azure|cloudflare|dash|google-api|huaweicloud|kingfisher|linode|microsoft|msgraph|numpy|oci|okta|openstack|pandas|pygithub|scaleway|shodan
others: $(MINISTACK) ## install other people's checks and emulators into .build: Prowler, Parliament, event-ruler, ministack
	@mvn -q -f infra/others/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(BUILD)/ruler
	@python3 -m venv $(BUILD)/parliament && $(BUILD)/parliament/bin/pip install --quiet parliament==1.6.4
	@python3 -m venv $(BUILD)/prowler && $(BUILD)/prowler/bin/pip install --quiet --no-deps prowler==5.46.0
	@$(BUILD)/prowler/bin/python -c 'import importlib.metadata as m; print(*m.requires("prowler"), sep="\n")' | \
		grep -vE '^($(NOT_AWS))' | $(BUILD)/prowler/bin/pip install --quiet --no-warn-conflicts \
		-r /dev/stdin packaging==26.4 markupsafe==3.0.4

# $(call run,LOG,COMMAND) runs tests and shows each package as it ends, and at the end what failed.
define run
mkdir -p $(BUILD); status=0; ( $(2) ) 2>&1 | tee $(BUILD)/$(1).log | \
	{ grep --line-buffered -aE '^(ok|FAIL|--- FAIL|panic:)' || true; } || status=$$?; \
if [[ $$status != 0 ]]; then \
	grep -avE '^=== |^ *--- (PASS|SKIP)|^(PASS|ok|coverage:)' $(BUILD)/$(1).log | grep -avi canary | tail -200 || true; fi; \
if leaks=$$(grep -nai canary $(BUILD)/$(1).log | cut -d: -f1); [[ -n "$$leaks" ]]; then \
	echo "a planted secret leaked: $(BUILD)/$(1).log, lines" $$leaks; status=1; fi; \
exit $$status
endef

test: ## run the tests, with the race detector where there is a C compiler; the longer ones are in campaign
	@if [[ -z "$(RACE)" ]]; then echo "no C compiler: testing without the race detector"; [[ "$${CI:-}" != true ]]; fi
	@$(call run,test,$(TEST) $(RACE) $(RACED) && \
		$(TEST) $$(go list ./baseline/... ./lambda/... ./infra | grep -vxF "$$(go list $(RACED))"))

campaign: $(MINISTACK) ## run the long tests: the fault campaign, the laws with many draws, the load, a random search, deployments against emulators
	@$(call run,campaign,POOLKEEPER_CAMPAIGN=full $(TEST) ./lambda/reconcile -rapid.checks=$(DRAWS) && \
		$(TEST) ./lambda/internal/oracle -pairs=$(PAIRS) && $(TEST) ./infra/e2e)

lint: ## run golangci-lint, which holds what go vet does and the direction of imports
	@$(LINT) run ./...

compiled: ## compile the linter and the code, for the checks to find in the build cache
	@$(LINT) version
	@go build ./...

vuln: ## look for known vulnerabilities in what the code calls
	@.ci/vuln

# The member table against the newest service model, and what the model gained by version.
MODELS := 1.12.70 1.13.0 1.17.0 1.20.0 1.23.0 1.27.0 1.31.0 1.34.0 1.35.50 1.37.0 1.40.0 1.42.1 1.43.0
model: ## compare the member table with the newest botocore, and print what the API gained since 2019
	@python3 -m venv $(BUILD)/model && $(BUILD)/model/bin/pip install --quiet --upgrade botocore
	@go run ./baseline/internal/model | $(BUILD)/model/bin/python baseline/internal/model/check.py
	@newest=$$($(BUILD)/model/bin/python -c 'import botocore; print(botocore.__version__)'); \
		$(BUILD)/model/bin/python baseline/internal/model/history.py $(BUILD)/model $(MODELS) $$newest

fmt: ## format the code
	@gofmt -w $(GOFILES)

generate: ## make the generated files anew
	@go generate ./...

stale: ## make the generated files anew, and fail if that changes any
	@mkdir -p $(BUILD)
	@sums() { find $(CODE) -name node_modules -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; }; \
	sums >$(BUILD)/sums-before; go generate ./...; sums >$(BUILD)/sums-after; \
	if ! changed=$$(diff $(BUILD)/sums-before $(BUILD)/sums-after); then \
		echo "generated files were stale, and are made anew:" $$(awk '/^[<>]/ {print $$3}' <<<"$$changed" | sort -u); exit 1; fi

cover: ## run the tests of the packages whose coverage is held at 90 %, and print it
	@mkdir -p $(BUILD)
	@go test -vet=off $(addprefix ./,$(COVERED)) -coverprofile=$(BUILD)/cover.out \
		-coverpkg=$(subst $(space),$(comma),$(addprefix ./,$(COVERED))) >$(BUILD)/cover.log || { cat $(BUILD)/cover.log; exit 1; }
	@low=0; for package in $(COVERED); do \
		grep "^poolkeeper/$$package/[^/:]*\.go:" $(BUILD)/cover.out | awk -v package=$$package ' \
			{ if ($$3 > 0) hit[$$1] = 1; statements[$$1] = $$2 } \
			END { for (b in statements) { all += statements[b]; if (b in hit) covered += statements[b] } \
				percent = all ? 100 * covered / all : 0; \
				printf "coverage: %s %.1f %%\n", package, percent; exit percent < 90 }' || low=1; \
	done; \
	if [[ $$low != 0 ]]; then echo "less than 90 % of the statements of a package are covered"; exit 1; fi

layout: ## check that nothing but the agreed entries stands at the top
	@stray=$$(ls | grep -vxE 'lambda|infra|baseline|go\.mod|go\.sum|Makefile|cdk\.json|README\.md' || true); \
	if [[ -n "$$stray" ]]; then echo "not agreed at the top level:" $$stray; exit 1; fi

check: layout ## everything that has to hold before a change is handed over
	@stray=$$(gofmt -l $(GOFILES)); if [[ -n "$$stray" ]]; then echo "not formatted:" $$stray; exit 1; fi
	@go mod tidy -diff
	@for part in lint vuln stale test cover; do start=$$SECONDS; $(MAKE) --no-print-directory $$part; \
		echo "part $$part: $$((SECONDS - start)) seconds"; done
	@if [[ "$${CI:-}" == true ]] && grep -qaE '^ *--- SKIP' $(BUILD)/*.log; then echo "a test was skipped, and CI takes none"; exit 1; fi
	@$(MAKE) --no-print-directory build
	@echo "all checks passed"

bench: ## run the benchmarks, and write the speeds, each a ratio measured in one run, into lambda/README.md
	@go test -run '^$$' -bench . -benchmem $$(go list ./baseline/... ./lambda/... | grep -v coldstart)
	@go test -run '^$$' -bench . -timeout 30m ./lambda/internal/coldstart -update

sbom: function ## write the software bill of materials of the function, as CycloneDX JSON, and check that it names every module
	@go run $(SBOM) bin -json -std -noserial -notimestamp -disable-html-escape -version unreleased -output $(BUILD)/sbom.cdx.json $(BUILD)/arm64/bootstrap
	@modules=$$(CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go list -deps -tags $(TAGS) -f '{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}' ./lambda | sort -u); \
	missing=$$(for module in $$modules; do grep -qF "\"pkg:golang/$$module?" $(BUILD)/sbom.cdx.json || echo $$module; done); \
	if [[ -z "$$modules" || -n "$$missing" ]]; then echo "the bill of materials lacks" $$missing; exit 1; fi; \
	echo "$(BUILD)/sbom.cdx.json names all $$(wc -w <<<"$$modules") modules that the function is built of"

fuzz: ## run every fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
		targets=$$(go test -list '^Fuzz' $$package); \
		for target in $$(grep '^Fuzz' <<<"$$targets" || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

clean: ## remove what was built
	@rm -rf $(BUILD)
