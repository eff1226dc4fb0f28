package check

import (
	"math"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// GiftID names a gift event.
type GiftID struct{ Live, Event string }

// Gift is one gift event that a caller sent, with the verdict it got.
type Gift struct {
	GiftID
	// Points that it is worth.
	Points  int64
	Log     string
	Window  Window
	Verdict *scorev1.GiftVerdict
}

// counted is a gift in a log.
type counted struct {
	*scorev1.Entry_GiftDecided
	seq uint64
}

// room is a live in a battle as a log SCORE_nn says.
type room struct {
	startsAt, endsAt int64
	open, closed     bool
	total            int64
	gifts            int64
	// from and until are the groups in which it opened, and in which it closed or became void; 0: not yet.
	from, until uint64
}

// counts reports whether gifts count at a log time, as long as the room is open.
func (r *room) counts(at int64) bool { return r.startsAt <= at && at < r.endsAt }

// scoreLogs are the logs SCORE_nn read.
type scoreLogs struct {
	gifts  map[GiftID]counted
	rooms  map[[2]string]*room // battle, live
	byLive map[string][]*room
	times  map[string][]int64 // by log: log time at the end of each group
}

func newScoreLogs() *scoreLogs {
	return &scoreLogs{
		gifts: make(map[GiftID]counted), rooms: make(map[[2]string]*room),
		byLive: make(map[string][]*room), times: make(map[string][]int64),
	}
}

// at is the log time that a log has reached with the group seq; the earliest if there is none.
func (s *scoreLogs) at(log string, seq uint64) int64 {
	times := s.times[log]
	if seq == 0 || len(times) == 0 {
		return math.MinInt64
	}
	return times[min(seq, uint64(len(times)))-1]
}

// readScore folds a log SCORE_nn: a gift is decided once, counted only while its live is open and within the battle's time,
// and a live closes with the sum of what was counted.
func readScore(f *Findings, into *scoreLogs, name string, groups [][]byte) {
	times := make([]int64, len(groups))
	defer func() {
		for i := 1; i < len(times); i++ {
			times[i] = max(times[i], times[i-1]) // groups without decisions have no time
		}
		into.times[name] = times
	}()
	for _, d := range readLog(f, name, groups, func() *scorev1.Entry { return new(scorev1.Entry) }) {
		times[d.seq-1] = d.at
		for _, entry := range d.entries {
			switch e := entry.GetEntry().(type) {
			case *scorev1.Entry_GiftDecided_:
				into.gift(f, name, d, e.GiftDecided)
			case *scorev1.Entry_LiveOpened_:
				o := e.LiveOpened
				key := [2]string{o.GetBattleId(), o.GetLiveId()}
				if into.rooms[key] != nil {
					f.add(Duplicated, "%s/%d: live %s of battle %s opens twice", name, d.seq, o.GetLiveId(), o.GetBattleId())
				}
				r := &room{startsAt: o.GetStartsAtMs(), endsAt: o.GetEndsAtMs(), open: true, from: d.seq}
				into.rooms[key] = r
				into.byLive[o.GetLiveId()] = append(into.byLive[o.GetLiveId()], r)
			case *scorev1.Entry_LiveClosed_:
				c := e.LiveClosed
				r := into.rooms[[2]string{c.GetBattleId(), c.GetLiveId()}]
				switch {
				case r == nil:
					f.add(Violation, "%s/%d: live %s of battle %s closes and was never open", name, d.seq, c.GetLiveId(), c.GetBattleId())
					continue
				case r.closed:
					f.add(Duplicated, "%s/%d: live %s of battle %s closes twice", name, d.seq, c.GetLiveId(), c.GetBattleId())
				case r.total != c.GetTotal() || r.gifts != c.GetGifts():
					f.add(Violation, "%s/%d: live %s of battle %s closes with %d points of %d gifts, counted are %d of %d",
						name, d.seq, c.GetLiveId(), c.GetBattleId(), c.GetTotal(), c.GetGifts(), r.total, r.gifts)
				}
				r.open, r.closed, r.until = false, true, d.seq
			case *scorev1.Entry_LiveVoided_:
				if r := into.rooms[[2]string{e.LiveVoided.GetBattleId(), e.LiveVoided.GetLiveId()}]; r != nil {
					r.open, r.until = false, d.seq
				}
			}
		}
	}
}

func (s *scoreLogs) gift(f *Findings, name string, d decision[*scorev1.Entry], g *scorev1.Entry_GiftDecided) {
	id := GiftID{g.GetLiveId(), g.GetEventId()}
	if first, again := s.gifts[id]; again {
		f.add(Duplicated, "%s/%d: gift %v was decided in group %d", name, d.seq, id, first.seq)
	}
	s.gifts[id] = counted{g, d.seq}
	if g.GetVerdict() != scorev1.GiftVerdict_COUNTED {
		if g.GetPoints() != 0 {
			f.add(Violation, "%s/%d: gift %v is %v with %d points", name, d.seq, id, g.GetVerdict(), g.GetPoints())
		}
		for _, r := range s.byLive[g.GetLiveId()] {
			if r.open && r.counts(d.at) && g.GetVerdict() == scorev1.GiftVerdict_LATE {
				f.add(Violation, "%s/%d: gift %v is late at %d, the battle takes %d to %d", name, d.seq, id, d.at, r.startsAt, r.endsAt)
			}
		}
		return
	}
	r := s.rooms[[2]string{g.GetBattleId(), g.GetLiveId()}]
	switch {
	case r == nil || !r.open:
		f.add(Violation, "%s/%d: gift %v is counted in battle %s, which is not open", name, d.seq, id, g.GetBattleId())
		return
	case !r.counts(d.at):
		f.add(Violation, "%s/%d: gift %v is counted at %d, the battle takes %d to %d", name, d.seq, id, d.at, r.startsAt, r.endsAt)
	}
	r.total += g.GetPoints()
	r.gifts++
}

// settled compares the settlements with the logs.
func (s *scoreLogs) settled(f *Findings, battle *battleLog) {
	for id, result := range battle.results {
		for _, l := range result.GetLives() {
			r := s.rooms[[2]string{id, l.GetLiveId()}]
			switch {
			case r == nil || !r.closed:
				f.add(Violation, "battle %s is settled and live %s was not closed", id, l.GetLiveId())
			case r.total != l.GetScore():
				f.add(Violation, "battle %s: live %s settles with %d points, counted are %d", id, l.GetLiveId(), l.GetScore(), r.total)
			}
		}
	}
}

// answered compares a verdict with the log.
func (s *scoreLogs) answered(f *Findings, g Gift) {
	v := g.Verdict
	logged, ok := s.gifts[g.GiftID]
	switch v.GetVerdict() {
	case scorev1.GiftVerdict_NO_BATTLE:
		if ok && logged.seq <= g.Window.Before {
			f.add(Violation, "gift %v: answered NO_BATTLE, the log has it as %v in group %d, before the call", g.GiftID, logged.GetVerdict(), logged.seq)
		}
		for _, r := range s.byLive[g.Live] {
			open := r.from <= g.Window.Before && (r.until == 0 || r.until > g.Window.After)
			if open && r.startsAt <= s.at(g.Log, g.Window.Before) {
				f.add(Violation, "gift %v: answered NO_BATTLE between %d and %d, while its live was open from %d to %d",
					g.GiftID, g.Window.Before, g.Window.After, r.from, r.until)
			}
		}
	case scorev1.GiftVerdict_DUPLICATE:
		if !ok || logged.seq > g.Window.After {
			f.add(Violation, "gift %v: answered DUPLICATE, the log has no such gift", g.GiftID)
		}
	default:
		switch {
		case !ok || logged.seq > g.Window.After:
			f.add(Lost, "gift %v: answered %v, not in the log", g.GiftID, v.GetVerdict())
		case logged.GetVerdict() != v.GetVerdict() || logged.GetPoints() != v.GetPoints() || logged.GetBattleId() != v.GetBattleId():
			f.add(Violation, "gift %v: answered %v with %d points, the log says %v with %d", g.GiftID, v.GetVerdict(), v.GetPoints(), logged.GetVerdict(), logged.GetPoints())
		case v.GetVerdict() == scorev1.GiftVerdict_COUNTED && v.GetPoints() != g.Points:
			f.add(Violation, "gift %v: counted with %d points, it is worth %d", g.GiftID, v.GetPoints(), g.Points)
		}
	}
}
