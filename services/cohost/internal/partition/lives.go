package partition

import (
	"time"

	"github.com/tidwall/btree"
)

// activeLives is the set of the ids of active lives, in order.
type activeLives struct{ ids btree.Set[string] }

func (a *activeLives) add(id string)    { a.ids.Insert(id) }
func (a *activeLives) remove(id string) { a.ids.Delete(id) }

// after returns up to limit ids behind the given one, in order.
func (a *activeLives) after(id string, limit int) []string {
	var page []string
	a.ids.Ascend(id, func(next string) bool {
		if next != id {
			page = append(page, next)
		}
		return len(page) < limit
	})
	return page
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
