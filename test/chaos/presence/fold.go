package presence

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

// What the log decides of a host.
type decision string

const (
	began       decision = "began"
	unreachable decision = "unreachable"
	recovered   decision = "recovered"
	lost        decision = "lost"
	ended       decision = "ended" // because its host was lost
	parted      decision = "over"  // it was ended otherwise
)

// turn is a decision of the host of a live. Times are ns since 1970 everywhere here.
type turn struct {
	what decision
	at   int64
	// Of lost: the connection that the live was in, and who else was.
	connection string
	others     []string
	// Of recovered: until when it may rejoin.
	until int64
}

// stay is a time that a live is in a connection or in a battle; to is 0 if it stays to the end.
type stay struct {
	in       string
	from, to int64
	lost     bool // it left because its host was lost
}

// life is what the logs say of a live.
type life struct {
	turns   []turn
	stays   []stay // in connections
	battles []stay
}

// fight is what the log says of a battle: when it is open to who comes back.
type fight struct{ from, to int64 }

// story is all that the logs say.
type story struct {
	lives   map[string]*life
	members map[string][]string // of each connection, now
	fights  map[string]*fight
	parted  map[string]int64 // when a connection ended
}

// each calls do with every entry of a log before a moment, and the log time.
func each[E proto.Message](name string, groups [][]byte, until int64, entry func() E, do func(at int64, e E)) error {
	for i, raw := range groups {
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			return fmt.Errorf("%s/%d: %w", name, i+1, err)
		}
		for _, d := range g.GetDecisions() {
			if d.GetAtMs()*ms >= until {
				return nil
			}
			for _, b := range d.GetEntries() {
				e := entry()
				if err := proto.Unmarshal(b, e); err != nil {
					return fmt.Errorf("%s/%d: %w", name, i+1, err)
				}
				do(d.GetAtMs()*ms, e)
			}
		}
	}
	return nil
}

// fold reads the logs up to a moment: what follows from the end of the run is nothing to judge.
func fold(logs map[string][][]byte, until int64) (*story, error) {
	s := &story{lives: make(map[string]*life), members: make(map[string][]string), fights: make(map[string]*fight), parted: make(map[string]int64)}
	if err := each(cohostLog, logs[cohostLog], until, func() *cohostv1.Entry { return new(cohostv1.Entry) }, s.cohost); err != nil {
		return nil, err
	}
	return s, each(battleLog, logs[battleLog], until, func() *battlev1.Entry { return new(battlev1.Entry) }, s.battle)
}

func (s *story) life(live string) *life {
	if s.lives[live] == nil {
		s.lives[live] = new(life)
	}
	return s.lives[live]
}

func (l *life) turn(t turn) { l.turns = append(l.turns, t) }

func (s *story) cohost(at int64, e *cohostv1.Entry) {
	switch e := e.GetEntry().(type) {
	case *cohostv1.Entry_PresenceBegan_:
		s.life(e.PresenceBegan.GetLiveId()).turn(turn{what: began, at: at})
	case *cohostv1.Entry_HostUnreachable_:
		s.life(e.HostUnreachable.GetLiveId()).turn(turn{what: unreachable, at: at})
	case *cohostv1.Entry_HostRecovered_:
		s.life(e.HostRecovered.GetLiveId()).turn(turn{what: recovered, at: at, until: e.HostRecovered.GetRejoinUntilMs() * ms})
	case *cohostv1.Entry_HostLost_:
		live := e.HostLost.GetLiveId()
		t := turn{what: lost, at: at}
		if in := open(s.life(live).stays); in != nil {
			t.connection = in.in
			t.others = slices.DeleteFunc(slices.Clone(s.members[in.in]), func(other string) bool { return other == live })
		}
		s.life(live).turn(t)
	case *cohostv1.Entry_LiveEnding_:
		t := turn{what: parted, at: at}
		if e.LiveEnding.GetLost() {
			t.what = ended
		}
		s.life(e.LiveEnding.GetLiveId()).turn(t)
	case *cohostv1.Entry_MemberJoined_:
		in, live := e.MemberJoined.GetConnectionId(), e.MemberJoined.GetLiveId()
		s.members[in] = append(s.members[in], live)
		s.life(live).stays = append(s.life(live).stays, stay{in: in, from: at})
	case *cohostv1.Entry_MemberLeft_:
		in, live := e.MemberLeft.GetConnectionId(), e.MemberLeft.GetLiveId()
		s.members[in] = slices.DeleteFunc(s.members[in], func(other string) bool { return other == live })
		leave(s.life(live).stays, in, at, e.MemberLeft.GetReason() == cohostv1.Entry_MemberLeft_LOST)
	case *cohostv1.Entry_ConnectionEnded_:
		s.parted[e.ConnectionEnded.GetConnectionId()] = at
	}
}

func (s *story) battle(at int64, e *battlev1.Entry) {
	switch e := e.GetEntry().(type) {
	case *battlev1.Entry_BattleStarting_:
		id := e.BattleStarting.GetBattleId()
		s.fights[id] = &fight{from: at}
		for _, p := range e.BattleStarting.GetParticipants() {
			s.life(p.GetLiveId()).battles = append(s.life(p.GetLiveId()).battles, stay{in: id, from: at})
		}
	case *battlev1.Entry_UserExited_:
		leave(s.life(e.UserExited.GetLiveId()).battles, e.UserExited.GetBattleId(), at, e.UserExited.GetReason() == battlev1.Entry_UserExited_LOST)
	case *battlev1.Entry_UserRejoined_:
		l := s.life(e.UserRejoined.GetLiveId())
		l.battles = append(l.battles, stay{in: e.UserRejoined.GetBattleId(), from: at})
	case *battlev1.Entry_BattleEnding_:
		s.close(e.BattleEnding.GetBattleId(), at)
	case *battlev1.Entry_BattleEnded_:
		s.close(e.BattleEnded.GetBattleId(), at)
	}
}

// close ends a battle for all who are still in it.
func (s *story) close(id string, at int64) {
	if f := s.fights[id]; f == nil || f.to != 0 {
		return
	}
	s.fights[id].to = at
	for _, l := range s.lives {
		leave(l.battles, id, at, false)
	}
}

// open is the stay that goes on.
func open(all []stay) *stay {
	if n := len(all); n > 0 && all[n-1].to == 0 {
		return &all[n-1]
	}
	return nil
}

func leave(all []stay, in string, at int64, lost bool) {
	if x := open(all); x != nil && x.in == in {
		x.to, x.lost = at, lost
	}
}

// during is the stay at a moment.
func during(all []stay, at int64) *stay {
	for i, x := range all {
		if x.from <= at && (x.to == 0 || x.to > at) {
			return &all[i]
		}
	}
	return nil
}
