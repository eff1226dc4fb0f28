package check

import (
	"crypto/sha256"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// book writes logs for tests: each decision is a group of its own.
type book struct{ Run }

func (b *book) write(log, id string, at int64, entries ...proto.Message) {
	d := &ledgerv1.Decision{CommandId: id, AtMs: at}
	for _, e := range entries {
		raw, err := proto.Marshal(e)
		if err != nil {
			panic(err)
		}
		d.Entries = append(d.Entries, raw)
	}
	b.group(log, &ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{d}})
}

func (b *book) group(log string, g *ledgerv1.Group) {
	if n := len(b.Logs[log]); n > 0 && g.Previous == nil {
		sum := sha256.Sum256(b.Logs[log][n-1])
		g.Previous = sum[:]
	}
	raw, err := proto.Marshal(g)
	if err != nil {
		panic(err)
	}
	b.Logs[log] = append(b.Logs[log], raw)
}

const (
	c = "COHOST_00"
	b = "BATTLE_00"
	s = "SCORE_00"
)

func created(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: live}}}
}

func sent(id, from, to string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationSent_{InvitationSent: &cohostv1.Entry_InvitationSent{
		InvitationId: id, InviterLiveId: from, InviteeLiveId: to, ExpiresAtMs: 1000,
	}}}
}

func over(id, from, to string, how cohostv1.Entry_InvitationEnded_Ending) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_InvitationEnded_{InvitationEnded: &cohostv1.Entry_InvitationEnded{
		InvitationId: id, InviterLiveId: from, InviteeLiveId: to, Ending: how,
	}}}
}

func joined(connection, live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{ConnectionId: connection, LiveId: live}}}
}

func left(connection, live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{ConnectionId: connection, LiveId: live}}}
}

func read(seq uint64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{Sequence: seq}}}
}

func copied(connection, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ConnectionJoined_{ConnectionJoined: &battlev1.Entry_ConnectionJoined{ConnectionId: connection, LiveId: live}}}
}

func gone(connection, live string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_ConnectionLeft_{ConnectionLeft: &battlev1.Entry_ConnectionLeft{ConnectionId: connection, LiveId: live}}}
}

func asked(id string, lives ...string) *battlev1.Entry {
	e := &battlev1.Entry_BattleRequested{BattleId: id, Inviter: &battlev1.Entry_Participant{LiveId: lives[0]}}
	for _, live := range lives[1:] {
		e.Invitees = append(e.Invitees, &battlev1.Entry_Participant{LiveId: live})
	}
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleRequested_{BattleRequested: e}}
}

func starts(id string, lives ...string) *battlev1.Entry {
	e := &battlev1.Entry_BattleStarting{BattleId: id, StartsAtMs: 40, EndsAtMs: 80}
	for _, live := range lives {
		e.Participants = append(e.Participants, &battlev1.Entry_Participant{LiveId: live})
	}
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarting_{BattleStarting: e}}
}

func runs(id string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: id}}}
}

func ending(id string) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{BattleId: id}}}
}

func closed(id, live string, total int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{BattleId: id, LiveId: live, Total: total}}}
}

func settles(id string, x, y int64) *battlev1.Entry {
	return &battlev1.Entry{Entry: &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{BattleId: id, Result: &battlev1.BattleResult{
		Lives: []*battlev1.LiveResult{{LiveId: "x", Score: x}, {LiveId: "y", Score: y}},
	}}}}
}

func opens(id, live string) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveOpened_{LiveOpened: &scorev1.Entry_LiveOpened{BattleId: id, LiveId: live, StartsAtMs: 40, EndsAtMs: 80}}}
}

func gift(event string, v scorev1.GiftVerdict_Verdict, points int64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_GiftDecided_{GiftDecided: &scorev1.Entry_GiftDecided{
		LiveId: "x", EventId: event, Verdict: v, Points: points, BattleId: "b1",
	}}}
}

func closes(id, live string, total, gifts int64) *scorev1.Entry {
	return &scorev1.Entry{Entry: &scorev1.Entry_LiveClosed_{LiveClosed: &scorev1.Entry_LiveClosed{BattleId: id, LiveId: live, Total: total, Gifts: gifts}}}
}

const (
	counts   = scorev1.GiftVerdict_COUNTED
	late     = scorev1.GiftVerdict_LATE
	noBattle = scorev1.GiftVerdict_NO_BATTLE
	accepted = cohostv1.Entry_InvitationEnded_ACCEPTED
	timedOut = cohostv1.Entry_InvitationEnded_TIMED_OUT
)

func verdict(event string, v scorev1.GiftVerdict_Verdict, points int64) Gift {
	return Gift{
		GiftID: GiftID{"x", event}, Points: 5, Log: s, Window: Window{0, 9},
		Verdict: &scorev1.GiftVerdict{Verdict: v, Points: points, BattleId: "b1"},
	}
}

