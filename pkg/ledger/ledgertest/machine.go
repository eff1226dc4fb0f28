package ledgertest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

const retryAfter = 1500 * time.Millisecond

// Command is a command of the machine that the suite attacks: named counters that may not exceed a limit.
type Command struct {
	Key string
	Add int64
	// Max refuses the command if the counter would exceed it; 0: no limit.
	Max int64
	// Passing makes that refusal a passing one, to be tried again after retryAfter.
	Passing bool
	// Once does nothing if the counter is not 0.
	Once bool
	// After adds another 1 to the counter that much log time later.
	After time.Duration
	// Fault makes Decide ("decide"), Evolve ("evolve") or EncodeEvent ("encode") panic.
	Fault string
	// Size makes the event that much larger.
	Size int
	// New makes it a command that adds business.
	New bool
	// Tick is the machine's own command for a deadline.
	Tick bool
}

// Event is the machine's event.
type Event struct {
	Key   string
	Add   int64
	Fault string    `json:",omitempty"`
	Pad   string    `json:",omitempty"`
	Due   time.Time `json:",omitzero"`
	Tick  bool      `json:",omitempty"`
}

// Counters is the machine.
type Counters struct {
	totals es.Map[string, int64]
	timers es.Timers[string]
	last   es.Value[time.Time]
}

// Total returns a committed counter.
func (c *Counters) Total(key string) int64 {
	n, _ := c.totals.Committed(key)
	return n
}

// Decide implements es.Machine.
func (c *Counters) Decide(now time.Time, cmd Command) ([]Event, error) {
	if now.Before(c.last.Get()) {
		panic("log time went back")
	}
	if cmd.Fault == "decide" {
		panic("as asked")
	}
	if cmd.Tick {
		if at, ok := c.timers.Get(cmd.Key); !ok || at.After(now) {
			return nil, nil
		}
		return []Event{{Key: cmd.Key, Add: 1, Tick: true}}, nil
	}
	total, _ := c.totals.Get(cmd.Key)
	if cmd.Max != 0 && total+cmd.Add > cmd.Max {
		if cmd.Passing {
			return nil, es.Refuse(es.ReasonRateLimited, "%s is at %d", cmd.Key, total).After(retryAfter)
		}
		return nil, es.Refuse("FULL", "%s is at %d", cmd.Key, total)
	}
	if cmd.Add == 0 || cmd.Once && total != 0 {
		return nil, nil
	}
	e := Event{Key: cmd.Key, Add: cmd.Add, Fault: cmd.Fault, Pad: strings.Repeat("x", cmd.Size)}
	if cmd.After != 0 {
		e.Due = now.Add(cmd.After)
	}
	return []Event{e}, nil
}

// Evolve implements es.Machine.
func (c *Counters) Evolve(at es.Place, e Event) {
	total, _ := c.totals.Get(e.Key)
	c.totals.Set(e.Key, total+e.Add)
	c.last.Set(at.At)
	if e.Fault == "evolve" {
		panic("as asked")
	}
	if !e.Due.IsZero() {
		c.timers.Set(e.Key, e.Due)
	}
	if e.Tick {
		c.timers.Clear(e.Key)
	}
}

// Due implements es.Machine.
func (c *Counters) Due(now time.Time) []Command {
	var due []Command
	for _, k := range c.timers.Due(now) {
		due = append(due, Command{Key: k, Tick: true})
	}
	return due
}

// NextDue implements es.Machine.
func (c *Counters) NextDue() (time.Time, bool) { return c.timers.Next() }

// Commit implements es.Machine.
func (c *Counters) Commit() {
	c.totals.Commit()
	c.timers.Commit()
	c.last.Commit()
}

// Discard implements es.Machine.
func (c *Counters) Discard() {
	c.totals.Discard()
	c.timers.Discard()
	c.last.Discard()
}

// Codec is the machine's codec.
type Codec struct{}

// EncodeEvent implements ledger.Codec.
func (Codec) EncodeEvent(e Event) ([]byte, error) {
	if e.Fault == "encode" {
		panic("as asked")
	}
	return json.Marshal(e)
}

// DecodeEvent implements ledger.Codec.
func (Codec) DecodeEvent(b []byte) (e Event, err error) { return e, json.Unmarshal(b, &e) }

// EncodeCommand implements ledger.Codec.
func (Codec) EncodeCommand(c Command) ([]byte, error) { return json.Marshal(c) }

// DecodeCommand implements ledger.Codec.
func (Codec) DecodeCommand(b []byte) (c Command, err error) { return c, json.Unmarshal(b, &c) }
