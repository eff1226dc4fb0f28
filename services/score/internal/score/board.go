package score

import (
	"cmp"
	"slices"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// MaxTop is how many gifters a LiveClosed names.
const MaxTop = 10

// Tally is what a live has reached in a battle.
type Tally struct {
	Total, Gifts int64
	// Last gift counted.
	Seq   uint64
	Index uint32

	gifters int32
}

// board counts one live in one battle. It has an overlay like es.Map.
type board struct {
	tally es.Value[Tally]
	// points by user id
	points es.Map[string, *Gifter]
	// users by the order of their first gift: the one way to range over the overlay too
	users es.Map[int32, string]

	touched bool
}

func (b *board) count(at es.Place, sender User, points int64) {
	t := b.tally.Get()
	t.Total += points
	t.Gifts++
	t.Seq, t.Index = at.Seq, at.Index
	next := &Gifter{User: sender, Points: points}
	if g, ok := b.points.Get(sender.ID); ok {
		next.Points += g.Points
	} else {
		b.users.Set(t.gifters, sender.ID)
		t.gifters++
	}
	b.points.Set(sender.ID, next)
	b.tally.Set(t)
}

// clone returns a board with the same, all of it in its overlay.
func (b *board) clone() *board {
	c := &board{}
	t := b.tally.Get()
	for i := range t.gifters {
		user, _ := b.users.Get(i)
		g, _ := b.points.Get(user)
		c.users.Set(i, user)
		c.points.Set(user, g)
	}
	c.tally.Set(t)
	return c
}

// top returns the best gifters, overlay included: by points, then user id.
func (b *board) top() []Gifter {
	var best []Gifter
	for i := range b.tally.Get().gifters {
		user, _ := b.users.Get(i)
		g, _ := b.points.Get(user)
		if len(best) == MaxTop && compareGifters(*g, best[MaxTop-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, *g, compareGifters)
		best = slices.Insert(best, at, *g)
		best = best[:min(len(best), MaxTop)]
	}
	return best
}

func compareGifters(a, b Gifter) int {
	return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.User.ID, b.User.ID))
}

func (b *board) commit() {
	b.tally.Commit()
	b.points.Commit()
	b.users.Commit()
	b.touched = false
}

func (b *board) discard() {
	b.tally.Discard()
	b.points.Discard()
	b.users.Discard()
	b.touched = false
}