// good is a run without a fault: two lives connect, battle and part.
func good() *book {
	k := &book{Run{Logs: map[string][][]byte{}, Quiet: true}}
	k.write(c, "1", 1, created("x"))
	k.write(c, "2", 2, created("y"))
	k.write(c, "3", 3, sent("i1", "x", "y"))
	k.write(c, "4", 4, over("i1", "x", "y", accepted), joined("k1", "x"), joined("k1", "y"))
	k.write(b, "", 5, read(4), copied("k1", "x"), copied("k1", "y"))
	k.write(b, "5", 6, asked("b1", "x", "y"), starts("b1", "x", "y"))
	k.write(s, "", 7, opens("b1", "x"), opens("b1", "y"))
	k.write(b, "", 40, runs("b1"))
	k.write(s, "", 50, gift("g1", counts, 5))
	k.write(s, "", 79, gift("g2", counts, 5))
	k.write(b, "", 80, ending("b1"))
	k.write(s, "", 81, closes("b1", "x", 10, 2), closes("b1", "y", 0, 0))
	k.write(s, "", 82, gift("g3", late, 0))
	k.write(b, "", 83, closed("b1", "x", 10), closed("b1", "y", 0), settles("b1", 10, 0))
	k.write(c, "6", 90, left("k1", "x"), left("k1", "y"))
	k.Ops = []Op{
		{Kind: CreateLive, Live: "x", ID: "1", Own: Window{0, 1}, Outcome: OK},
		{Kind: CreateLive, Live: "x", ID: "1b", Own: Window{1, 2}, Outcome: Refused, Reason: "LIVE_EXISTS"},
		{Kind: Invite, Live: "x", Others: []string{"y"}, Accepted: []string{"y"}, ID: "3", Own: Window{2, 3}, Outcome: OK},
		{Kind: Accept, Live: "y", Others: []string{"x"}, ID: "4", Own: Window{3, 4}, Outcome: OK},
		{Kind: RequestBattle, Live: "x", Others: []string{"y"}, Battle: "b1", ID: "5", Own: Window{1, 2}, Outcome: OK},
		{Kind: Exit, Live: "x", ID: "6", Own: Window{4, 5}, Outcome: OK},
	}
	for i := range k.Ops {
		k.Ops[i].Since = k.Ops[i].Own.Before
	}
	k.Gifts = []Gift{verdict("g1", counts, 5), verdict("g3", late, 0)}
	return k
}

func TestGoodRun(t *testing.T) {
	t.Parallel()
	r := Check(good().Run)
	if len(r.Findings) > 0 || r.Settled != 1 || r.Overtaken != 0 {
		t.Errorf("%+v", r)
	}
}

