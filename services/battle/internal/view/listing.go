package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// stepSize is how many battles one step of a Listing looks at.
const stepSize = 1000

// Filter of a Listing; zero fields filter nothing.
type Filter struct {
	LiveID string
	Phase  battle.Phase
}

func (f Filter) matches(r *record) bool {
	return !r.forgotten && (f.Phase == 0 || r.battle.Phase == f.Phase)
}

// Listing gathers a page of battles, newest first, in steps: none holds up for long whoever waits for the lock.
type Listing struct {
	filter Filter
	size   int
	before es.Place // of what comes next; zero: from the newest on
	last   es.Place // of the page's last battle
	more   bool     // there is a battle for the next page
	page   []battle.Battle
}

// NewListing begins a page of up to size battles, of those that were requested before the one that the token of the page
// before names; from the newest on if it is empty. The error is a *es.Refusal.
func NewListing(f Filter, size int, token string) (*Listing, error) {
	l := &Listing{filter: f, size: size}
	if token == "" {
		return l, nil
	}
	seq, index, _ := strings.Cut(token, ".")
	a, errSeq := strconv.ParseUint(seq, 36, 64)
	b, errIndex := strconv.ParseUint(index, 36, 32)
	l.before = es.Place{Seq: a, Index: uint32(b)}
	if a == 0 || errSeq != nil || errIndex != nil || token != tokenOf(l.before) {
		return nil, es.Invalid("page_token", "is not one that this call has given")
	}
	return l, nil
}

// tokenOf is the token of the page that begins before a battle.
func tokenOf(at es.Place) string {
	return strconv.FormatUint(at.Seq, 36) + "." + strconv.FormatUint(uint64(at.Index), 36)
}

// Page is what was gathered, with the token of the next page, empty if this is the last one.
func (l *Listing) Page() (page []battle.Battle, token string) {
	if l.more {
		token = tokenOf(l.last)
	}
	return l.page, token
}

// Step looks at the next battles and reports whether the page is complete.
func (v *Battles) Step(l *Listing) (complete bool) {
	records := v.all
	if l.filter.LiveID != "" {
		records = v.byLive[l.filter.LiveID]
	}
	end := len(records)
	if l.before.Seq > 0 {
		end, _ = slices.BinarySearchFunc(records, l.before, func(r *record, at es.Place) int {
			switch {
			case r.place.Before(at):
				return -1
			case at.Before(r.place):
				return 1
			}
			return 0
		})
	}
	begin := max(end-stepSize, 0)
	for _, r := range slices.Backward(records[begin:end]) {
		l.before = r.place
		if !l.filter.matches(r) {
			continue
		}
		if len(l.page) == l.size {
			l.more = true
			return true
		}
		l.page = append(l.page, r.battle)
		l.last = r.place
	}
	return begin == 0
}
