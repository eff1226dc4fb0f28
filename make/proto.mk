# Contracts and what is generated of them.

GENERATED := proto/gen services/gateway/internal/openapi/openapi.json services/gateway/internal/asyncapi/asyncapi.json

.PHONY: proto
proto: bin/.generators $(BUF) ## check the protos and generate code, OpenAPI and AsyncAPI
	tools/protos.sh
	$(BUF) format --diff --exit-code proto
	$(BUF) lint
	tools/breaking.sh
	$(BUF) generate
	tools/openapi.sh
	tools/asyncapi.sh

.PHONY: check-generated
check-generated: # generated files are what `make proto` makes
	@rm -rf .cache/generated && mkdir -p .cache/generated && cp -r $(GENERATED) .cache/generated/
	$(MAKE) proto
	@for file in $(GENERATED); do \
		diff -r ".cache/generated/$$(basename "$$file")" "$$file" || { echo "$$file is not what make proto makes: run it and commit the result"; exit 1; }; \
	done
