// Package openapi holds the description of the gateway's REST API, OpenAPI 3.1. It is generated from the protos by
// `make proto`.
package openapi

import (
	_ "embed"
	"net/http"
)

// Document is the description, as JSON.
//
//go:embed openapi.json
var Document []byte

// Handler serves the description.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(Document)
	})
}