// Each rule is broken once; the check must find it.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		plant func(*book)
		class Class
		says  string
	}{
		"chain":                     {func(k *book) { k.group(c, &ledgerv1.Group{Version: 1, Previous: []byte{1}}) }, Violation, "chain"},
		"log time":                  {func(k *book) { k.write(c, "", 1, created("z")) }, Violation, "log time goes back"},
		"command twice":             {func(k *book) { k.write(c, "1", 99, created("z")) }, Duplicated, "command 1 was decided"},
		"not an entry":              {func(k *book) { k.Logs[c] = append(k.Logs[c], []byte{0xff}) }, Violation, c + "/6"},
		"live twice":                {func(k *book) { k.write(c, "", 99, created("x")) }, Duplicated, "created twice"},
		"two connections":           {func(k *book) { k.write(c, "", 99, joined("k2", "x"), joined("k2", "y"), joined("k3", "x")) }, Violation, "joins connection k3 and is in k2"},
		"alone":                     {func(k *book) { k.write(c, "", 99, joined("k2", "x")) }, Violation, "left with one live"},
		"leaves twice":              {func(k *book) { k.write(c, "", 99, left("k1", "x")) }, Duplicated, "leaves connection k1"},
		"invitation ends twice":     {func(k *book) { k.write(c, "", 99, over("i1", "x", "y", accepted)) }, Duplicated, "i1 of [x y] ends twice"},
		"invitation never sent":     {func(k *book) { k.write(c, "", 99, over("i9", "x", "y", accepted)) }, Violation, "never sent"},
		"accepted too late":         {func(k *book) { k.write(c, "", 1000, sent("i2", "y", "x"), over("i2", "y", "x", accepted)) }, Violation, "ends as ACCEPTED at 1000"},
		"timed out too early":       {func(k *book) { k.write(c, "", 999, sent("i2", "y", "x"), over("i2", "y", "x", timedOut)) }, Violation, "ends as TIMED_OUT at 999"},
		"invitation does not end":   {func(k *book) { k.write(c, "", 99, sent("i2", "y", "x")) }, Stuck, "i2 of y to x does not end"},
		"battle does not end":       {func(k *book) { k.write(b, "", 99, asked("b2", "x")) }, Stuck, "b2 does not end"},
		"live does not close":       {func(k *book) { k.write(s, "", 99, opens("b2", "x")) }, Stuck, "does not close"},
		"two battles":               {func(k *book) { k.write(b, "", 99, asked("b2", "x", "y"), asked("b3", "x")) }, Violation, "is in battles"},
		"battle without connection": {func(k *book) { k.write(b, "", 99, asked("b2", "x", "y"), gone("k1", "y")) }, Violation, "in connection"},
		"wrong copy":                {func(k *book) { k.write(b, "", 99, read(5), gone("k1", "x")) }, Violation, "copied from COHOST_00/5"},
		"position twice":            {func(k *book) { k.write(b, "", 99, read(4)) }, Duplicated, "is read after 4"},
		"battle ends twice":         {func(k *book) { k.write(b, "", 99, settles("b1", 10, 0)) }, Duplicated, "b1 ends twice"},
		"wrong settlement": {func(k *book) {
			k.write(b, "", 99, asked("b2", "x", "y"), starts("b2", "x", "y"), runs("b2"), ending("b2"), closed("b2", "x", 1), closed("b2", "y", 0), settles("b2", 2, 0))
		}, Violation, "closed with 1 and settles with 2"},
		"settled without score":        {func(k *book) { k.Logs[s] = k.Logs[s][:3] }, Violation, "was not closed"},
		"gift twice":                   {func(k *book) { k.write(s, "", 99, gift("g1", late, 0)) }, Duplicated, "{x g1} was decided"},
		"late gift with points":        {func(k *book) { k.write(s, "", 99, gift("g4", late, 5)) }, Violation, "with 5 points"},
		"counted after the close":      {func(k *book) { k.write(s, "", 99, gift("g4", counts, 5)) }, Violation, "not open"},
		"closes with something else":   {func(k *book) { k.write(s, "", 99, opens("b2", "x"), closes("b2", "x", 7, 1)) }, Violation, "closes with 7 points of 1 gifts, counted are 0 of 0"},
		"lost gift":                    {func(k *book) { k.Gifts = append(k.Gifts, verdict("g9", counts, 5)) }, Lost, "{x g9}: answered COUNTED"},
		"another verdict":              {func(k *book) { k.Gifts[0] = verdict("g1", late, 0) }, Violation, "answered LATE"},
		"wrong points":                 {func(k *book) { k.Gifts[0].Points = 6 }, Violation, "it is worth 6"},
		"no battle for a counted gift": {func(k *book) { k.Gifts[0] = verdict("g1", noBattle, 0); k.Gifts[0].Window.Before = 8 }, Violation, "NO_BATTLE"},
		"late gift in time":            {func(k *book) { k.Logs[s] = nil; k.write(s, "", 79, opens("b1", "x"), gift("g4", late, 0)) }, Violation, "{x g4} is late at 79"},
		"no battle in a battle": {func(k *book) {
			k.Gifts[0] = verdict("g9", noBattle, 0)
			k.Gifts[0].Window = Window{2, 3}
		}, Violation, "while its live was open from 1 to 4"},
		"lost command":       {func(k *book) { k.Ops[0].ID = "9" }, Lost, "answered ok, not in the log"},
		"answered too early": {func(k *book) { k.Ops[3].Own.After = 3 }, Violation, "answered ok at head 3"},
		"other effect":       {func(k *book) { k.Ops[0].Live = "y" }, Violation, "does something else"},
		"refused and done":   {func(k *book) { k.Ops[0].Outcome, k.Ops[0].Reason = Refused, "LIVE_EXISTS" }, Violation, "refused with LIVE_EXISTS at"},
		"wrong reason":       {func(k *book) { k.Ops[1].Reason = "LIVE_NOT_FOUND" }, Violation, "which was not so"},
		"internal":           {func(k *book) { k.Ops[1].Reason = "INTERNAL" }, Violation, "INTERNAL"},
	} {
		k := good()
		x.plant(k)
		found := false
		findings := Check(k.Run).Findings
		for _, f := range findings {
			found = found || f.Class == x.class && strings.Contains(f.Text, x.says)
		}
		if !found {
			t.Errorf("%s: not found; found %v", name, findings)
		}
	}
}

// A gift counted outside of the battle's time.
func TestCountedOutOfTime(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{39, 80} {
		k := &book{Run{Logs: map[string][][]byte{}}}
		k.write(s, "", 7, opens("b1", "x"))
		k.write(s, "", at, gift("g1", counts, 5))
		if f := Check(k.Run).Findings; len(f) != 1 || !strings.Contains(f[0].Text, "the battle takes 40 to 80") {
			t.Errorf("at %d: %v", at, f)
		}
	}
}

// A refused command that a late copy does afterwards is told apart from one that was done before.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	k := good()
	k.write(c, "7", 99, created("z"))
	k.Ops = append(k.Ops, Op{Kind: CreateLive, Live: "z", ID: "7", Own: Window{1, 2}, Outcome: Refused, Reason: "RATE_LIMITED", Stray: true})
	if r := Check(k.Run); len(r.Findings) > 0 || r.Overtaken != 1 {
		t.Errorf("%+v", r)
	}
	k.Ops[len(k.Ops)-1].Stray = false
	if r := Check(k.Run); len(r.Findings) != 1 {
		t.Errorf("%+v", r)
	}
}
