// Package asyncapi holds the description of the stream EVENTS for those who subscribe, AsyncAPI 3. It is generated from the
// protos by `make proto`.
package asyncapi

import (
	_ "embed"
	"net/http"
)

// Document is the description, as JSON.
//
//go:embed asyncapi.json
var Document []byte

// Handler serves the description.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(Document)
	})
}
