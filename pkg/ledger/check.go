package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
)

// Checked is what a stored log was found to be.
type Checked struct {
	Log string `json:"log"`
	// First and Head are the sequences that it begins and ends with; 0 if it has no groups.
	First uint64 `json:"first"`
	Head  uint64 `json:"head"`
	// Chain is the SHA-256 of the last valid group, in hex.
	Chain   string `json:"chain"`
	Groups  int    `json:"groups"`
	Entries int    `json:"entries"`
	// Saved is the sequence of the saved head; 0 if there is none.
	Saved uint64 `json:"saved"`
	// Problems found, in the order of the log.
	Problems []string `json:"problems"`
}

// SavedHead returns the sequence of the head that was saved for a log, 0 if none was.
func SavedHead(ctx context.Context, name string, heads Heads) (uint64, error) {
	raw, _, err := heads.Load(ctx)
	if err != nil {
		return 0, fmt.Errorf("the head saved for %s: %w", name, err)
	}
	saved, err := decodeHead(name, raw)
	return saved.seq, err
}

// errRead ends a Tail at the sequence that was looked for.
var errRead = errors.New("read")

// Check reads a log from its first group to its head of this moment, as its replicas do, and compares it with the saved
// head, which may be nil. What is wrong with it is in the result; the error says why it could not be read.
func Check(ctx context.Context, name string, log Log, heads Heads) (Checked, error) {
	c := Checked{Log: name}
	var saved head
	if heads != nil {
		raw, _, err := heads.Load(ctx)
		if err != nil {
			return c, fmt.Errorf("the head saved for %s: %w", name, err)
		}
		if saved, err = decodeHead(name, raw); err != nil {
			c.problem(err)
		}
		c.Saved = saved.seq
	}
	end, err := log.Head(ctx)
	if err != nil {
		return c, err
	}
	if end < saved.seq {
		c.problem(fmt.Errorf("it ends at %d, but its saved head is at %d", end, saved.seq))
	}
	if end == 0 {
		return c, nil
	}
	links := new(chain)
	if b, ok := log.(Begun); ok {
		first, previous, err := b.Begin(ctx)
		if err != nil {
			return c, err
		}
		links.seq, links.hash = first-1, previous
	}
	c.First = links.seq + 1
	err = log.Tail(ctx, c.First, func(seq uint64, raw []byte) error {
		g, ok, err := readGroup(links, seq, raw, func(b []byte) (struct{}, error) { return struct{}{}, nil })
		if err != nil {
			return err
		}
		c.Head = seq
		if ok {
			c.Groups++
			c.Entries += len(g.Events)
		} else {
			c.problem(fmt.Errorf("group %d is void: it does not fit the chain", seq))
		}
		if seq == saved.seq {
			if err := saved.check(name, links.hash); err != nil {
				c.problem(err)
			}
		}
		if seq >= end {
			return errRead
		}
		return nil
	})
	c.Chain = hex.EncodeToString(links.hash[:])
	switch {
	case errors.Is(err, errRead):
		return c, nil
	case errors.Is(err, ErrLog):
		c.problem(err)
		return c, nil
	}
	return c, err
}

func (c *Checked) problem(err error) { c.Problems = append(c.Problems, err.Error()) }
