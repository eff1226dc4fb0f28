package score

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Piece is a part of committed state. All pieces together are all of it; what follows from others is none.
type Piece interface{ isPiece() }

// Window names what is forgotten by time.
type Window int

// Windows.
const (
	PastBattles Window = iota + 1
	LastRooms
	DecidedGifts
	ClosedBoards
)

type (
	// KeptRead is how far the battle service's log has been read.
	KeptRead struct{ Position }
	// KeptPart begins a part of a window: what is forgotten together, oldest first.
	KeptPart struct {
		Window      Window
		Start, Last time.Time
		Len         int
	}
	// KeptBattle is a battle that is not finished here. Its open rooms are those of their lives.
	KeptBattle struct{ Battle *Battle }
	// KeptPast is a battle that is finished here.
	KeptPast struct {
		Part   int // the oldest being 0, here and below
		Battle *Battle
	}
	// KeptRecent is a battle that finished here not long ago; they come in that order.
	KeptRecent struct {
		BattleID string
		At       time.Time
	}
	// KeptLast is the room that a live was in last.
	KeptLast struct {
		Part             int
		BattleID, LiveID string
		// Room is nil if it is the one that the battle has.
		Room *Room
	}
	// KeptOpening is that of a room of which nothing is left but gifts.
	KeptOpening struct {
		LiveID  string
		Opening *Opening
	}
	// KeptGifts are gift events; their Receipt's Opening is left out, and found by BattleID.
	KeptGifts struct {
		Part  int
		Gifts []KeptGift
	}
	// KeptBoard is what a room has counted, but for who gave.
	KeptBoard struct {
		// Open: the room's own; Part says nothing.
		Open             bool
		Part             int
		BattleID, LiveID string
		Tally            Tally
	}
	// KeptGifters gave to a room, whose board came before.
	KeptGifters struct {
		BattleID, LiveID string
		Gifters          []Gifter
	}
)

// KeptGift is one gift event.
type KeptGift struct {
	LiveID, EventID string
	// BattleID of the opening; empty without one.
	BattleID string
	Receipt  Receipt
}

func (KeptRead) isPiece()    {}
func (KeptPart) isPiece()    {}
func (KeptBattle) isPiece()  {}
func (KeptPast) isPiece()    {}
func (KeptRecent) isPiece()  {}
func (KeptLast) isPiece()    {}
func (KeptOpening) isPiece() {}
func (KeptGifts) isPiece()   {}
func (KeptBoard) isPiece()   {}
func (KeptGifters) isPiece() {}

// Pieces has one of each kind.
var Pieces = []Piece{
	KeptRead{}, KeptPart{}, KeptBattle{}, KeptPast{}, KeptRecent{}, KeptLast{}, KeptOpening{}, KeptGifts{}, KeptBoard{}, KeptGifters{},
}

// pieceLen is how many gifts or gifters a piece has at most.
const pieceLen = 512

// frozenState is committed state at one moment.
type frozenState struct {
	read     Position
	recent   []finished
	battles  iter.Seq2[string, *Battle]
	past     []es.Part[string, *Battle]
	last     []es.Part[string, *Room]
	gifts    []es.Part[giftKey, Receipt]
	boards   []es.Part[roomKey, *board]
	open     []frozenBoard
	openings map[roomKey]*Opening
	rooms    map[roomKey]*Room
}

// frozenBoard is the board of an open room at one moment; that of a closed one never changes.
type frozenBoard struct {
	room   *Room
	tally  Tally
	points iter.Seq2[string, *Gifter]
}

// Freeze has committed state stand still until Thaw is done, and ranges over it. Whoever does needs no lock. A piece is
// not to be kept: the next one may overwrite it.
func (s *State) Freeze() iter.Seq[Piece] {
	f := &frozenState{
		read: s.read.Committed(), recent: s.recent.Committed(), battles: s.battles.Freeze(), past: s.past.Freeze(),
		last: s.last.Freeze(), gifts: s.gifts.Freeze(), boards: s.boards.Freeze(),
		openings: make(map[roomKey]*Opening), rooms: make(map[roomKey]*Room),
	}
	s.frozen = []es.Freezable{&s.battles, s.past, s.last, s.gifts, s.boards}
	for _, r := range s.open.All() {
		f.open = append(f.open, frozenBoard{r, r.board.tally.Committed(), r.board.points.Freeze()})
		s.frozen = append(s.frozen, &r.board.points)
	}
	return func(yield func(Piece) bool) {
		for _, part := range []func(func(Piece) bool) bool{f.yieldBattles, f.yieldLast, f.yieldGifts, f.yieldBoards} {
			if !part(yield) {
				return
			}
		}
	}
}

