SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BUILD := .build
FUZZTIME ?= 60s
EVENT ?= lambda/event/testdata/update-user-pool.json
ARCHITECTURES ?= arm64 amd64
export MODE ENDPOINT PORT
# The packages whose coverage is held at 90 % or more.
COVERED := baseline lambda/event lambda/userpool lambda/reconcile
comma := ,
space := $(subst ,, )
# Counting coverage under the race detector takes four times as long as the detector alone, so it has a run of its own.
COVER := -coverpkg=$(subst $(space),$(comma),$(addprefix ./,$(COVERED))) -coverprofile=$(BUILD)/cover.out
# What the detector would make up to ten times as long and learn nothing from: the thousands of reconciles of the fault campaign and of the load, each of which is raced elsewhere, and two tests of
# one goroutine that compress the function and write the longest messages.
UNRACED := ^(TestCampaign$$|TestLoad|TestSize$$|TestMessagesFit$$)
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

.PHONY: help demo function invoke local emulate build test lint compiled vuln fmt generate stale check bench sbom fuzz cover layout clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' Makefile | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

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

build: function ## build the function and the command line into .build
	@CGO_ENABLED=0 go build -trimpath -o $(BUILD)/poolkeeper ./lambda/cmd/poolkeeper
	@ls -l $(BUILD)/*/bootstrap $(BUILD)/poolkeeper | awk '{print "built " $$NF " " $$5 " bytes"}'

test: ## run every test, with the race detector where there is a C compiler
	@mkdir -p $(BUILD)
	@if [[ -z "$(RACE)" ]]; then echo "no C compiler: testing without the race detector"; [[ "$${CI:-}" != true ]]; fi
	@status=0; \
	$(TEST) $(RACE) -shuffle=on -skip '$(UNRACED)' ./baseline/... ./lambda/... >$(BUILD)/test.log 2>&1 || status=$$?; \
	{ $(TEST) $(COVER) -skip '$(UNRACED)' $(addprefix ./,$(COVERED)) || status=$$?; \
	  $(TEST) -run '$(UNRACED)' ./lambda/reconcile ./lambda/report ./lambda/internal/coldstart || status=$$?; exit $$status; } >$(BUILD)/unraced.log 2>&1 & unraced=$$!; \
	$(TEST) -shuffle=on ./infra/... >>$(BUILD)/test.log 2>&1 || status=$$?; \
	wait $$unraced || status=$$?; cat $(BUILD)/unraced.log >>$(BUILD)/test.log; \
	if [[ $$status != 0 ]]; then grep -avE '^=== |^ *--- (PASS|SKIP)|^(PASS|ok|FAIL|coverage:|-test.shuffle)|^\s+poolkeeper/.*coverage: ' $(BUILD)/test.log | grep -avi canary || true; fi; \
	grep -aE '^ *--- SKIP' $(BUILD)/test.log || true; \
	grep -aE '^(ok|FAIL)' $(BUILD)/test.log | sed -E 's/\tcoverage:.*//'; \
	if leaks=$$(grep -nai canary $(BUILD)/test.log | cut -d: -f1); [[ -n "$$leaks" ]]; then echo "a planted secret leaked: $(BUILD)/test.log, lines" $$leaks; exit 1; fi; \
	echo "no planted secret in $$(wc -l <$(BUILD)/test.log) lines of output"; \
	exit $$status

lint: ## run golangci-lint, which holds what go vet does and the direction of imports
	@$(LINT) run ./...

compiled: ## compile the linter and the code, for the checks to find in the build cache
	@$(LINT) version
	@go build ./...

vuln: ## look for known vulnerabilities in what the code calls
	@.ci/vuln

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

cover: ## print the coverage of the packages that are held at 90 %
	@low=0; for package in $(COVERED); do \
		grep "^poolkeeper/$$package/[^/:]*\.go:" $(BUILD)/cover.out | awk -v package=$$package ' \
			{ if ($$3 > 0) hit[$$1] = 1; statements[$$1] = $$2 } \
			END { for (b in statements) { all += statements[b]; if (b in hit) covered += statements[b] } \
				percent = all ? 100 * covered / all : 0; printf "coverage: %s %.1f %%\n", package, percent; exit percent < 90 }' || low=1; \
	done; \
	if [[ $$low != 0 ]]; then echo "less than 90 % of the statements of a package are covered"; exit 1; fi

layout: ## check that nothing but the agreed entries stands at the top
	@stray=$$(ls | grep -vxE 'lambda|infra|baseline|go\.mod|go\.sum|Makefile|cdk\.json|README\.md' || true); \
	if [[ -n "$$stray" ]]; then echo "not agreed at the top level:" $$stray; exit 1; fi

check: layout ## everything that has to hold before a change is handed over
	@stray=$$(gofmt -l $(GOFILES)); if [[ -n "$$stray" ]]; then echo "not formatted:" $$stray; exit 1; fi
	@go mod tidy -diff
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory vuln
	@$(MAKE) --no-print-directory stale
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory cover
	@if [[ "$${CI:-}" == true ]] && grep -qaE '^ *--- SKIP' $(BUILD)/test.log; then echo "a test was skipped, and CI takes none"; exit 1; fi
	@$(MAKE) --no-print-directory build
	@echo "all checks passed"

bench: ## run the benchmarks, and write the speeds, each a ratio measured in one run, into lambda/README.md
	@mkdir -p $(BUILD)
	@go test -run '^$$' -bench . -benchmem -timeout 30m $$(go list ./baseline/... ./lambda/...) | tee $(BUILD)/bench.log
	@go run ./lambda/internal/speed/refresh lambda/README.md <$(BUILD)/bench.log

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
