// Package config fills a service's typed configuration from flags, environment and a JSON file, in this order of
// precedence. Below them are the defaults: what the struct holds already, else its tags (github.com/alecthomas/kong has
// the tags).
//
// It is strict: a key that no flag has is refused, and all problems of file and environment are reported at once.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// redacted stands for the value of a flag with the tag redact:"".
const redacted = "(redacted)"

// own are the flags that every service has.
type own struct {
	File        kong.ConfigFlag `name:"config" placeholder:"FILE" env:"-" help:"JSON file with settings; flags and environment go before it."`
	CheckConfig bool            `name:"check-config" env:"-" help:"Print the settings that are in force, without secrets, and exit."`
}

// Parse fills cfg, a pointer to a struct with kong's tags. Every flag --some-name may also come from the environment as
// FACEOFF_SOME_NAME and from the file given with --config as some_name. Defaults that cfg holds are text, numbers, booleans
// or durations. If cfg has a method Validate() error, it is asked.
//
// run is false when there is nothing to run: --help or --check-config has printed to out, or there is an error.
func Parse(name string, cfg any, args []string, out io.Writer) (run bool, err error) {
	var o own
	s := &source{}
	helped := false
	k, err := kong.New(cfg,
		kong.Name(name),
		kong.Embed(&o),
		kong.DefaultEnvars("FACEOFF"),
		kong.Configuration(s.load),
		kong.Resolvers(s),
		kong.ValueFormatter(describe),
		kong.Writers(out, out),
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return false, err
	}
	for _, f := range k.Model.Flags {
		f.Tag.Envs = nil // source reads them, so that their problems are reported together
		if !f.Target.IsZero() {
			f.HasDefault, f.Default = true, fmt.Sprint(f.Target.Interface())
		}
	}
	_, err = k.Parse(args)
	if helped {
		return false, nil
	}
	if err := errors.Join(append(append(s.problems, s.unknown(k.Model.Flags)...), err)...); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if o.CheckConfig {
		return false, show(out, k.Model.Flags)
	}
	return true, nil
}

func describe(v *kong.Value) string {
	if v.Flag == nil || len(v.Flag.Envs) == 0 {
		return v.Help
	}
	return fmt.Sprintf("%s ($%s)", v.Help, strings.Join(v.Flag.Envs, ", $"))
}

// show writes the settings as a file that --config takes, but for what is redacted.
func show(out io.Writer, flags []*kong.Flag) error {
	settings := make(map[string]any)
	for _, f := range flags {
		if slices.Contains([]string{"help", "config", "check-config"}, f.Name) {
			continue
		}
		settings[key(f)] = shown(f)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(settings)
}

// password is the user information of a URL.
var password = regexp.MustCompile(`://[^/@\s]+@`)

func shown(f *kong.Flag) any {
	value := f.Target.Interface()
	if f.Tag.Has("redact") && !f.Target.IsZero() {
		return redacted
	}
	if v, ok := value.(fmt.Stringer); ok {
		value = v.String()
	}
	if text, ok := value.(string); ok {
		return password.ReplaceAllString(text, "://"+redacted+"@")
	}
	return value
}
