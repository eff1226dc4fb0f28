package badinput

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// row is one piece of bad input.
type row struct {
	id   string // in testdata/rows.tsv; empty for one of our own
	name string
	// send sends it and checks the answer.
	send func(t *testing.T, s *scene)
	// writes: it is well-formed after all, or there is something good in it, and the logs may grow.
	writes bool
}

// TestRows sends one row after another to the same product. Whatever one breaks the next would find broken.
func TestRows(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, r := range rows() {
		t.Run(strings.TrimSpace(r.id+" "+r.name), func(t *testing.T) {
			before := s.heads(t)
			r.send(t, s)
			s.unharmed(t)
			if r.writes {
				s.quiet(t)
			} else if after := s.heads(t); !maps.Equal(before, after) {
				t.Errorf("the logs were %v, are %v", before, after)
			}
		})
	}
}

// rows are those that are sent one after another; patient are the others.
func rows() (all []row) {
	for _, some := range [][]row{restRows(), battleRows(), httpRows(), grpcRows(), frameRows(), natsRows(), logRows()} {
		all = append(all, some...)
	}
	return all
}

// TestEveryRowIsRunOrListed compares with testdata/rows.tsv: id, door, what is sent, what must be answered, and why it is
// not run if it is not.
func TestEveryRowIsRunOrListed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/rows.tsv")
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]bool{}
	for _, r := range append(append(rows(), patientRows()...), crowdRow()) {
		run[r.id] = true
	}
	delete(run, "")
	listed := 0
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 5 || fields[0] == "" || fields[1] == "" || fields[2] == "" || fields[3] == "" {
			t.Errorf("line %d is not id, door, sent, answered, not run because: %q", i+2, line)
			continue
		}
		id, why := fields[0], fields[4]
		switch {
		case why == "" && !run[id]:
			t.Errorf("%s is neither run nor listed as not run", id)
		case why != "" && run[id]:
			t.Errorf("%s is run and listed as not run", id)
		case why != "":
			listed++
		}
		delete(run, id)
	}
	for id := range run {
		t.Errorf("%s is run and not in the table, or twice in it", id)
	}
	t.Logf("%d rows are listed as not run", listed)
}