// Thaw lets state change again; see es.Thaw.
func (s *State) Thaw() (done bool) {
	if done = es.Thaw(s.frozen...); done {
		s.frozen = nil
	}
	return done
}

func (f *frozenState) yieldBattles(yield func(Piece) bool) bool {
	if !yield(KeptRead{f.read}) {
		return false
	}
	for _, r := range f.recent {
		if !yield(KeptRecent{r.battle, r.at}) {
			return false
		}
	}
	for i, part := range f.past {
		if !yield(KeptPart{PastBattles, part.Start, part.Last, part.Len}) {
			return false
		}
		for _, b := range part.Values {
			f.know(b)
			if !yield(KeptPast{i, b}) {
				return false
			}
		}
	}
	for _, b := range f.battles { // after the past ones: what they have is newer
		f.know(b)
		if !yield(KeptBattle{b}) {
			return false
		}
	}
	return true
}

// know remembers the rooms of a battle, so that others who share them can name them.
func (f *frozenState) know(b *Battle) {
	for _, r := range b.Rooms {
		k := roomKey{b.ID, r.LiveID}
		f.rooms[k], f.openings[k] = r, r.Opening
	}
}

func (f *frozenState) yieldLast(yield func(Piece) bool) bool {
	for i, part := range f.last {
		if !yield(KeptPart{LastRooms, part.Start, part.Last, part.Len}) {
			return false
		}
		for live, r := range part.Values {
			k := roomKey{r.BattleID, live}
			piece := KeptLast{Part: i, BattleID: k.battle, LiveID: live}
			if f.rooms[k] != r {
				piece.Room = r
			}
			if f.openings[k] == nil {
				f.openings[k] = r.Opening
			}
			if !yield(piece) {
				return false
			}
		}
	}
	return true
}

func (f *frozenState) yieldGifts(yield func(Piece) bool) bool {
	gifts := make([]KeptGift, 0, pieceLen)
	for i, part := range f.gifts {
		if !yield(KeptPart{DecidedGifts, part.Start, part.Last, part.Len}) {
			return false
		}
		for k, receipt := range part.Values {
			g := KeptGift{LiveID: k.live, EventID: k.event, Receipt: receipt}
			if o := receipt.Opening; o != nil {
				g.BattleID, g.Receipt.Opening = o.BattleID, nil
				if known := (roomKey{o.BattleID, k.live}); f.openings[known] == nil {
					f.openings[known] = o
					if !yield(KeptOpening{k.live, o}) {
						return false
					}
				}
			}
			if gifts = append(gifts, g); len(gifts) == pieceLen {
				if !yield(KeptGifts{i, gifts}) {
					return false
				}
				gifts = gifts[:0]
			}
		}
		if len(gifts) > 0 && !yield(KeptGifts{i, gifts}) {
			return false
		}
		gifts = gifts[:0]
	}
	return true
}

func (f *frozenState) yieldBoards(yield func(Piece) bool) bool {
	for _, b := range f.open {
		k := roomKey{b.room.BattleID, b.room.LiveID}
		if !yield(KeptBoard{Open: true, BattleID: k.battle, LiveID: k.live, Tally: b.tally}) || !yieldGifters(k, b.points, yield) {
			return false
		}
	}
	for i, part := range f.boards {
		if !yield(KeptPart{ClosedBoards, part.Start, part.Last, part.Len}) {
			return false
		}
		for k, b := range part.Values {
			piece := KeptBoard{Part: i, BattleID: k.battle, LiveID: k.live, Tally: b.tally.Committed()}
			if !yield(piece) || !yieldGifters(k, b.points.All(), yield) {
				return false
			}
		}
	}
	return true
}

func yieldGifters(k roomKey, points iter.Seq2[string, *Gifter], yield func(Piece) bool) bool {
	var gifters []Gifter
	for _, g := range points {
		if gifters = append(gifters, *g); len(gifters) == pieceLen {
			if !yield(KeptGifters{k.battle, k.live, gifters}) {
				return false
			}
			gifters = gifters[:0]
		}
	}
	return len(gifters) == 0 || yield(KeptGifters{k.battle, k.live, gifters})
}

// Restoring makes the state that pieces were taken from, in the order in which Freeze gives them. What was shared is shared
// again.
type Restoring struct {
	state    *State
	rooms    map[roomKey]*Room
	openings map[roomKey]knownOpening
	boards   map[roomKey]*board
}

// knownOpening is an opening with the one string that all receipts of its live share.
type knownOpening struct {
	*Opening
	live string
}

// Restore begins to make a state with the same settings.
func (s *State) Restore() *Restoring {
	return &Restoring{
		state: New(s.set), rooms: make(map[roomKey]*Room), openings: make(map[roomKey]knownOpening), boards: make(map[roomKey]*board),
	}
}

