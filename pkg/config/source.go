package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// source gives flags their values from the environment, else from the file, and keeps what is wrong with them.
type source struct {
	file     map[string]any
	problems []error
}

// key is the name of a flag in the file.
func key(f *kong.Flag) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(f.Name)
}

// load reads the file; kong calls it when it meets --config.
func (s *source) load(r io.Reader) (kong.Resolver, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	if err := d.Decode(&s.file); err != nil {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return kong.ResolverFunc(func(*kong.Context, *kong.Path, *kong.Flag) (any, error) { return nil, nil }), nil
}

// Resolve implements kong.Resolver. A value that the flag does not take becomes a problem.
func (s *source) Resolve(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	value, from := s.lookup(f)
	if value == nil {
		return nil, nil
	}
	trial := reflect.New(f.Target.Type()).Elem()
	if err := f.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial); err != nil {
		if f.Tag.Has("redact") {
			err = fmt.Errorf("--%s does not take this value", f.Name)
		}
		s.problems = append(s.problems, fmt.Errorf("%s: %w", from, err))
		f.Set = true // it is not missing
		return nil, nil
	}
	return value, nil
}

func (s *source) lookup(f *kong.Flag) (value any, from string) {
	for _, name := range f.Envs {
		if v, ok := os.LookupEnv(name); ok {
			return v, "$" + name
		}
	}
	switch v := s.file[key(f)].(type) {
	case bool, json.Number:
		return fmt.Sprint(v), key(f)
	default:
		return v, key(f)
	}
}

// Validate implements kong.Resolver; unknown does what there is to do.
func (s *source) Validate(*kong.Application) error { return nil }

// unknown are the keys of the file that no flag has.
func (s *source) unknown(flags []*kong.Flag) (problems []error) {
	known := make(map[string]bool)
	for _, f := range flags {
		known[key(f)] = true
	}
	for _, k := range slices.Sorted(maps.Keys(s.file)) {
		if !known[k] {
			problems = append(problems, fmt.Errorf("%s: there is no such setting", k))
		}
	}
	return problems
}
