package score

import (
	"iter"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Settings of a partition. They may change from one run to the next: entries hold what was decided under the old ones.
type Settings struct {
	// Partition decides for the lives that hash to it, of Partitions.
	Partition, Partitions int
	// MaxAge is how old a gift may be, by its sent_at.
	MaxAge time.Duration
	// MaxAhead is how far a gift's sent_at may be ahead of log time.
	MaxAhead time.Duration
	// LateWindow is how long after the end of a battle gifts of its live are late whenever they were sent.
	LateWindow time.Duration
	// MaxIDs is how many gift events are remembered before new ones are refused.
	MaxIDs int
	// KeepBoards is how long the gifters of a closed live are remembered.
	KeepBoards time.Duration
	Rules      RuleBook
}

// keepBattles is how long finished battles are remembered at least.
const keepBattles = 24 * time.Hour

// State of one partition; see es.Machine.
type State struct {
	set Settings

	// read is how far the battle service's log has been read.
	read es.Value[Position]
	// battles that are not finished here, and past ones.
	battles es.Map[string, *Battle]
	past    *es.Window[string, *Battle]
	// open rooms by live, and by live the room that was closed last.
	open es.Map[string, *Room]
	last *es.Window[string, *Room]
	// closes that wait for their time, by live.
	closes es.Timers[string]
	// gifts decided, by identity.
	gifts *es.Window[giftKey, Receipt]
	// boards of closed rooms.
	boards *es.Window[roomKey, *board]
	// recent are the battles that finished here while their boards are kept, oldest first.
	recent es.Value[[]finished]

	touched []*board
	// frozen is what stands still for a snapshot.
	frozen []es.Freezable
}

type finished struct {
	battle string
	at     time.Time
}

type giftKey struct{ live, event string }

type roomKey struct{ battle, live string }

// Receipt is what is kept of a gift event.
type Receipt struct {
	Points    int64
	Hash      uint64
	DecidedAt int64 // Unix milliseconds
	// Opening of the battle that the gift counted or came too late for; nil when rejected outside battles.
	Opening *Opening
	Verdict Verdict
	Reason  Reason
}

// New makes the state of an empty log.
func New(set Settings) *State {
	// An id is forgotten only when every gift that could carry it is too old: it was sent at most MaxAhead after its
	// decision. The minute covers clocks that are slewed.
	ids := set.MaxAge + set.MaxAhead + time.Minute
	return &State{
		set:    set,
		past:   es.NewWindow[string, *Battle](max(keepBattles, ids)),
		last:   es.NewWindow[string, *Room](max(keepBattles, ids)),
		gifts:  es.NewWindow[giftKey, Receipt](ids),
		boards: es.NewWindow[roomKey, *board](set.KeepBoards),
	}
}

// battle returns a battle, overlay first.
func (s *State) battle(id string) *Battle {
	if b, ok := s.battles.Get(id); ok {
		return b
	}
	b, _ := s.past.Get(id)
	return b
}

// owns reports whether this partition decides for the live.
func (s *State) owns(liveID string) bool {
	return Partition(liveID, s.set.Partitions) == s.set.Partition
}

// Commit implements es.Machine.
func (s *State) Commit() {
	for _, b := range s.touched {
		b.commit()
	}
	s.touched = s.touched[:0]
	s.read.Commit()
	s.battles.Commit()
	s.past.Commit()
	s.open.Commit()
	s.last.Commit()
	s.closes.Commit()
	s.gifts.Commit()
	s.boards.Commit()
	s.recent.Commit()
}

// Discard implements es.Machine.
func (s *State) Discard() {
	for _, b := range s.touched {
		b.discard()
	}
	s.touched = s.touched[:0]
	s.read.Discard()
	s.battles.Discard()
	s.past.Discard()
	s.open.Discard()
	s.last.Discard()
	s.closes.Discard()
	s.gifts.Discard()
	s.boards.Discard()
	s.recent.Discard()
}

// Rules returns the rules of a version, nil if they are not known.
func (s *State) Rules(version string) Rules {
	r, _ := s.set.Rules(version)
	return r
}

// Closing returns how an open room would close now, overlay included; false if it is not open.
func (s *State) Closing(battleID, liveID string) (LiveClosed, bool) {
	r := s.battle(battleID).Room(liveID)
	if r == nil || r.Phase != Open {
		return LiveClosed{}, false
	}
	return closing(r), true
}

// What follows reads committed state.

// Read returns how far the battle service's log has been read.
func (s *State) Read() Position { return s.read.Committed() }

// IDs returns how many gift events are remembered.
func (s *State) IDs() int { return s.gifts.Len() }

// Gift returns the receipt of a gift event.
func (s *State) Gift(liveID, eventID string) (Receipt, bool) {
	return s.gifts.Committed(giftKey{liveID, eventID})
}

// Expects reports whether a new gift of the live seems to be one for a battle: to count, or to wait. Only a decision is certain.
func (s *State) Expects(liveID string, now time.Time) bool {
	r, ok := s.open.Committed(liveID)
	return ok && !now.Before(r.StartsAt)
}

// Voided reports whether a gift was counted for a battle that then never started, or was voided.
func (s *State) Voided(liveID string, r Receipt) bool {
	if r.Verdict != Counted {
		return false
	}
	room := s.Battle(r.Opening.BattleID).Room(liveID)
	return room != nil && room.Phase == Void
}

// Battle returns a battle that has rooms in this partition, or nil.
func (s *State) Battle(id string) *Battle {
	if b, ok := s.battles.Committed(id); ok {
		return b
	}
	b, _ := s.past.Committed(id)
	return b
}

// Pending reports whether a battle has rooms here of which something is still to come.
func (s *State) Pending(battleID string) bool {
	_, ok := s.battles.Committed(battleID)
	return ok
}

// Unfinished ranges over the battles that are not finished in this partition.
func (s *State) Unfinished() iter.Seq[*Battle] {
	return func(yield func(*Battle) bool) {
		for _, b := range s.battles.All() {
			if !yield(b) {
				return
			}
		}
	}
}

// Recent ranges over the battles that have finished in this partition not longer ago than boards are kept.
func (s *State) Recent() iter.Seq[*Battle] {
	return func(yield func(*Battle) bool) {
		for _, f := range s.recent.Committed() {
			if b := s.Battle(f.battle); b != nil && !yield(b) {
				return
			}
		}
	}
}

// Current returns the room that the live is open in, else the one that was closed last, else nil.
func (s *State) Current(liveID string) *Room {
	if r, ok := s.open.Committed(liveID); ok {
		return r
	}
	r, _ := s.last.Committed(liveID)
	return r
}

// Tally returns what a room has reached; for a closed one whose board is forgotten, by its closing.
func (s *State) Tally(r *Room) Tally {
	if b := s.board(r); b != nil {
		return b.tally.Committed()
	}
	return Tally{Total: r.Total, Gifts: r.Gifts}
}

// Gifters ranges over a room's gifters in no order; none when its board is forgotten.
func (s *State) Gifters(r *Room) iter.Seq[Gifter] {
	return func(yield func(Gifter) bool) {
		b := s.board(r)
		if b == nil {
			return
		}
		for _, g := range b.points.All() {
			if !yield(*g) {
				return
			}
		}
	}
}

// Gifter returns one gifter of a room.
func (s *State) Gifter(r *Room, userID string) (Gifter, bool) {
	if b := s.board(r); b != nil {
		if g, ok := b.points.Committed(userID); ok {
			return *g, true
		}
	}
	return Gifter{}, false
}

func (s *State) board(r *Room) *board {
	if r.board != nil {
		return r.board
	}
	b, _ := s.boards.Committed(roomKey{r.BattleID, r.LiveID})
	return b
}
