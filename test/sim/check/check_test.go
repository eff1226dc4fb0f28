package check

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

func TestGoodRun(t *testing.T) {
	t.Parallel()
	r := Check(good().Run)
	if len(r.Findings) > 0 || r.Settled != 1 {
		t.Errorf("%+v", r)
	}
}

// plant is a fault, and what must be found of it.
type plant struct {
	plant func(*book)
	class Class
	says  string
}

// find plants each fault in a good run.
func find(t *testing.T, faults map[string]plant) {
	t.Helper()
	findIn(t, good, faults)
}

// findIn plants each fault in a run.
func findIn(t *testing.T, run func() *book, faults map[string]plant) {
	t.Helper()
	for name, x := range faults {
		k := run()
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

func TestLogFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"chain":                     {func(k *book) { k.group(c, &ledgerv1.Group{Version: 1, Previous: []byte{1}}) }, Violation, "chain"},
		"log time":                  {func(k *book) { k.write(c, "", 1, created("z")) }, Violation, "log time goes back"},
		"command twice":             {func(k *book) { k.write(c, "1", 99, created("z")) }, Duplicated, "command 1 was decided"},
		"not an entry":              {func(k *book) { k.Logs[c] = append(k.Logs[c], []byte{0xff}) }, Violation, c + "/6"},
		"nobody asked":              {func(k *book) { k.write(c, "9", 99, created("z")) }, Violation, `nobody has asked for command "9"`},
		"nobody asked, in a battle": {func(k *book) { k.write(b, "9", 99, exits("b1", "x")) }, Violation, `nobody has asked for command "9"`},
	})
}

func TestCohostFaults(t *testing.T) {
	t.Parallel()
	ends := func(at int64, how cohostv1.Entry_InvitationEnded_Ending) func(*book) {
		return func(k *book) {
			k.write(c, "", 99, sent("i2", "y", "x"))
			k.write(c, "", at, over("i2", "y", "x", how))
		}
	}
	find(t, map[string]plant{
		"live twice":              {func(k *book) { k.write(c, "", 99, created("x")) }, Duplicated, "created twice"},
		"two connections":         {func(k *book) { k.write(c, "", 99, joined("k2", "x"), joined("k2", "y"), joined("k3", "x")) }, Violation, "joins connection k3 and is in k2"},
		"alone":                   {func(k *book) { k.write(c, "", 99, joined("k2", "x")) }, Violation, "connection k2 has 1 lives"},
		"too many":                {func(k *book) { k.Limits.Members = 1 }, Violation, "connection k1 has 2 lives"},
		"not invited":             {func(k *book) { k.write(c, "", 99, joined("k2", "x"), joined("k2", "y")) }, Violation, "no invitation was accepted"},
		"leaves twice":            {func(k *book) { k.write(c, "", 99, left("k1", "x")) }, Duplicated, "leaves connection k1"},
		"invitation ends twice":   {func(k *book) { k.write(c, "", 99, over("i1", "x", "y", accepted)) }, Duplicated, "i1 of [x y] ends twice"},
		"invitation never sent":   {func(k *book) { k.write(c, "", 99, over("i9", "x", "y", accepted)) }, Violation, "never sent"},
		"invitation does not end": {func(k *book) { k.write(c, "", 99, sent("i2", "y", "x")) }, Stuck, "i2 of y to x does not end"},
		"nothing to end it":       {func(k *book) { k.write(c, "", 1000, sent("i2", "y", "x")) }, Violation, "nobody knows when it ends"},
		"both invite":             {func(k *book) { k.write(c, "", 99, sent("i2", "y", "x"), sent("i3", "x", "y")) }, Violation, "one of [y x] is pending"},
		"early timeout":           {ends(999, cohostv1.Entry_InvitationEnded_TIMED_OUT), Violation, "its deadline is 1000"},
		"late answer":             {ends(1000, accepted), Violation, "its deadline is 1000"},
		"late timeout": {func(k *book) {
			k.Rest = map[string]uint64{c: 5}
			i := sent("i2", "y", "x")
			i.GetInvitationSent().ExpiresAtMs = 20_000
			k.write(c, "", 99, i)
			k.write(c, "", 21_001, over("i2", "y", "x", cohostv1.Entry_InvitationEnded_TIMED_OUT))
		}, Violation, "1001 ms late"},
	})
}

