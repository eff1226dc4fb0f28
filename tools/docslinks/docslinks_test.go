// Package docslinks tests that the documentation leads somewhere: links to files and headings, paths to code, and ADRs
// by number exist, and every page under docs is linked from another.
package docslinks

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const top = "../.."

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	span    = regexp.MustCompile("`[^`\n]+`")
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *#*$`)
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	remote  = regexp.MustCompile(`^[a-z]+:`)
	// A link whose text is a test's name.
	namedTest = regexp.MustCompile("\\[`(Test\\w+)`\\]\\(([^)\\s]+)\\)")
	adr       = regexp.MustCompile(`\bADR[ -](\d{4})\b`)
	// A path to code, from the top of the repository or from the page's folder.
	path = regexp.MustCompile(`(?:^|[\s(])((?:cmd|deploy|docs|internal|make|pkg|proto|services|test|tools|web)/[\w*{},./-]+)`)
)

// page is one Markdown file; name is its path from the top of the repository.
type page struct {
	name  string
	text  string // without fenced blocks
	prose string // without code spans as well
}

func TestDocumentationLeadsSomewhere(t *testing.T) {
	t.Parallel()
	pages := read(t)
	linked := make(map[string]bool)
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			if remote.MatchString(m[1]) {
				continue
			}
			target, fragment, _ := strings.Cut(m[1], "#")
			file := p.name
			if target != "" {
				file = filepath.Join(filepath.Dir(p.name), filepath.FromSlash(target))
				linked[file] = linked[file] || file != p.name
			}
			if err := p.check(pages, file, fragment); err != nil {
				t.Errorf("%s: link %q: %v", p.name, m[1], err)
			}
		}
		for _, s := range span.FindAllString(p.text, -1) {
			for _, m := range path.FindAllStringSubmatch(strings.Trim(s, "`"), -1) {
				if !p.leadsTo(m[1]) {
					t.Errorf("%s: there is no %s", p.name, m[1])
				}
			}
		}
		for _, m := range adr.FindAllStringSubmatch(p.text, -1) {
			if !exists(filepath.Join("docs", "adr", m[1]+"-*.md")) {
				t.Errorf("%s: there is no ADR %s", p.name, m[1])
			}
		}
	}
	for name := range pages {
		if strings.HasPrefix(name, "docs"+string(filepath.Separator)) && !linked[name] {
			t.Errorf("%s: no page links to it", name)
		}
	}
}

// A test that a page names, as the text of a link, is in the file that the link leads to.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	found := 0
	for _, p := range read(t) {
		for _, m := range namedTest.FindAllStringSubmatch(p.text, -1) {
			found++
			file := filepath.Join(top, filepath.Dir(p.name), filepath.FromSlash(m[2]))
			if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte("func "+m[1]+"(")) {
				t.Errorf("%s: there is no %s in %s", p.name, m[1], m[2])
			}
		}
	}
	if found == 0 {
		t.Error("no page names a test")
	}
}

func TestADRsAreNumberedWithoutGap(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(top, "docs", "adr", "[0-9]*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no ADRs: %v", err)
	}
	for i, f := range files {
		if want := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(filepath.Base(f), want) {
			t.Errorf("%s: expected an ADR %s…", filepath.Base(f), want)
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range []string{"Status", "Context", "Decision", "Consequences"} {
			if !bytes.Contains(text, []byte("\n## "+section+"\n")) {
				t.Errorf("%s: has no section %q", filepath.Base(f), section)
			}
		}
	}
}

func read(t *testing.T) map[string]page {
	t.Helper()
	pages := make(map[string]page)
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != top && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".md":
			return nil
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, file)
		text := fenced.ReplaceAllString(string(b), "")
		pages[name] = page{name: name, text: text, prose: span.ReplaceAllString(text, "")}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func (p page) check(pages map[string]page, file, fragment string) error {
	if !exists(file) {
		return fmt.Errorf("there is no %s", file)
	}
	if fragment == "" || filepath.Ext(file) != ".md" {
		return nil
	}
	if slugs := pages[file].slugs(); !slugs[fragment] {
		return fmt.Errorf("%s has no heading #%s, only %v", file, fragment, slices.Sorted(maps.Keys(slugs)))
	}
	return nil
}

// leadsTo reports whether a path in a code span exists, seen from the top or from the page's folder. It may be a pattern.
func (p page) leadsTo(path string) bool {
	return !slices.ContainsFunc(alternatives(strings.TrimRight(path, ".,")), func(path string) bool {
		return !exists(path) && !exists(filepath.Join(filepath.Dir(p.name), path))
	})
}

// alternatives expands {a,b}.
func alternatives(path string) []string {
	before, rest, ok := strings.Cut(path, "{")
	list, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{path}
	}
	var all []string
	for _, one := range strings.Split(list, ",") {
		all = append(all, alternatives(before+one+after)...)
	}
	return all
}

func exists(pattern string) bool {
	found, err := filepath.Glob(filepath.Join(top, pattern))
	return err == nil && len(found) > 0
}

// slugs are the anchors of the page's headings as GitHub makes them.
func (p page) slugs() map[string]bool {
	slugs := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 0x80 || '0' <= r && r <= '9' || 'a' <= r && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		for n, base := 1, slug; slugs[slug]; n++ {
			slug = fmt.Sprintf("%s-%d", base, n)
		}
		slugs[slug] = true
	}
	return slugs
}
