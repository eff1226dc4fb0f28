package presence

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/chaos/fault"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

func TestGoodRun(t *testing.T) {
	t.Parallel()
	r := good(t, nil).judge()
	if !r.Green() {
		t.Errorf("%v", r.Violations)
	}
	if r.Kills != 2 || r.Freezes != 1 || r.Devices != 1 || r.Superseded != 1 || r.Told != 4 || r.Rejoined != 1 || r.Fighting != 1 ||
		r.decisions[kill][unreachable] != 2 || r.decisions[kill][lost] != 2 || r.decisions[kill][ended] != 1 {
		t.Errorf("counted %+v", r)
	}
	if p50, p99, most := spread(r.spans[took{unreachable, false}]); p50 != 8200 || p99 != 9000 || most != 9000 {
		t.Errorf("unreachable after %d, %d, %d", p50, p99, most)
	}
}

// at edits the entry of a log at a moment; nil leaves it out.
func at(when int64, log string, edit func(proto.Message) proto.Message) func(int64, string, proto.Message) proto.Message {
	return func(at int64, l string, e proto.Message) proto.Message {
		if at == when && l == log {
			return edit(e)
		}
		return e
	}
}

func out(proto.Message) proto.Message { return nil }

// Each rule is broken once; the judge must find it.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]struct {
		edit  func(int64, string, proto.Message) proto.Message
		plant func(*scene)
		says  string
	}{
		"unreachable too soon":         {plant: func(s *scene) { s.sign(19_900, "ann", "s1", "", 1) }, says: "unexplained: ann is unreachable at 27.200 s, 7300 ms after a sign of life that was answered"},
		"heard, and lost all the same": {plant: func(s *scene) { s.sign(40_000, "ann", "s1", "", 1) }, says: "unexplained: ann is lost at 42.400 s, 2400 ms after"},
		"grace too short": {plant: func(s *scene) {
			s.write(cohostLog, 290_000, silent("ann"), loses("ann"))
		}, says: "unexplained: ann is lost at 290.000 s, 0 ms after it was unreachable"},
		"counted over a takeover": {plant: func(s *scene) {
			s.writing = append(s.writing, writing{(start + 107_000) * ms, "cohost-2"})
		}, says: "unexplained: cat is lost at 121.100 s, 14100 ms after silence must have counted anew"},
		"counted over a standstill": {plant: func(s *scene) { s.fault(98_000, 101_000, fault.Pause, "cohost-1") }, says: "unexplained: cat is unreachable at 106.000 s, 5050 ms after silence must"},
		"counted while deaf":        {plant: func(s *scene) { s.fault(98_000, 101_000, fault.Drop, "cohost-1") }, says: "unexplained: cat is unreachable at 106.000 s, 6000 ms after silence must"},
		"back from nowhere":         {plant: func(s *scene) { s.write(cohostLog, 150_000, back("cat", 0)) }, says: "unexplained: cat is back at 150.000 s, and has given no sign of life since it was lost at 121.100 s"},
		"lost without a cause": {plant: func(s *scene) {
			s.without(func(r history.Record) bool { return r.F == Killed && r.ID == "cat" })
		}, says: "lost alive: cat is lost at 121.100 s, and its client was well"},
		"unreachable without a cause": {plant: func(s *scene) {
			s.without(func(r history.Record) bool { return r.F == Killed && r.ID == "cat" })
		}, says: "unexplained: cat is unreachable at 106.000 s, and nothing was done to it or to us"},
		"never unreachable": {edit: at(106_000, cohostLog, out), says: "stuck: cat is silent from 97.000 s on, and not unreachable by 110.000 s"},
		"never lost":        {edit: at(121_100, cohostLog, out), says: "stuck: cat is silent from 106.000 s on, and not lost by 126.000 s"},
		"never ended":       {edit: at(181_200, cohostLog, out), says: "stuck: cat is silent from 121.100 s on, and not ended by 186.100 s"},
		"stays connected":   {edit: at(121_200, cohostLog, out), says: "stuck: cat is lost at 121.100 s, and in its connection by 127.100 s"},
		"stays in battle":   {edit: at(121_150, battleLog, out), says: "stuck: cat is lost at 121.100 s, and in battle b to the end"},
		"battle after": {edit: at(42_450, battleLog, out), plant: func(s *scene) {
			s.write(battleLog, 42_700, exits("ann"))
		}, says: "ann is lost at 42.400 s, leaves its connection at 42.500 s, and battle b at 42.700 s, for its loss: true"},
		"left for another reason": {edit: at(42_500, cohostLog, func(e proto.Message) proto.Message {
			e.(*cohostv1.Entry).GetMemberLeft().Reason = cohostv1.Entry_MemberLeft_EXITED
			return e
		}), says: "ann is lost at 42.400 s, and has left its connection for another reason"},
		"left the battle for another": {edit: at(42_450, battleLog, func(e proto.Message) proto.Message {
			e.(*battlev1.Entry).GetUserExited().Reason = battlev1.Entry_UserExited_LEFT_CONNECTION
			return e
		}), says: "for its loss: false"},
		"not told": {plant: func(s *scene) {
			s.drop("ben", "s1", func(l host.Line) bool { m, _ := l.Heard(); return m.GetCohost().GetHostLost() != nil })
		}, says: "ben was not told all of the loss of ann at 42.400 s: lost false, left its battle true, left the connection true"},
		"not told of the battle": {plant: func(s *scene) {
			s.drop("cat", "s1", func(l host.Line) bool { m, _ := l.Heard(); return m.GetBattle() != nil })
		}, says: "cat was not told all of the loss of ann at 42.400 s: lost true, left its battle false"},
		"not told of the connection": {plant: func(s *scene) {
			s.drop("ben", "s2", func(l host.Line) bool { m, _ := l.Heard(); return m.GetCohost().GetCoHostUserLeft() != nil })
		}, says: "ben was not told all of the loss of cat at 121.100 s: lost true, left its battle true, left the connection false"},
		"not let in again":        {edit: at(60_150, cohostLog, out), says: "ann is back at 60.100 s and not in connection k by 73.100 s"},
		"not in the battle again": {edit: at(60_300, battleLog, out), says: "ann is in its connection again at 60.150 s, and not in battle b"},
		"older device heard":      {plant: func(s *scene) { s.sign(80_000, "ben", "s1", "", 1) }, says: "a sign of life of the device s1 of ben is answered at 80.005 s, after s2 took over at 70.005 s"},
		"older device not told": {plant: func(s *scene) {
			s.without(func(r history.Record) bool { return r.F == Exited && r.ID == "ben" })
		}, says: "the device s1 of ben does not hear that s2 has taken over"},
		"fence of the newer": {plant: func(s *scene) { s.sign(69_900, "ben", "s1", "", 2) }, says: "the devices s1 and s2 of ben have the fences 2 and 2"},
		"backend lost":       {plant: func(s *scene) { s.write(cohostLog, 290_000, silent("dog")) }, says: "lost alive: dog is driven by a backend, and unreachable"},
		"backend present": {plant: func(s *scene) {
			s.write(cohostLog, 290_000, &cohostv1.Entry{Entry: &cohostv1.Entry_PresenceBegan_{PresenceBegan: &cohostv1.Entry_PresenceBegan{LiveId: "dog"}}})
		}, says: "dog is driven by a backend, and has presence"},
		"busy in the end":      {plant: func(s *scene) { s.record(290_001, Final, "cat", Last{Active: true, Connection: "k"}) }, says: "stuck: cat has no client, and at the end there is {Active:true"},
		"ended, with a client": {plant: func(s *scene) { s.record(290_001, Final, "ann", Last{}) }, says: "lost alive: ann has a client that is well, and at the end there is {Active:false"},
		"not asked":            {plant: func(s *scene) { s.without(func(r history.Record) bool { return r.F == Final && r.ID == "dog" }) }, says: "dog was not asked for"},
		"connected by nobody":  {edit: at(60_150, cohostLog, out), says: "ann is said to be in connection k, which the log does not say"},
		"not free": {plant: func(s *scene) {
			s.records = append(s.records, history.Record{F: Booked, ID: "ann dog", Err: "ALREADY_CONNECTED"})
		}, says: "stuck: ann dog seem to be free"},
		"client ends": {plant: func(s *scene) { s.client(250_000, Exited, "ann", "s2") }, says: "the client s2 of ann has ended by a fault"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good(t, p.edit)
			if p.plant != nil {
				p.plant(s)
			}
			r := s.judge()
			if !slices.ContainsFunc(r.Violations, func(v string) bool { return strings.Contains(v, p.says) }) {
				t.Errorf("found %q, not %q", r.Violations, p.says)
			}
		})
	}
}

