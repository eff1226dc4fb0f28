package ledgertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"reflect"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// stateVersion of the machine's records in a snapshot.
const stateVersion = 3

// kept is one record of a snapshot.
type kept struct {
	Key   string    `json:",omitempty"`
	Total int64     `json:",omitempty"`
	Due   time.Time `json:",omitzero"`
	Last  time.Time `json:",omitzero"`
}

// State is how snapshots hold the machine.
func (c *Counters) State() *ledger.State {
	return &ledger.State{Version: stateVersion, Freeze: c.freeze, Restore: c.restore}
}

// stillCounters is the machine at one moment.
type stillCounters struct {
	of     *Counters
	totals iter.Seq2[string, int64]
	due    iter.Seq2[string, time.Time]
	last   time.Time
}

func (c *Counters) freeze() ledger.Frozen {
	return &stillCounters{of: c, totals: c.totals.Freeze(), due: c.timers.Freeze(), last: c.last.Committed()}
}

func (s *stillCounters) Write(put func([]byte) error) error {
	write := func(x kept) error {
		raw, err := json.Marshal(x)
		if err != nil {
			return err
		}
		return put(raw)
	}
	if err := write(kept{Last: s.last}); err != nil {
		return err
	}
	for k, n := range s.totals {
		if err := write(kept{Key: k, Total: n}); err != nil {
			return err
		}
	}
	for k, at := range s.due {
		if err := write(kept{Key: k, Due: at}); err != nil {
			return err
		}
	}
	return nil
}

func (s *stillCounters) Thaw() bool { return es.Thaw(&s.of.totals, &s.of.timers) }

func (c *Counters) restore(next func() ([]byte, error)) (func(), error) {
	fresh := new(Counters)
	for {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			return func() { *c = *fresh }, nil
		}
		if err != nil {
			return nil, err
		}
		var x kept
		if err := json.Unmarshal(raw, &x); err != nil {
			return nil, err
		}
		switch {
		case !x.Last.IsZero():
			fresh.last.Set(x.Last)
			fresh.last.Commit()
		case !x.Due.IsZero():
			fresh.timers.Restore(x.Key, x.Due)
		default:
			fresh.totals.Restore(x.Key, x.Total)
		}
	}
}

// Records returns what frozen state writes.
func Records(f ledger.Frozen) (records [][]byte, err error) {
	err = f.Write(func(record []byte) error {
		records = append(records, bytes.Clone(record))
		return nil
	})
	return records, err
}

// Restore has a state read records and become what they say.
func Restore(s *ledger.State, records [][]byte) error {
	install, err := s.Restore(func() ([]byte, error) {
		if len(records) == 0 {
			return nil, io.EOF
		}
		next := records[0]
		records = records[1:]
		return next, nil
	})
	if err == nil {
		install()
	}
	return err
}

// Fields names the fields of a struct, for tests that must know them all.
func Fields[T any]() (names []string) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		names = append(names, t.Field(i).Name)
	}
	return names
}
