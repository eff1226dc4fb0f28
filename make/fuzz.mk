# Every parser, fed with what nobody would send. See CONTRIBUTING.md.

.PHONY: fuzz
fuzz: ## fuzz every target there is for TIME=10s each, one after another
	@grep -Ero '^func Fuzz\w+' --include='*_test.go' $(MODULES) | sort | sed -E 's|(.*)/[^/]*:func (.*)|./\1 \2|' | while read -r package target; do \
		echo "== $$target $$package"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(or $(TIME),10s) $(ARGS) "$$package" </dev/null; \
	done