// TestOurFaultsProlong: a fault of the replica that writes makes what follows late, one of another replica does not.
func TestOurFaultsProlong(t *testing.T) {
	t.Parallel()
	for replica, late := range map[string]bool{"cohost-1": false, "cohost-2": true} {
		s := good(t, at(106_000, cohostLog, out))
		s.fault(98_000, 105_000, fault.Pause, replica)
		s.write(cohostLog, 116_000, silent("cat"))
		found := slices.ContainsFunc(s.judge().Violations, func(v string) bool {
			return strings.Contains(v, "cat is silent from") && strings.Contains(v, "not unreachable")
		})
		if found != late {
			t.Errorf("%s stands still for 7 s: late is %t", replica, found)
		}
	}
}

// TestHeardLate: what waited at a replica that stood still may be heard when that goes on, and who is served by it is told then.
func TestHeardLate(t *testing.T) {
	t.Parallel()
	untold := func(s *scene) {
		s.drop("ben", "s1", func(l host.Line) bool { m, _ := l.Heard(); return m.GetCohost().GetHostLost() != nil })
	}
	for name, x := range map[string]struct {
		at    int64 // when cat is unreachable at last
		plant func(*scene)
	}{
		"a sign": {118_500, func(s *scene) { s.sign(99_900, "cat", "s1", host.Unanswered, 0) }},
		"others": {106_000, untold},
	} {
		for _, harmed := range []bool{false, true} {
			s := good(t, at(106_000, cohostLog, out))
			s.write(cohostLog, x.at, silent("cat"))
			x.plant(s)
			if harmed {
				s.fault(41_000, 64_000, fault.Drop, "cohost-2")
				s.fault(99_000, 110_000, fault.Pause, "cohost-3")
			}
			found := slices.ContainsFunc(s.judge().Violations, func(v string) bool {
				return strings.Contains(v, "not unreachable") || strings.Contains(v, "ben was not told")
			})
			if found == harmed {
				t.Errorf("%s, a replica is harmed: %t: found %t", name, harmed, found)
			}
		}
	}
}

// TestTakeover: who begins to write has heard nobody.
func TestTakeover(t *testing.T) {
	t.Parallel()
	s := good(t, nil)
	before := s.judge().spans[took{lost, true}]
	s.writing = append(s.writing, writing{(start + 106_050) * ms, "cohost-2"})
	r := s.judge()
	if len(before) != 0 || len(r.spans[took{lost, true}]) != 1 || r.Takeovers != 1 {
		t.Errorf("counted anew %v, %v, %d takeovers", before, r.spans, r.Takeovers)
	}
	if r.spans[took{lost, true}][0] != 24_100*time.Millisecond {
		t.Errorf("%v", r.spans)
	}
}

// TestDoubtfulSign: what a replica has answered that is cut off in the same moment may have gone with it.
func TestDoubtfulSign(t *testing.T) {
	t.Parallel()
	for from, explained := range map[int64]bool{19_000: true, 17_000: false} {
		s := good(t, nil)
		s.sign(19_900, "ann", "s1", "", 1)
		s.fault(from, 25_000, fault.Drop, "cohost-2")
		if r := s.judge(); explained != (r.Found[unexplained] == 0) || r.Doubtful > 0 != explained {
			t.Errorf("cut off at %d: %v", from, r.Violations)
		}
	}
}
