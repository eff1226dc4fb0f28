# What CI checks. Every step stands alone: `make check-lint` and so on.

CHECKS := check-tidy check-alone check-generated check-lint check-vet check-docs test check-sim check-chaos check-hosts e2e

.PHONY: check
check: ## all that CI runs
	@for step in $(CHECKS); do \
		printf '\n== make %s\n' "$$step"; \
		start=$$SECONDS; \
		$(MAKE) "$$step" || { echo "FAIL: make $$step"; exit 1; }; \
		echo "== make $$step: $$((SECONDS - start)) s"; \
	done
	@printf '\nAll checks passed.\n'

.PHONY: check-tidy
check-tidy: # go.mod and go.sum are what `go mod tidy` makes of them
	@for module in $(MODULES) tools; do \
		$(ALONE) go -C "$$module" mod tidy -diff || { echo "run in $$module: GOWORK=off go mod tidy"; exit 1; }; \
	done

.PHONY: check-alone
check-alone: # each module builds without go.work
	@for module in $(MODULES); do echo "build $$module"; $(ALONE) go -C "$$module" build ./...; done

.PHONY: check-lint
check-lint: bin/golangci-lint ## run the linters over every module
	bin/golangci-lint run $(addprefix ./,$(addsuffix /...,$(MODULES)))
	cd tools && $(ALONE) ../bin/golangci-lint run ./...

.PHONY: fmt
fmt: bin/golangci-lint $(BUF) ## format Go code and protos
	bin/golangci-lint fmt $(addprefix ./,$(MODULES) tools/docslinks)
	$(BUF) format -w proto

.PHONY: check-vet
check-vet: # go vet, with all its own analyzers
	go vet work
	$(ALONE) go -C tools vet ./...

.PHONY: check-docs
check-docs: # links, anchors and paths in the documentation lead somewhere
	$(ALONE) go -C tools test -count=1 ./docslinks

.PHONY: check-sim
check-sim: # as many simulated runs as fit in four minutes, others each time
	$(MAKE) sim TIME=4m SEED=$$((RANDOM * 32768 + RANDOM))