// Become makes a restored state, which is not used any more, committed state.
func (s *State) Become(restored *Restoring) { *s = *restored.state }

// Add puts a piece into the state.
func (x *Restoring) Add(piece Piece) error {
	s := x.state
	ok := true
	switch p := piece.(type) {
	case KeptRead:
		s.read.Set(p.Position)
		s.read.Commit()
	case KeptPart:
		return x.part(p)
	case KeptBattle:
		s.battles.Restore(p.Battle.ID, p.Battle)
		x.know(p.Battle)
		for _, r := range p.Battle.Rooms {
			x.open(r)
		}
	case KeptPast:
		ok = s.past.Restore(p.Part, p.Battle.ID, p.Battle)
		x.know(p.Battle)
	case KeptRecent:
		s.recent.Set(append(s.recent.Get(), finished{p.BattleID, p.At}))
		s.recent.Commit()
	case KeptLast:
		return x.last(p)
	case KeptOpening:
		x.openings[roomKey{p.Opening.BattleID, p.LiveID}] = knownOpening{p.Opening, p.LiveID}
	case KeptGifts:
		return x.gifts(p)
	case KeptBoard:
		ok = x.board(p)
	case KeptGifters:
		ok = x.gifters(p)
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("no place for %T %+v", piece, piece)
	}
	return nil
}

func (x *Restoring) part(p KeptPart) error {
	switch p.Window {
	case PastBattles:
		x.state.past.RestorePart(p.Start, p.Last, p.Len)
	case LastRooms:
		x.state.last.RestorePart(p.Start, p.Last, p.Len)
	case DecidedGifts:
		x.state.gifts.RestorePart(p.Start, p.Last, p.Len)
	case ClosedBoards:
		x.state.boards.RestorePart(p.Start, p.Last, p.Len)
	default:
		return fmt.Errorf("there is no window %d", p.Window)
	}
	return nil
}

func (x *Restoring) know(b *Battle) {
	for _, r := range b.Rooms {
		k := roomKey{b.ID, r.LiveID}
		x.rooms[k], x.openings[k] = r, knownOpening{r.Opening, r.LiveID}
	}
}

// open restores what follows from a room that is open.
func (x *Restoring) open(r *Room) {
	if r.Phase != Open {
		return
	}
	r.board = &board{}
	x.boards[roomKey{r.BattleID, r.LiveID}] = r.board
	x.state.open.Restore(r.LiveID, r)
	if !r.CloseAt.IsZero() {
		x.state.closes.Restore(r.LiveID, r.CloseAt)
	}
}

func (x *Restoring) last(p KeptLast) error {
	k := roomKey{p.BattleID, p.LiveID}
	r := p.Room
	if r == nil {
		r = x.rooms[k]
	}
	if r == nil || !x.state.last.Restore(p.Part, p.LiveID, r) {
		return fmt.Errorf("no place for the last room of live %s, in battle %s", p.LiveID, p.BattleID)
	}
	if _, ok := x.openings[k]; !ok {
		x.openings[k] = knownOpening{r.Opening, r.LiveID}
	}
	return nil
}

func (x *Restoring) gifts(p KeptGifts) error {
	for _, g := range p.Gifts {
		key := giftKey{g.LiveID, g.EventID}
		if g.BattleID != "" {
			o, ok := x.openings[roomKey{g.BattleID, g.LiveID}]
			if !ok {
				return fmt.Errorf("gift %s of live %s is for battle %s, which there is not", g.EventID, g.LiveID, g.BattleID)
			}
			key.live, g.Receipt.Opening = o.live, o.Opening
		}
		if !x.state.gifts.Restore(p.Part, key, g.Receipt) {
			return fmt.Errorf("no place for gift %s in part %d", g.EventID, p.Part)
		}
	}
	return nil
}

func (x *Restoring) board(p KeptBoard) bool {
	k := roomKey{p.BattleID, p.LiveID}
	b := x.boards[k]
	if !p.Open {
		b = &board{}
		x.boards[k] = b
		if !x.state.boards.Restore(p.Part, k, b) {
			return false
		}
	}
	if b == nil {
		return false
	}
	b.tally.Set(p.Tally)
	b.tally.Commit()
	return true
}

// gifters come in no order: that of their first gifts does not matter but for ranging over them.
func (x *Restoring) gifters(p KeptGifters) bool {
	b := x.boards[roomKey{p.BattleID, p.LiveID}]
	if b == nil {
		return false
	}
	for _, g := range slices.Clone(p.Gifters) {
		b.users.Restore(int32(b.users.Len()), g.User.ID)
		b.points.Restore(g.User.ID, &g)
	}
	t := b.tally.Committed()
	t.gifters = int32(b.users.Len())
	b.tally.Set(t)
	b.tally.Commit()
	return true
}