func TestBattleFaults(t *testing.T) {
	t.Parallel()
	// then is a second battle that goes so.
	then := func(entries ...proto.Message) func(*book) {
		return func(k *book) { k.write(b, "", 30, append([]proto.Message{asked("b2", "x", "y")}, entries...)...) }
	}
	find(t, map[string]plant{
		"battle does not end":       {then(), Stuck, "b2 does not end"},
		"two battles":               {then(asked("b3", "x")), Violation, "is in battles"},
		"battle without connection": {then(gone("k1", "y")), Violation, "in connection"},
		"wrong copy":                {func(k *book) { k.write(b, "", 99, read(5), gone("k1", "x")) }, Violation, "copied from COHOST_00/5"},
		"position twice":            {func(k *book) { k.write(b, "", 99, read(4)) }, Duplicated, "is read after 4"},
		"requested twice":           {then(asked("b2", "x", "y")), Duplicated, "b2 is requested twice"},
		"ends twice":                {func(k *book) { k.write(b, "", 99, settles("b1", 10, 0)) }, Duplicated, "b1 ends twice"},
		"no timeout":                {then(), Violation, "does not time out"},
		"all have answered":         {then(accepts("b2", "y")), Violation, "has neither started nor ended"},
		"cut short by one": {func(k *book) {
			then(starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "y"))(k)
			cut := ending("b2")
			cut.GetBattleEnding().Reason = battlev1.Battle_CUT_SHORT
			k.write(b, "", 99, runs("b2"), &battlev1.Entry{Entry: &battlev1.Entry_ProposalMade_{ProposalMade: &battlev1.Entry_ProposalMade{
				BattleId: "b2", Kind: battlev1.Proposal_END, LiveId: "x",
			}}}, cut)
		}, Violation, "ends by CUT_SHORT"},
		"extended too late": {func(k *book) {
			then(starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "y"))(k)
			k.write(b, "", 99, runs("b2"), &battlev1.Entry{Entry: &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{
				BattleId: "b2", EndsAtMs: 1080, ExtendMs: 1000,
			}}})
		}, Violation, "is extended at 99 to 1080"},
		"punishment of nobody":         {follows(nil, 1080, true), Violation, "the punishment of battle b2, played by"},
		"punishment ends too early":    {follows(nil, 2080, false, pardons("b2")), Violation, "ends by TIME_OVER at 1099; its time is over at 2080"},
		"punishment ends twice":        {follows(nil, 1080, false, pardons("b2"), pardons("b2")), Duplicated, "the punishment of battle b2 ends and is not on"},
		"punishment does not end":      {follows(nil, 1080, false), Stuck, "the punishment of battle b2 does not end"},
		"series does not go on":        {follows(between(500, "x", "y"), 0, false), Stuck, "the series of battle b2 does not go on"},
		"waits alone":                  {follows(between(500, "x"), 0, false), Violation, "should be"},
		"waits from elsewhere":         {follows(between(500, "x", "z"), 0, false), Violation, "should be"},
		"round after a majority":       {follows(won(between(500, "x", "y")), 0, false), Violation, "should be"},
		"round begins too early":       {follows(between(1500, "x", "y"), 0, false, goesOn("b2", "b3")), Violation, "begins at 1099"},
		"round in the punishment":      {follows(between(1080, "x", "y"), 1080, false, goesOn("b2", "b3")), Violation, "in its punishment: true"},
		"round begins twice":           {follows(between(90, "x", "y"), 0, false, goesOn("b2", "b3"), goesOn("b2", "b3")), Duplicated, "no round is to follow battle b2"},
		"round of others":              {follows(between(90, "x", "y"), 0, false, goesOn("b2", "b3"), secondRound("b3", "x")), Violation, "begins by itself with"},
		"round of no series":           {func(k *book) { k.write(b, "", 99, secondRound("b3", "x", "y")) }, Violation, "begins by itself with"},
		"battle of one that waits":     {follows(between(500, "x", "y"), 0, false, asked("b3", "x", "y")), Violation, "is in battles"},
		"waits without its connection": {follows(between(500, "x", "y"), 0, false, gone("k1", "y")), Violation, "and is in no connection"},
		"leaves the series twice": {
			follows(between(500, "x", "y"), 0, false, quits("b2", "y"), quits("b2", "y")), Duplicated,
			"live y does not wait for the round after battle b2",
		},
		"alone":         {then(starts("b2", "x", "y"), exits("b2", "y")), Violation, "fewer than two sides"},
		"answers twice": {then(accepts("b2", "y"), accepts("b2", "y")), Duplicated, "is not asked any more"},
		"answers too late": {func(k *book) {
			x := asked("b2", "x", "y")
			x.GetBattleRequested().ExpiresAtMs = 90
			k.write(b, "", 85, x)
			k.write(b, "", 90, accepts("b2", "y"))
		}, Violation, "the deadline is 90"},
		"times out too early": {func(k *book) {
			x, no := asked("b2", "x", "y"), accepts("b2", "y")
			x.GetBattleRequested().ExpiresAtMs, no.GetInviteeAnswered().Answer = 90, battlev1.Entry_InviteeAnswered_TIMED_OUT
			k.write(b, "", 85, x)
			k.write(b, "", 89, no)
		}, Violation, "at 89 in phase 0: TIMED_OUT; the deadline is 90"},
		"starts without answers": {func(k *book) {
			x := asked("b2", "x", "y")
			x.GetBattleRequested().ExpiresAtMs = 90
			k.write(b, "", 85, x, starts("b2", "x", "y"))
		}, Violation, "1 have not answered"},
		"starts with others":      {then(starts("b2", "x")), Violation, "in it are"},
		"starts in the past":      {func(k *book) { k.write(b, "", 99, asked("b2", "x", "y"), starts("b2", "x", "y")) }, Violation, "is set at 99"},
		"opens twice":             {then(starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "x")), Duplicated, "opened before: true"},
		"starts before it opens":  {then(starts("b2", "x", "y"), opened("b2", "x"), runs("b2")), Violation, "starts before live y is open"},
		"starts before its time":  {then(starts("b2", "x", "y"), opened("b2", "x"), opened("b2", "y"), runs("b2")), Violation, "its time is 40"},
		"ends before its time":    {then(starts("b2", "x", "y"), runs("b2"), ending("b2")), Violation, "its end is 80"},
		"leaves while it settles": {then(starts("b2", "x", "y"), runs("b2"), ending("b2"), exits("b2", "x")), Duplicated, "leaves battle b2"},
		"closes twice":            {then(closed("b2", "x", 1), closed("b2", "x", 1)), Duplicated, "is closed twice"},
		"settles while it runs":   {then(starts("b2", "x", "y"), runs("b2"), settles("b2", 0, 0)), Violation, "in phase 2 ends with the result"},
		"wrong settlement":        {then(starts("b2", "x", "y"), runs("b2"), ending("b2"), closed("b2", "x", 1), closed("b2", "y", 0), settles("b2", 2, 0)), Violation, "closed with 1, exited: false, and settles with"},
		"wrong rank":              {then(starts("b2", "x", "y"), runs("b2"), ending("b2"), closed("b2", "x", 1), closed("b2", "y", 2), settles("b2", 1, 2)), Violation, "has rank 1, is 2"},
		"wrong winner":            {then(starts("b2", "x", "y"), runs("b2"), ending("b2"), closed("b2", "x", 1), closed("b2", "y", 2), settles("b2", 1, 2)), Violation, "is won by [x], draw: false, not by [y]"},
		"no draw":                 {then(starts("b2", "x", "y"), runs("b2"), ending("b2"), closed("b2", "x", 1), closed("b2", "y", 1), settles("b2", 1, 1)), Violation, "draw: false, not by [x y]"},
	})
}

func TestScoreFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"position twice":       {func(k *book) { k.write(s, "", 99, followed(2)) }, Duplicated, "is read after [2 0]"},
		"opens unannounced":    {func(k *book) { k.write(s, "", 99, followed(3), opens("b2", "x")) }, Violation, "BATTLE_00 was read to 3 and says <nil>"},
		"opens twice":          {func(k *book) { k.write(s, "", 99, opens("b1", "x")) }, Duplicated, "opens twice"},
		"opens in two battles": {func(k *book) { k.write(s, "", 99, opens("b2", "x"), opens("b3", "x")) }, Violation, "and is open in battle b2"},
		"does not close":       {func(k *book) { k.write(s, "", 99, opens("b2", "x")) }, Stuck, "does not close"},
		"closes too early":     {func(k *book) { k.Logs[s] = k.Logs[s][:3]; k.write(s, "", 79, closes("b1", "x", 10, 2)) }, Violation, "its time is over at 80"},
		"has left and is open": {func(k *book) {
			k.Logs[b] = k.Logs[b][:5]
			k.write(b, "", 50, exits("b1", "x"))
			k.Logs[s] = k.Logs[s][:1]
			k.write(s, "", 50, followed(6))
		}, Violation, "has left battle b1 in BATTLE_00/6 and is still open"},
		"settled without score": {func(k *book) { k.Logs[s] = k.Logs[s][:3] }, Violation, "was not closed"},
		"settled without opening": {func(k *book) {
			k.Logs[s] = nil
			k.write(s, "", 7, tombstone("b1", "x"), tombstone("b1", "y"))
		}, Violation, "settles with 10 points, counted are 0"},
		"opens after the tombstone":  {func(k *book) { k.write(s, "", 99, tombstone("b2", "x"), opens("b2", "x")) }, Duplicated, "of battle b2 opens twice"},
		"gift twice":                 {func(k *book) { k.write(s, "", 99, gift("g1", late, 0)) }, Duplicated, "{x g1} was decided"},
		"late gift with points":      {func(k *book) { k.write(s, "", 99, gift("g4", late, 5)) }, Violation, "with 5 points"},
		"late gift in time":          {func(k *book) { k.write(s, "", 99, opens("b2", "x"), gift("g4", late, 0)) }, Violation, "is LATE while its live is open in battle b2"},
		"counted after the close":    {func(k *book) { k.write(s, "", 99, gift("g4", counts, 5)) }, Violation, "not open"},
		"closes with something else": {func(k *book) { k.write(s, "", 99, opens("b2", "x"), closes("b2", "x", 7, 1)) }, Violation, "closes with 7 points of 1 gifts, counted are 0 of 0"},

		"lost gift":                    {func(k *book) { k.Gifts = append(k.Gifts, verdict("g9", counts, 5)) }, Lost, "{x g9}: answered COUNTED"},
		"another verdict":              {func(k *book) { k.Gifts[0] = verdict("g1", late, 0) }, Violation, "answered LATE"},
		"wrong points":                 {func(k *book) { k.Gifts[0].Points = 6 }, Violation, "it is worth 6"},
		"no battle for a counted gift": {func(k *book) { k.Gifts[0] = verdict("g1", noBattle, 0); k.Gifts[0].Window.Before = 8 }, Violation, "before the call"},
		"no battle while it is open":   {func(k *book) { k.Gifts[0] = verdict("g9", noBattle, 0); k.Gifts[0].Window = Window{2, 3} }, Violation, "its live was open in battle b1"},
		"no battle when it has begun": {func(k *book) {
			k.Gifts[0] = verdict("g9", noBattle, 0)
			k.Gifts[0].Window, k.Gifts[0].Battle = Window{0, 0}, 2
		}, Violation, "BATTLE_00/2, read before the call, has its live in battle b1"},
	})
}

func TestAnswerFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"lost command":       {func(k *book) { k.Ops[0].ID = "9" }, Lost, "answered ok, not in the log"},
		"answered too early": {func(k *book) { k.Ops[4].Own.After = 3 }, Violation, "answered ok at head 3"},
		"other effect":       {func(k *book) { k.Ops[0].Live = "y" }, Violation, "does something else"},
		"refused and done":   {func(k *book) { k.Ops[0].Outcome, k.Ops[0].Reason = Refused, "LIVE_EXISTS" }, Violation, "refused with LIVE_EXISTS at"},
		"refused, then done": {func(k *book) { k.write(c, "1b", 99, created("z")) }, Duplicated, "command 1b was decided in group 2"},
		"refusal not kept":   {func(k *book) { k.Ops[2].ID = "9" }, Lost, "CreateLive 9 of x: refused with LIVE_EXISTS, not in the log"},
		"refused too early":  {func(k *book) { k.Ops[2].Own.After = 1 }, Violation, "refused with LIVE_EXISTS at head 1, decided in group 2"},
		"refused otherwise":  {func(k *book) { k.Ops[2].Reason = "LIVE_NOT_FOUND" }, Violation, "refused with LIVE_NOT_FOUND, with LIVE_EXISTS in group 2"},
		"target not kept": {func(k *book) {
			k.Ops[3].Others = []string{"y", "z"}
		}, Lost, "3/z of x: refused with some reason, not in the log"},
		"nothing to do": {func(k *book) {
			k.also(c, "8", 90, "")
			k.Ops = append(k.Ops, Op{Kind: EndLive, Live: "x", ID: "8", Own: Window{4, 5}, Outcome: OK})
		}, Violation, "answered ok, the decision in group 5 does something else"},
		"nothing to do in a battle": {func(k *book) {
			k.also(b, "8", 90, "")
			k.Ops = append(k.Ops, Op{Kind: AcceptBattle, Live: "z", Battle: "b1", ID: "8", Own: Window{6, 7}, Outcome: OK})
		}, Violation, "answered ok, the decision in group 7 does something else"},
		"wrong reason": {func(k *book) { k.Ops[2].Reason = "LIVE_NOT_FOUND" }, Violation, "which was not so"},
		"internal":     {func(k *book) { k.Ops[2].Reason = "INTERNAL" }, Violation, "INTERNAL"},
		"valid targets": {func(k *book) {
			k.Ops[5].Outcome, k.Ops[5].Reason, k.Ops[5].ID = Refused, "NO_VALID_TARGET", "7"
			k.Ops[5].Own, k.Ops[5].Since, k.Ops[5].SinceCohost, k.Ops[5].Cohost = Window{7, 7}, 7, 4, Window{4, 4}
			k.Ops[5].Request = &battlev1.RequestBattleRequest{InviterLiveId: "x", TargetLiveIds: []string{"y"}}
			k.also(b, "7", 90, "NO_VALID_TARGET")
			k.Logs[c], k.Ops = k.Logs[c][:4], k.Ops[:6]
		}, Violation, "NO_VALID_TARGET, which was not so"},
	})
}

// A gift counted outside of the battle's time.
func TestCountedOutOfTime(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{39, 80} {
		k := good()
		k.Logs[s] = k.Logs[s][:1]
		k.write(s, "", at, gift("g1", counts, 5))
		if f := Check(k.Run).Findings; len(f) == 0 || !strings.Contains(f[0].Text, "the battle takes 40 to 80") {
			t.Errorf("at %d: %v", at, f)
		}
	}
}
