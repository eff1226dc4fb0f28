package check

import (
	"fmt"
	"math"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// What the score service is set to, in ms.
const (
	maxAge     = 24 * 60 * 60 * 1000
	maxAhead   = 5 * 60 * 1000
	lateWindow = 10_000
)

// GiftID names a gift event.
type GiftID struct{ Live, Event string }

// Gift is one gift event that a caller sent, with the verdict it got.
type Gift struct {
	GiftID
	// Points that it is worth.
	Points int64
	Log    string
	// Window in Log of the call that gave the verdict; Battle is the head of BATTLE_00 when that began.
	Window  Window
	Battle  uint64
	Verdict *scorev1.GiftVerdict
	// Sent is what was sent; nil if that was not kept.
	Sent *scorev1.GiftEvent
}

// counted is a gift in a log.
type counted struct {
	*scorev1.Entry_GiftDecided
	log string
	seq uint64
}

// room is a live in a battle as a log SCORE_nn says.
type room struct {
	log              string
	battle, live     string
	host             string
	startsAt, endsAt int64
	open, closed     bool
	void, tombstone  bool
	// Groups in which it opened, or got a tombstone instead, and stopped being open.
	from, to uint64
	// before are the times in which it was open before it last was.
	before  []Window
	rejoins int32
	total   int64
	gifts   int64
	gifters map[string]int64
	chain   []byte // of the group in which it closed: the hash of the one before
	steps   []step
}

// step is what a live has reached after a group of its log.
type step struct {
	seq   uint64
	total int64
}

// scoreLogs are the logs SCORE_nn read.
type scoreLogs struct {
	f      *Findings
	battle *battleLog
	gifts  map[GiftID]counted
	rooms  map[[2]string]*room // battle, live
	lives  map[string][]*room  // of each live, in the order in which they opened, again if they did
	times  map[string][]state[int64]
}

func newScoreLogs(f *Findings, battle *battleLog) *scoreLogs {
	return &scoreLogs{
		f: f, battle: battle, gifts: map[GiftID]counted{}, rooms: map[[2]string]*room{}, lives: map[string][]*room{}, times: map[string][]state[int64]{},
	}
}

// last is the room that a live opened last, nil if there is none.
func (s *scoreLogs) last(live string) *room {
	for _, r := range slices.Backward(s.lives[live]) {
		if !r.tombstone {
			return r
		}
	}
	return nil
}

// openRoom is the room in which a live is open, or nil.
func (s *scoreLogs) openRoom(live string) *room {
	for _, r := range s.lives[live] {
		if r.open {
			return r
		}
	}
	return nil
}

// readLog folds a log SCORE_nn: BATTLE_00 is read once and in order, and lives open and close as it says; a gift is decided
// once, counted only while its live is open and within the battle's time, and only then; a live closes with the sum of what
// was counted.
func (s *scoreLogs) readLog(name string, groups [][]byte) {
	var read [2]uint64 // sequence, and entries of it; 0: all
	s.times[name] = []state[int64]{{}}
	var lives []string
	for _, d := range readLog(s.f, name, groups, func() *scorev1.Entry { return new(scorev1.Entry) }) {
		s.times[name] = append(s.times[name], state[int64]{d.seq, d.at})
		wrong := func(c Class, format string, args ...any) {
			s.f.add(c, "%s/%d: "+format, append([]any{name, d.seq}, args...)...)
		}
		before := read
		for _, entry := range d.entries {
			switch e := entry.GetEntry().(type) {
			case *scorev1.Entry_GiftDecided_:
				s.gift(name, d, e.GiftDecided, wrong)
			case *scorev1.Entry_BattleRead_:
				now := [2]uint64{e.BattleRead.GetSequence(), uint64(e.BattleRead.GetEntries())}
				if now[0] < read[0] || now[0] == read[0] && (read[1] == 0 || now[1] > 0 && now[1] <= read[1]) {
					wrong(Duplicated, "%v of BATTLE_00 is read after %v", now, read)
				}
				read = now
			case *scorev1.Entry_LiveOpened_:
				s.opened(name, d.seq, read[0], e.LiveOpened, wrong)
				lives = append(lives, e.LiveOpened.GetLiveId())
			case *scorev1.Entry_LiveExtended_:
				x := e.LiveExtended
				if r := s.rooms[[2]string{x.GetBattleId(), x.GetLiveId()}]; r == nil || !r.open || x.GetEndsAtMs() <= r.endsAt || s.battle.endAt(x.GetBattleId(), read[0]) < x.GetEndsAtMs() {
					wrong(Violation, "live %s of battle %s is extended to %d: %+v", x.GetLiveId(), x.GetBattleId(), x.GetEndsAtMs(), r)
				} else {
					r.endsAt = x.GetEndsAtMs()
				}
			case *scorev1.Entry_LiveReopened_:
				s.reopened(d, read, e.LiveReopened, wrong)
			case *scorev1.Entry_LiveTombstoned_:
				s.tombstoned(name, d.seq, e.LiveTombstoned, wrong)
			case *scorev1.Entry_LiveClosed_:
				s.closed(d, read, e.LiveClosed, wrong)
			case *scorev1.Entry_LiveVoided_:
				if r := s.rooms[[2]string{e.LiveVoided.GetBattleId(), e.LiveVoided.GetLiveId()}]; r != nil {
					if r.open {
						r.to = d.seq
					}
					r.open, r.void = false, true
				}
			}
		}
		if read == before {
			continue
		}
		for _, live := range lives {
			r := s.openRoom(live)
			if r == nil {
				continue
			}
			if gone, exit := out(s.battle.exits[[2]string{r.battle, live}], read[0], read[1] == 0); gone {
				wrong(Violation, "live %s has left battle %s in BATTLE_00/%d and is still open", live, r.battle, exit)
			}
		}
	}
	s.void(name, read[0])
}

// void checks that nothing counts for a battle without a result, once a log has read that it ended so; read is how far it has.
func (s *scoreLogs) void(log string, read uint64) {
	for key, r := range s.rooms {
		if end := s.battle.over[key[0]]; r.log == log && !r.tombstone && !r.void && end > 0 && end < read && s.battle.results[key[0]] == nil {
			s.f.add(Violation, "%s: battle %s ended in BATTLE_00/%d without a result, and live %s still counts for it", log, key[0], end, key[1])
		}
	}
}

func (s *scoreLogs) put(r *room, wrong func(Class, string, ...any)) {
	key := [2]string{r.battle, r.live}
	if s.rooms[key] != nil {
		wrong(Duplicated, "live %s of battle %s opens twice", r.live, r.battle)
	}
	if other := s.openRoom(r.live); other != nil && r.open {
		wrong(Violation, "live %s opens in battle %s and is open in battle %s", r.live, r.battle, other.battle)
	}
	s.rooms[key] = r
	s.lives[r.live] = append(s.lives[r.live], r)
}

func (s *scoreLogs) opened(log string, seq, read uint64, o *scorev1.Entry_LiveOpened, wrong func(Class, string, ...any)) {
	s.put(&room{
		log: log, battle: o.GetBattleId(), live: o.GetLiveId(), host: host(o.GetParticipants(), o.GetLiveId()), startsAt: o.GetStartsAtMs(), endsAt: o.GetEndsAtMs(), open: true,
		from: seq, gifters: map[string]int64{}, steps: []step{{seq, 0}},
	}, wrong)
	x := s.battle.starts[o.GetBattleId()]
	if x.seq == 0 || x.seq > read || x.GetStartsAtMs() != o.GetStartsAtMs() || x.GetEndsAtMs() != o.GetEndsAtMs() || !plays(x, o.GetLiveId()) {
		wrong(Violation, "live %s opens in battle %s from %d to %d; BATTLE_00 was read to %d and says %v", o.GetLiveId(), o.GetBattleId(), o.GetStartsAtMs(), o.GetEndsAtMs(), read, x)
	}
}

// tombstoned: a live that was to close, or cannot open, opens no more. If it plays, it settles with 0.
func (s *scoreLogs) tombstoned(log string, seq uint64, t *scorev1.Entry_LiveTombstoned, wrong func(Class, string, ...any)) {
	participants := s.battle.starts[t.GetBattleId()].GetParticipants()
	s.put(&room{
		log: log, battle: t.GetBattleId(), live: t.GetLiveId(), host: host(participants, t.GetLiveId()), closed: t.GetPlays(), tombstone: true, from: seq, to: seq,
	}, wrong)
}

func host(participants []*battlev1.Entry_Participant, live string) string {
	for _, p := range participants {
		if p.GetLiveId() == live {
			return p.GetHost().GetUserId()
		}
	}
	return ""
}

func plays(x start, live string) bool {
	return slices.ContainsFunc(x.GetParticipants(), func(p *battlev1.Entry_Participant) bool { return p.GetLiveId() == live })
}

func (s *scoreLogs) closed(d decision[*scorev1.Entry], read [2]uint64, c *scorev1.Entry_LiveClosed, wrong func(Class, string, ...any)) {
	key := [2]string{c.GetBattleId(), c.GetLiveId()}
	r := s.rooms[key]
	switch {
	case r == nil:
		wrong(Violation, "live %s of battle %s closes and was never open", c.GetLiveId(), c.GetBattleId())
		return
	case r.closed:
		wrong(Duplicated, "live %s of battle %s closes twice", c.GetLiveId(), c.GetBattleId())
	case r.total != c.GetTotal() || r.gifts != c.GetGifts():
		wrong(Violation, "live %s of battle %s closes with %d points of %d gifts, counted are %d of %d", c.GetLiveId(), c.GetBattleId(), c.GetTotal(), c.GetGifts(), r.total, r.gifts)
	case s.battle.endings[c.GetBattleId()] == battlev1.Battle_TIME_OVER && !s.battle.exited(key, r.rejoins, read[0]):
		if end := s.battle.endAt(c.GetBattleId(), math.MaxUint64); d.at < end || r.endsAt != end {
			wrong(Violation, "live %s of battle %s closes at %d, its time is over at %d, counted was until %d", c.GetLiveId(), c.GetBattleId(), d.at, end, r.endsAt)
		}
	}
	r.open, r.closed, r.to, r.chain = false, true, d.seq, d.previous
}

// reopened: a live that had closed opens again as BATTLE_00 says, and counts on.
func (s *scoreLogs) reopened(d decision[*scorev1.Entry], read [2]uint64, e *scorev1.Entry_LiveReopened, wrong func(Class, string, ...any)) {
	key := [2]string{e.GetBattleId(), e.GetLiveId()}
	r := s.rooms[key]
	if r == nil || !r.closed || r.void || r.tombstone {
		wrong(Violation, "live %s of battle %s opens again: %+v", e.GetLiveId(), e.GetBattleId(), r)
		return
	}
	if other := s.openRoom(r.live); other != nil {
		wrong(Violation, "live %s opens again in battle %s and is open in battle %s", r.live, r.battle, other.battle)
	}
	told := false
	for _, x := range s.battle.exits[key] {
		told = told || x.back != nil && x.seq <= read[0] && x.back.GetRejoins() == e.GetRejoins() && x.back.GetEndsAtMs() == e.GetEndsAtMs()
	}
	if !told || e.GetRejoins() <= r.rejoins {
		wrong(Violation, "live %s of battle %s opens again, after it did %d times; BATTLE_00 was read to %d and does not say so: %v", r.live, r.battle, r.rejoins, read[0], e)
	}
	s.lives[r.live] = append(slices.DeleteFunc(s.lives[r.live], func(x *room) bool { return x == r }), r)
	r.before = append(r.before, Window{r.from, r.to})
	r.from, r.to, r.open, r.closed, r.chain = d.seq, 0, true, false, nil
	r.rejoins, r.endsAt = e.GetRejoins(), e.GetEndsAtMs()
}

func (s *scoreLogs) gift(log string, d decision[*scorev1.Entry], g *scorev1.Entry_GiftDecided, wrong func(Class, string, ...any)) {
	id := GiftID{g.GetLiveId(), g.GetEventId()}
	if first, again := s.gifts[id]; again {
		wrong(Duplicated, "gift %v was decided in group %d", id, first.seq)
	}
	s.gifts[id] = counted{g, log, d.seq}
	if why := s.wrong(d.at, g); why != "" {
		wrong(Violation, "gift %v is %v %s", id, g.GetVerdict(), why)
	}
	open := s.openRoom(id.Live)
	if g.GetVerdict() != scorev1.GiftVerdict_COUNTED {
		if g.GetPoints() != 0 {
			wrong(Violation, "gift %v is %v with %d points", id, g.GetVerdict(), g.GetPoints())
		}
		return
	}
	switch {
	case open == nil || open.battle != g.GetBattleId():
		wrong(Violation, "gift %v is counted in battle %s, which is not open", id, g.GetBattleId())
		return
	case d.at < open.startsAt || d.at >= open.endsAt:
		wrong(Violation, "gift %v is counted at %d, the battle takes %d to %d", id, d.at, open.startsAt, open.endsAt)
	}
	open.total += g.GetPoints()
	open.gifts++
	open.gifters[g.GetSender().GetUserId()] += g.GetPoints()
	if last := len(open.steps) - 1; open.steps[last].seq == d.seq {
		open.steps[last].total = open.total
	} else {
		open.steps = append(open.steps, step{d.seq, open.total})
	}
}

// wrong says why a verdict is not the one that the log and the gift's time call for.
func (s *scoreLogs) wrong(at int64, g *scorev1.Entry_GiftDecided) string {
	v, r := g.GetVerdict(), s.last(g.GetLiveId())
	rejected := v == scorev1.GiftVerdict_REJECTED
	switch old := at - g.GetSentAtMs(); {
	case old > maxAge:
		if !rejected || g.GetReason() != "TOO_OLD" {
			return fmt.Sprintf("%s, sent %d ms ago", g.GetReason(), old)
		}
	case -old > maxAhead:
		if !rejected || g.GetReason() != "INVALID_ARGUMENT" {
			return fmt.Sprintf("%s, sent %d ms ahead", g.GetReason(), -old)
		}
	case rejected:
		if g.GetReason() != "OVERFLOW" || r == nil || !r.open || !overflows(r.total, g) {
			return "for " + g.GetReason() + ", which it is not"
		}
	case v == scorev1.GiftVerdict_LATE:
		switch {
		case r != nil && r.open:
			return "while its live is open in battle " + r.battle
		case r == nil || r.battle != g.GetBattleId() || !r.closed || r.void:
			return "for battle " + g.GetBattleId() + ", which has not closed last"
		case g.GetSentAtMs() >= r.endsAt && at >= r.endsAt+lateWindow:
			return fmt.Sprintf("for a battle that ended %d ms before", at-r.endsAt)
		}
	case v != scorev1.GiftVerdict_COUNTED:
		return "in the log"
	}
	return ""
}

// answered compares a verdict with the log.
func (s *scoreLogs) answered(g Gift) {
	v := g.Verdict
	logged, ok := s.gifts[g.GiftID]
	same := !ok || g.Sent == nil || samePayload(logged.Entry_GiftDecided, g.Sent)
	switch v.GetVerdict() {
	case scorev1.GiftVerdict_NO_BATTLE:
		s.noBattle(g)
	case scorev1.GiftVerdict_DUPLICATE:
		switch {
		case !ok || logged.seq > g.Window.After:
			s.f.add(Violation, "gift %v: answered DUPLICATE, the log has no such gift", g.GiftID)
		case g.Sent != nil && same:
			s.f.add(Violation, "gift %v: answered DUPLICATE, and it is the gift that the log has", g.GiftID)
		}
	default:
		switch {
		case !ok || logged.seq > g.Window.After:
			s.f.add(Lost, "gift %v: answered %v, not in the log", g.GiftID, v.GetVerdict())
		case !same:
			s.f.add(Violation, "gift %v: answered %v for another gift than the log has", g.GiftID, v.GetVerdict())
		case logged.GetVerdict() != v.GetVerdict() || logged.GetPoints() != v.GetPoints() || logged.GetBattleId() != v.GetBattleId():
			s.f.add(Violation, "gift %v: answered %v with %d points, the log says %v with %d", g.GiftID, v.GetVerdict(), v.GetPoints(), logged.GetVerdict(), logged.GetPoints())
		case v.GetVerdict() == scorev1.GiftVerdict_COUNTED && v.GetPoints() != g.Points:
			s.f.add(Violation, "gift %v: counted with %d points, it is worth %d", g.GiftID, v.GetPoints(), g.Points)
		case v.GetVerdict() == scorev1.GiftVerdict_LATE && !v.GetDuplicate():
			if id, seq := s.unread(g, logged.seq); id != "" {
				s.f.add(Violation, "gift %v: answered LATE in group %d, BATTLE_00/%d, read before the call, has its live in battle %s", g.GiftID, logged.seq, seq, id)
			}
		}
	}
}

// noBattle: a gift can be answered so only if its live was not open at some moment of the call, or its battle had not
// begun, and not before the log has all that BATTLE_00 said when the call began.
func (s *scoreLogs) noBattle(g Gift) {
	if logged, ok := s.gifts[g.GiftID]; ok && logged.seq <= g.Window.Before {
		s.f.add(Violation, "gift %v: answered NO_BATTLE, the log has it as %v in group %d, before the call", g.GiftID, logged.GetVerdict(), logged.seq)
	}
	for _, r := range s.lives[g.Live] {
		if began := at(s.times[r.log], g.Window.Before); r.from <= g.Window.Before && (r.open || r.to > g.Window.After) && r.startsAt <= began {
			s.f.add(Violation, "gift %v: answered NO_BATTLE between groups %d and %d, its live was open in battle %s from group %d to %d", g.GiftID, g.Window.Before, g.Window.After, r.battle, r.from, r.to)
		}
	}
	for _, r := range s.lives[g.Live] {
		for _, w := range r.before {
			if began := at(s.times[r.log], g.Window.Before); w.Before <= g.Window.Before && w.After > g.Window.After && r.startsAt <= began {
				s.f.add(Violation, "gift %v: answered NO_BATTLE between groups %d and %d, its live was open in battle %s from group %d to %d", g.GiftID, g.Window.Before, g.Window.After, r.battle, w.Before, w.After)
			}
		}
	}
	if id, seq := s.unread(g, g.Window.After); id != "" {
		s.f.add(Violation, "gift %v: answered NO_BATTLE at group %d, BATTLE_00/%d, read before the call, has its live in battle %s", g.GiftID, g.Window.After, seq, id)
	}
}
