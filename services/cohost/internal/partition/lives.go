package partition

import (
	"time"

	"github.com/tidwall/btree"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// activeLives are the ids of active lives, in order: of all, and of those that are in no connection, by kind.
type activeLives struct {
	all  btree.Set[string]
	free map[cohost.Kind]*btree.Set[string]
}

func newActiveLives() activeLives {
	return activeLives{free: map[cohost.Kind]*btree.Set[string]{cohost.Video: {}, cohost.Voice: {}}}
}

// place puts a live where it belongs, as it is now.
func (a *activeLives) place(live cohost.Live) {
	put(&a.all, live.ID, live.Active())
	for kind, free := range a.free {
		put(free, live.ID, live.Active() && live.ConnectionID == "" && live.Kind == kind)
	}
}

func put(set *btree.Set[string], id string, in bool) {
	if in {
		set.Insert(id)
	} else {
		set.Delete(id)
	}
}

// page returns up to limit lives behind the id after, in the order of their ids, of those of a set that pick gives. more:
// there are others behind them.
func page(set *btree.Set[string], after string, limit int, pick func(id string) (cohost.Live, bool)) (lives []cohost.Live, more bool) {
	set.Ascend(after, func(id string) bool {
		if id == after {
			return true
		}
		live, ok := pick(id)
		switch {
		case !ok:
		case len(lives) == limit:
			more = true
		default:
			lives = append(lives, live)
		}
		return !more
	})
	return lives, more
}

// endedLives remembers which lives ended when, so that what is kept for their readers can be let go of.
type endedLives struct {
	keep  time.Duration
	queue []endedLive // oldest first
}

type endedLive struct {
	id string
	at time.Time
}

func (e *endedLives) add(id string, at time.Time) {
	e.queue = append(e.queue, endedLive{id, at})
}

// outdated takes out the ids of lives that ended more than keep before now, twice over if a live ended twice.
func (e *endedLives) outdated(now time.Time) []string {
	var ids []string
	for len(e.queue) > 0 && now.Sub(e.queue[0].at) > e.keep {
		ids = append(ids, e.queue[0].id)
		e.queue = e.queue[1:]
	}
	return ids
}
