// Command finish makes the gateway's API description out of what the generators leave: it reads the merged OpenAPI
// document on its standard input and writes the finished one to its standard output.
//
// The generators name fields as JSON does by default and know nothing of what the gateway adds to each call. Here fields
// get the names that the gateway speaks (snake_case), the rules of the protos become constraints, and security, errors
// and the gateway's own calls are described.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// object is a JSON object of the document.
type object = map[string]any

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "finish:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var doc object
	if err := json.NewDecoder(in).Decode(&doc); err != nil {
		return fmt.Errorf("read the merged document: %w", err)
	}
	if err := nameFields(doc); err != nil {
		return err
	}
	describeCalls(doc)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(document{
		doc["openapi"], doc["info"], doc["servers"], doc["security"], doc["tags"], doc["paths"], doc["components"],
	})
}

// document is the document in the order in which people read it.
type document struct {
	OpenAPI    any `json:"openapi"`
	Info       any `json:"info"`
	Servers    any `json:"servers"`
	Security   any `json:"security"`
	Tags       any `json:"tags"`
	Paths      any `json:"paths"`
	Components any `json:"components"`
}

// child returns the object under a key, which it makes if there is none.
func child(o object, key string) object {
	if c, ok := o[key].(object); ok {
		return c
	}
	c := object{}
	o[key] = c
	return c
}

// operations calls f for each operation of the document.
func operations(doc object, f func(path, method string, operation object) error) error {
	for path, item := range child(doc, "paths") {
		for method, operation := range item.(object) {
			if err := f(path, method, operation.(object)); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return nil
}
