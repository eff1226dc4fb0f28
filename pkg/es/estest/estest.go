// Package estest runs given-when-then tables over an es.Machine: real events in, real events out, no mocks.
package estest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// T0 is the log time of a row's given events, and of its command unless Now says otherwise.
var T0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Row is one rule: given these events, when this command comes, then these events follow or it is refused.
type Row[C, E any] struct {
	Name  string
	Given []E
	// Now is the log time of the decision; T0 if zero.
	Now  time.Time
	When C
	Then []E
	// Reason of the expected refusal; empty if the command is accepted.
	Reason string
	// Later: the expected answer is es.ErrLater.
	Later bool
}

// Run checks every row against a fresh machine, and that together the rows produce every event of kinds at least once.
func Run[C, E any](t *testing.T, newMachine func() es.Machine[C, E], kinds []E, rows []Row[C, E]) {
	t.Helper()
	var produced []reflect.Type
	for _, row := range rows {
		t.Run(row.Name, func(t *testing.T) {
			m := newMachine()
			Fold(m, T0, row.Given...)
			now := row.Now
			if now.IsZero() {
				now = T0
			}
			got, err := m.Decide(now, row.When)
			again, errAgain := m.Decide(now, row.When)
			if !cmp.Equal(got, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
				t.Fatalf("Decide changed the state: the same command again gave another answer\nfirst: %v %v\nagain: %v %v", got, err, again, errAgain)
			}
			check(t, row, got, err)
			fold(m, len(row.Given), now, got) // what was decided can be applied
			for _, e := range got {
				produced = append(produced, reflect.TypeOf(e))
			}
		})
	}
	for _, k := range kinds {
		if !slices.Contains(produced, reflect.TypeOf(k)) {
			t.Errorf("no row produces %T", k)
		}
	}
}

func check[C, E any](t *testing.T, row Row[C, E], got []E, err error) {
	t.Helper()
	var refusal *es.Refusal
	switch {
	case row.Later:
		if !errors.Is(err, es.ErrLater) {
			t.Fatalf("got %v, %v; want ErrLater", got, err)
		}
	case row.Reason != "":
		if !errors.As(err, &refusal) || refusal.Reason != row.Reason {
			t.Fatalf("got %v, %v; want refusal %s", got, err, row.Reason)
		}
	case err != nil:
		t.Fatalf("refused: %v", err)
	default:
		if diff := cmp.Diff(row.Then, got); diff != "" && len(row.Then)+len(got) > 0 {
			t.Fatalf("events (-want +got):\n%s", diff)
		}
	}
}

// Fold applies and commits events, one group each, all at the same log time.
func Fold[C, E any](m es.Machine[C, E], at time.Time, events ...E) {
	fold(m, 0, at, events)
}

func fold[C, E any](m es.Machine[C, E], after int, at time.Time, events []E) {
	for i, e := range events {
		m.Evolve(es.Place{Seq: uint64(after + i + 1), At: at}, e)
		m.Commit()
	}
}
