package score

import (
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Decide implements es.Machine.
func (s *State) Decide(now time.Time, command Command) ([]Event, error) {
	switch c := command.(type) {
	case CountGifts:
		return s.decideGifts(now, c)
	case ReadBattle:
		return s.decideRead(now, c)
	case Advance:
		return s.decideAdvance(now, c)
	default:
		panic(fmt.Sprintf("score: no decision for %T", command))
	}
}

// Evolve implements es.Machine.
func (s *State) Evolve(at es.Place, event Event) {
	switch e := event.(type) {
	case GiftDecided:
		s.gift(at, &e)
	case BattleRead:
		s.read.Set(e.Position)
	case LiveOpened:
		s.room(at, e.BattleID, e.LiveID, e)
	case BattleStarted:
		s.room(at, e.BattleID, e.LiveID, e)
	case LiveExtended:
		s.room(at, e.BattleID, e.LiveID, e)
	case LiveReopened:
		s.room(at, e.BattleID, e.LiveID, e)
		r, _ := s.open.Get(e.LiveID)
		r.board.touched = true
		s.touched = append(s.touched, r.board)
	case CloseScheduled:
		s.room(at, e.BattleID, e.LiveID, e)
		s.closes.Set(e.LiveID, e.At)
	case LiveClosed:
		s.room(at, e.BattleID, e.LiveID, e)
	case LiveTombstoned:
		s.room(at, e.BattleID, e.LiveID, e)
	case LiveVoided:
		s.room(at, e.BattleID, e.LiveID, e)
	case BattleSettled:
		s.room(at, e.BattleID, e.LiveID, e)
	case LiveReported:
		s.room(at, e.BattleID, e.LiveID, e)
	default:
		panic(fmt.Sprintf("score: no evolution for %T", event))
	}
}

// gift remembers a verdict and counts the points.
func (s *State) gift(at es.Place, e *GiftDecided) {
	key := giftKey{e.LiveID, e.Gift.EventID}
	receipt := Receipt{
		Points: e.Points, Hash: e.Gift.Hash, DecidedAt: at.At.UnixMilli(), Verdict: e.Verdict, Reason: e.Reason,
	}
	if e.BattleID != "" {
		r := s.roomOf(e.LiveID, e.BattleID)
		receipt.Opening = r.Opening
		key.live = r.LiveID // one string for all receipts of a live
		if e.Verdict == Counted && r.board != nil {
			if !r.board.touched {
				r.board.touched = true
				s.touched = append(s.touched, r.board)
			}
			r.board.count(at, e.Gift.Sender, e.Points)
		}
	}
	s.gifts.Set(key, receipt, at.At)
}

// roomOf returns the live's room in a battle that a gift of it can name: the open one, or the one closed last.
func (s *State) roomOf(liveID, battleID string) *Room {
	if r, ok := s.open.Get(liveID); ok && r.BattleID == battleID {
		return r
	}
	if r, ok := s.last.Get(liveID); ok && r.BattleID == battleID {
		return r
	}
	return &Room{Opening: &Opening{BattleID: battleID}, LiveID: liveID}
}

// room puts what becomes of a room in every place that knows it.
func (s *State) room(at es.Place, battleID, liveID string, e Event) {
	battle := s.battle(battleID)
	before := battle.Room(liveID)
	if _, again := e.(LiveReopened); again {
		before = s.withBoard(before)
	}
	r := before.after(at, e, s.set.Rules)
	wasOpen := before != nil && before.Phase == Open
	if wasOpen && r.Phase != Open {
		s.boards.Set(roomKey{battleID, liveID}, r.board, at.At)
		r.board = nil
		s.open.Delete(liveID)
		s.closes.Clear(liveID)
	}
	switch {
	case r.Phase == Open:
		s.open.Set(liveID, r)
	case wasOpen:
		s.last.Set(liveID, r, at.At)
	default:
		if last, ok := s.last.Get(liveID); ok && last.BattleID == battleID {
			s.last.Set(liveID, r, at.At)
		}
	}
	battle = battle.with(r)
	if battle.finished() {
		s.battles.Delete(battleID)
		s.past.Set(battleID, battle, at.At)
		s.finish(at.At, battleID)
	} else {
		s.battles.Set(battleID, battle)
	}
}

// withBoard returns a closed room with the board that it had, if that is not forgotten.
func (s *State) withBoard(r *Room) *Room {
	if r.board != nil {
		return r
	}
	with := *r
	with.board, _ = s.boards.Get(roomKey{r.BattleID, r.LiveID})
	return &with
}

// finish notes that a battle has finished, and forgets those that did so too long ago.
func (s *State) finish(at time.Time, battleID string) {
	recent := s.recent.Get()
	for len(recent) > 0 && at.Sub(recent[0].at) > s.set.KeepBoards {
		recent = recent[1:]
	}
	s.recent.Set(append(recent, finished{battleID, at}))
}
