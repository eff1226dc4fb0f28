package score

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Phase is how far a live has come in a battle.
type Phase uint8

// Phases. Within Open, log time tells before start, counting and past the end.
const (
	Unknown Phase = iota
	Open
	Closed
	Tombstoned
	Void
)

// Opening is what all lives of a battle share. It never changes; an extended battle has another.
type Opening struct {
	BattleID         string
	StartsAt, EndsAt time.Time
	Rules            Rules
	Participants     []Participant
}

// Room is a live in a battle. A Room never changes; a changed copy takes its place.
type Room struct {
	*Opening
	LiveID string
	Phase  Phase
	// CloseAt is when the live closes by itself; zero if nothing is scheduled.
	CloseAt time.Time
	// Places of LiveOpened and LiveClosed.
	OpenedAt, ClosedAt es.Place
	// Started: the battle has gone on from the opening.
	Started bool
	// Plays: a tombstoned live takes part in the battle all the same.
	Plays bool
	// Reported: the battle service has the total, or does not wait for it any more.
	Reported bool
	// Settled: the battle has its result.
	Settled bool
	// Total, Gifts and Top once Closed.
	Total, Gifts int64
	Top          []Gifter
	// Rejoins is how often the live has been opened again.
	Rejoins int32

	board *board
}

// Host returns the host of the live.
func (r *Room) Host() User {
	for _, p := range r.Participants {
		if p.LiveID == r.LiveID {
			return p.Host
		}
	}
	return User{}
}

// finished rooms change no more.
func (r *Room) finished() bool {
	return r.Settled || r.Phase == Void || r.Phase == Tombstoned && !r.OwesTotal()
}

// OwesTotal reports whether the battle service waits for the total, which is final.
func (r *Room) OwesTotal() bool {
	final := r.Phase == Closed || r.Phase == Tombstoned && r.Plays
	return final && !r.Settled && !r.Reported
}

// after returns what becomes of a room by an event about it; r is nil for a live that the battle does not know yet.
func (r *Room) after(at es.Place, event Event, rules RuleBook) *Room {
	if r == nil {
		r = &Room{}
	}
	next := *r
	switch e := event.(type) {
	case LiveOpened:
		pinned, _ := rules(e.RuleSet)
		next = Room{
			Opening: &Opening{
				BattleID: e.BattleID, StartsAt: e.StartsAt, EndsAt: e.EndsAt, Rules: pinned, Participants: e.Participants,
			},
			LiveID: e.LiveID, Phase: Open, OpenedAt: at, board: &board{},
		}
	case BattleStarted:
		next.Started = true
	case LiveExtended:
		opening := *r.Opening
		opening.EndsAt = e.EndsAt
		next.Opening = &opening
	case LiveReopened:
		opening := *r.Opening
		opening.EndsAt = e.EndsAt
		next.Opening, next.Phase, next.ClosedAt, next.Rejoins, next.Reported = &opening, Open, es.Place{}, e.Rejoins, false
		next.Started = true // it may have been closed before the battle started, and missed that
		next.Total, next.Gifts, next.Top, next.board = 0, 0, nil, r.again()
	case CloseScheduled:
		next.CloseAt, next.Started = e.At, true
	case LiveClosed:
		next.Phase, next.ClosedAt, next.CloseAt = Closed, at, time.Time{}
		next.Total, next.Gifts, next.Top = e.Total, e.Gifts, e.Top
	case LiveTombstoned:
		next = Room{Opening: &Opening{BattleID: e.BattleID}, LiveID: e.LiveID, Phase: Tombstoned, Plays: e.Plays}
	case LiveVoided:
		next.Phase, next.CloseAt = Void, time.Time{}
	case BattleSettled:
		next.Settled = true
	case LiveReported:
		next.Reported = true
	}
	return &next
}

// again is the board of a closed room to count on with: one of its own, since that of a closed room never changes. If that is
// forgotten, of the gifters only the top ones are known.
func (r *Room) again() *board {
	if r.board != nil {
		return r.board.clone()
	}
	b := &board{}
	for i, g := range r.Top {
		b.users.Set(int32(i), g.User.ID)
		b.points.Set(g.User.ID, &g)
	}
	b.tally.Set(Tally{Total: r.Total, Gifts: r.Gifts, Seq: r.ClosedAt.Seq, Index: r.ClosedAt.Index, gifters: int32(len(r.Top))})
	return b
}

// Battle is a battle's rooms in this partition, by the order of their opening. It never changes.
type Battle struct {
	ID    string
	Rooms []*Room
}

// Room returns the live's room or nil.
func (b *Battle) Room(liveID string) *Room {
	if b == nil {
		return nil
	}
	for _, r := range b.Rooms {
		if r.LiveID == liveID {
			return r
		}
	}
	return nil
}

func (b *Battle) finished() bool {
	return !slices.ContainsFunc(b.Rooms, func(r *Room) bool { return !r.finished() })
}

// with returns the battle with the room put in or replaced.
func (b *Battle) with(room *Room) *Battle {
	next := &Battle{ID: room.BattleID}
	if b != nil {
		next.Rooms = slices.Clone(b.Rooms)
	}
	for i, r := range next.Rooms {
		if r.LiveID == room.LiveID {
			next.Rooms[i] = room
			return next
		}
	}
	next.Rooms = append(next.Rooms, room)
	return next
}
