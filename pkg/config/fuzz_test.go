package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/config"
)

// FuzzFile: a file that is accepted holds no setting that does not exist and no value out of range, no secret of it is
// shown, and what is shown of it is a file that says the same.
func FuzzFile(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"invitation": "10s", "partitions": 4, "verbose": true, "nats_url": "nats://u:p@n:1"}`, `{"partitions": 1e3}`, `{"partitions": 9007199254740993}`,
		`{"partitions": null, "listen": null}`, `{"listen": ["a"]}`, `{"keys": {"k": "` + secret + `"}}`, `{"keys": "k=` + secret + `"}`, `{"password": "pw"}`,
		`{"verbose": "yes"}`, `{"config": "x"}`, `{"help": true}`, `{"check_config": true}`, `{"Listen": "x"}`, `{"listen": ""}`, `{"listen": "a\u0000\n<"}`, `{"listen":"a","listen":"b"}`,
		`{"invitation": 10000000000}`, `{} {}`, `[]`, `null`, `{`, "\ufeff{}", `{"listen": "--help"}`, `{"listen": "://a@"}`,
	} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, file []byte) {
		show := func(name string, data []byte) (string, settings, error) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			var got settings
			var out strings.Builder
			_, err := config.Parse("score", &got, []string{"--check-config", "--config", path}, &out)
			return out.String(), got, err
		}
		shown, got, err := show("first.json", file)
		if err != nil {
			return
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%s passes: %v", file, err)
		}
		var printed map[string]any
		d := json.NewDecoder(strings.NewReader(shown))
		d.UseNumber()
		if err := d.Decode(&printed); err != nil {
			t.Fatalf("%s: %v", shown, err)
		}
		for _, s := range append([]string{got.Password}, values(got.Keys)...) {
			if len(s) > 12 && strings.Contains(shown, s) {
				t.Fatalf("a secret is shown: %s", shown)
			}
		}
		var given map[string]any
		if json.Unmarshal(bytes.TrimSpace(file), &given) == nil {
			for k := range given {
				if _, known := printed[k]; !known && k != "help" && k != "config" && k != "check_config" {
					t.Fatalf("%q passes", k)
				}
			}
		}
		delete(printed, "keys")
		delete(printed, "password")
		if strings.Contains(shown, "(redacted)@") {
			return
		}
		back, err := json.Marshal(printed)
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := show("again.json", back)
		got.Keys, got.Password = nil, ""
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Fatalf("%s: shown as %s: %v\n%s", file, back, err, diff)
		}
	})
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
