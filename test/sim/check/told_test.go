package check

import (
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Answers to questions about the good run, by number.
const (
	readActive = iota
	readUnknown
	readInvited
	readConnected
	readRunning
	readResult
	readReceipt
	readNoReceipt
)

// ask adds right answers to questions.
func (k *book) ask() {
	battle := func(b *battlev1.Battle) *battlev1.Battle {
		b.BattleId, b.StartsAt, b.EndsAt = "b1", timestamppb.New(time.UnixMilli(40)), timestamppb.New(time.UnixMilli(80))
		b.Users = []*battlev1.BattleUser{{LiveId: "x", State: battlev1.BattleUser_JOINED}, {LiveId: "y", State: battlev1.BattleUser_JOINED}}
		return b
	}
	k.Reads = []Read{
		readActive: {Question: AskLive, ID: "x", Window: Window{4, 5}, Live: &cohostv1.Live{
			LiveId: "x", Kind: cohostv1.Live_VIDEO, Host: hostOf("x"), Status: cohostv1.Live_ACTIVE, CreatedAt: moment(1), ConnectionId: "k1",
		}},
		readUnknown: {Question: AskLive, ID: "z", Window: Window{4, 5}},
		readInvited: {Question: AskCoHost, ID: "y", Window: Window{2, 3}, CoHost: &cohostv1.CoHostState{
			LiveId: "y", Status: cohostv1.CoHostState_DISCONNECTED,
			Applicants: []*cohostv1.Invitation{invitation("i1", "x", "y")}, Applicant: invitation("i1", "x", "y"),
		}},
		readConnected: {Question: AskCoHost, ID: "y", Window: Window{4, 4}, CoHost: &cohostv1.CoHostState{
			LiveId: "y", Status: cohostv1.CoHostState_CONNECTED, ConnectionId: "k1", Layout: grid,
			Connected: []*cohostv1.Member{{LiveId: "x", Host: hostOf("x"), JoinedAt: moment(4)}, {LiveId: "y", Host: hostOf("y"), JoinedAt: moment(4)}},
		}},
		readRunning: {Question: AskBattle, ID: "b1", Window: Window{1, 5}, Battle: battle(&battlev1.Battle{Status: battlev1.Battle_RUNNING})},
		readResult: {Question: AskBattle, ID: "b1", Window: Window{7, 7}, Battle: battle(&battlev1.Battle{
			Status: battlev1.Battle_ENDED, Result: k.settlesAll("b1", 10, 2).GetBattleEnded().GetResult(),
		})},
		readReceipt:   {Question: AskGift, ID: "x", Event: "g2", Window: Window{3, 3}, Receipt: &scorev1.GiftVerdict{Verdict: counts, Points: 5, BattleId: "b1"}},
		readNoReceipt: {Question: AskGift, ID: "x", Event: "g3", Window: Window{4, 9}},
	}
	k.Gifters = []Gifters{{Where: "Redis", Battle: "b1", Live: "x", Points: map[string]int64{"fan": 10}}}
	k.Scores = []Scores{
		{Where: "API", Battle: "b1", Points: points(5, 0), Windows: map[string]Window{s: {2, 4}}},
		{Where: "Redis", Battle: "b1", Points: points(10, 0), Windows: map[string]Window{"x": {3, 3}, "y": {4, 4}}},
		{Where: "Redis", Battle: "b1", Points: points(10, 0), Windows: map[string]Window{"x": {4, 4}, "y": {4, 4}}, Final: true},
	}
}

func points(x, y int64) map[string]int64 { return map[string]int64{"host of x": x, "host of y": y} }

func invitation(id, from, to string) *cohostv1.Invitation {
	return &cohostv1.Invitation{
		InvitationId: id, Inviter: &cohostv1.Member{LiveId: from, Host: hostOf(from)}, Invitee: &cohostv1.Member{LiveId: to, Host: hostOf(to)},
		LayoutTemplate: grid, CreatedAt: moment(3), ExpiresAt: moment(1000),
	}
}

func TestSettlementFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"wrong proof": {func(k *book) { k.settled(func(r *battlev1.BattleResult) { r.GetLives()[0].Proof.ChainHash[0]++ }) }, Violation, "live x was open from group 1 to 4"},
		"wrong MVP":   {func(k *book) { k.settled(func(r *battlev1.BattleResult) { r.GetLives()[0].MvpUserId = "other" }) }, Violation, "the best gifters of live x are [{fan 10}]"},
		"wrong gifts": {func(k *book) {
			k.settled(func(r *battlev1.BattleResult) { r.GetLives()[0].GetTopGifters()[0].Points = 5 })
		}, Violation, "says [{fan 5}]"},
		"wrong draw": {func(k *book) { k.settled(func(r *battlev1.BattleResult) { r.Draw = true }) }, Violation, "is won by [x], draw: true, not by [x]"},
	})
}

func TestVerdictFaults(t *testing.T) {
	t.Parallel()
	sent := func(id string, at int64, v scorev1.GiftVerdict_Verdict, reason string) *scorev1.Entry {
		e := gift(id, v, 0)
		e.GetGiftDecided().SentAtMs, e.GetGiftDecided().Reason = at, reason
		return e
	}
	find(t, map[string]plant{
		"old and counted":    {func(k *book) { k.write(s, "", maxAge+1, gift("g4", late, 0)) }, Violation, "sent 86400001 ms ago"},
		"ahead and late":     {func(k *book) { k.write(s, "", 99, sent("g4", 100+maxAhead, late, "")) }, Violation, "sent 300001 ms ahead"},
		"rejected":           {func(k *book) { k.write(s, "", 99, sent("g4", 90, rejected, "TOO_OLD")) }, Violation, "for TOO_OLD, which it is not"},
		"late for another":   {func(k *book) { k.write(s, "", 99, opens("b2", "x"), closes("b2", "x", 0, 0), gift("g4", late, 0)) }, Violation, "which has not closed last"},
		"late long after":    {func(k *book) { k.write(s, "", 80+lateWindow, sent("g4", 80, late, "")) }, Violation, "ended 10000 ms before"},
		"stored for nothing": {func(k *book) { k.write(s, "", 99, gift("g4", noBattle, 0)) }, Violation, "g4} is NO_BATTLE in the log"},
		"does not overflow":  {func(k *book) { k.Logs[s] = k.Logs[s][:1]; k.write(s, "", 50, sent("g1", 0, rejected, "OVERFLOW")) }, Violation, "for OVERFLOW, which it is not"},
	})
}

func TestInputFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"nobody sent it":  {func(k *book) { k.Sent = k.Sent[1:] }, Violation, "gift {x g1} is COUNTED, nobody has sent it"},
		"sent another":    {func(k *book) { k.Sent[1].Event.Count = 2 }, Violation, "gift {x g2} is COUNTED, nobody has sent it"},
		"not worth it":    {func(k *book) { k.Logs[s] = k.Logs[s][:1]; k.write(s, "", 50, gift("g1", counts, 6)) }, Violation, "counted with 6 points, it is worth 5"},
		"told to count":   {func(k *book) { k.Gifts = append(k.Gifts, verdict("g2", counts, 5), verdict("g9", counts, 5)) }, Lost, "settles with 10 points, its senders were told that 15 count"},
		"counts too much": {func(k *book) { k.Sent[1].Answered = true }, Duplicated, "settles with 10 points, sent were gifts for 5, and for 0 without"},
		"told of another": {func(k *book) { k.Gifts[0].Sent.Count = 3 }, Violation, "for another gift than the log has"},
		"no duplicate":    {func(k *book) { k.Gifts[0] = verdict("g1", scorev1.GiftVerdict_DUPLICATE, 0) }, Violation, "it is the gift that the log has"},
	})
}

func TestReadFaults(t *testing.T) {
	t.Parallel()
	find(t, map[string]plant{
		"live read too early": {func(k *book) { k.Reads[readActive].Window = Window{0, 2} }, Violation, "GetLive of x"},
		"live read too late":  {func(k *book) { k.Reads[readActive].Window = Window{5, 5} }, Violation, "GetLive of x"},
		"live denied":         {func(k *book) { k.Reads[readUnknown].ID = "y" }, Violation, "GetLive of y"},
		"invitation left out": {func(k *book) { k.Reads[readInvited].CoHost.Applicants = nil; k.Reads[readInvited].Window.Before = 3 }, Violation, "GetCoHostState of y"},
		"invitation made up":  {func(k *book) { k.Reads[readInvited].CoHost.Applicants[0].InvitationId = "i9" }, Violation, "GetCoHostState of y"},
		"member left out": {func(k *book) {
			k.Reads[readConnected].CoHost.Connected = k.Reads[readConnected].CoHost.GetConnected()[:1]
		}, Violation, "GetCoHostState of y"},
		"member read too early": {func(k *book) { k.Reads[readConnected].Window = Window{0, 3} }, Violation, "GetCoHostState of y"},
		"invitation turned round": {func(k *book) {
			k.Reads[readInvited].CoHost.Applicants[0] = invitation("i1", "y", "x")
		}, Violation, "GetCoHostState of y"},
		"battle read too early":  {func(k *book) { k.Reads[readRunning].Window = Window{0, 4} }, Violation, "GetBattle of b1"},
		"battle of another time": {func(k *book) { k.Reads[readRunning].Battle.EndsAt.Seconds++ }, Violation, "GetBattle of b1"},
		"battle denied":          {func(k *book) { k.Reads[readRunning].Battle = nil; k.Reads[readRunning].Window.Before = 2 }, Violation, "GetBattle of b1"},
		"other result":           {func(k *book) { k.Reads[readResult].Battle.Result = settles("b1", 11, 0).GetBattleEnded().GetResult() }, Violation, "GetBattle of b1"},
		"result left out":        {func(k *book) { k.Reads[readResult].Battle.Result = nil }, Violation, "GetBattle of b1"},
		"proof left out":         {func(k *book) { k.Reads[readResult].Battle.Result.Lives[0].Proof = nil }, Violation, "GetBattle of b1"},
		"other receipt":          {func(k *book) { k.Reads[readReceipt].Receipt.Points = 6 }, Violation, "GetGift of x g2"},
		"receipt of nothing":     {func(k *book) { k.Reads[readReceipt].Event = "g9" }, Violation, "GetGift of x g9"},
		"receipt denied":         {func(k *book) { k.Reads[readNoReceipt].Window.Before = 5 }, Violation, "GetGift of x g3"},

		"score never reached": {func(k *book) { k.Scores[0].Points = points(7, 0) }, Violation, "API: battle b1: live x is told to have 7 points"},
		"score of later":      {func(k *book) { k.Scores[0].Windows[s] = Window{0, 1} }, Violation, "API: battle b1: live x is told to have 5 points"},
		"score of earlier":    {func(k *book) { k.Scores[1].Points = points(5, 0) }, Violation, "Redis: battle b1: live x is told to have 5 points"},
		"score left out":      {func(k *book) { delete(k.Scores[1].Points, "host of y") }, Violation, "there is no score for live y"},
		"wrong gifters":       {func(k *book) { k.Gifters[0].Points["fan"]++ }, Violation, "Redis: battle b1: the gifters of live x are told to be map[fan:11]"},
		"gifters of nobody":   {func(k *book) { k.Gifters[0].Live = "z" }, Violation, "the gifters of live z"},
		"wrong final score":   {func(k *book) { k.Scores[2].Points = points(5, 0) }, Violation, "5 points in the end, it has 10"},
		"final too early":     {func(k *book) { k.Scores[2].Windows["x"] = Window{3, 3} }, Violation, "in the end"},
	})
}

// What gifts are worth, by the examples of the rules.
func TestWorth(t *testing.T) {
	t.Parallel()
	for want, e := range map[int64]*scorev1.GiftEvent{
		50:  {Category: scorev1.GiftEvent_BASIC, UnitValue: 10},
		800: {Category: scorev1.GiftEvent_INTERMEDIATE, UnitValue: 50, Count: 2},
		12:  {Category: scorev1.GiftEvent_ADVANCED, UnitValue: 1, Count: 1},
		999: {Category: scorev1.GiftEvent_SPECIAL, UnitValue: 99, FixedScore: 999},
		7:   {Category: scorev1.GiftEvent_LIKE, UnitValue: 7},

		math.MaxInt64: {Category: scorev1.GiftEvent_ADVANCED, UnitValue: 1_000_000_000_000, Count: 1_000_000},
	} {
		if got := Worth(e); got != want {
			t.Errorf("%v is worth %d, got %d", e, want, got)
		}
	}
	if add(math.MaxInt64-1, 2) != math.MaxInt64 {
		t.Error("a sum wraps")
	}
}

// A gift that alone is more than any total can hold overflows.
func TestOverflow(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		total, unit, count int64
		overflows          bool
	}{
		{0, 1_000_000_000_000, 1_000_000, true},
		{0, 1_000_000_000, 1_000_000, false},
		{math.MaxInt64 - 59, 5, 1, true},
		{math.MaxInt64 - 60, 5, 1, false},
	} {
		g := &scorev1.GiftEvent{Category: scorev1.GiftEvent_ADVANCED, UnitValue: row.unit, Count: row.count}
		if overflows(row.total, g) != row.overflows {
			t.Errorf("%+v: it does not", row)
		}
	}
}

// Spans tell what a deadline brought.
func TestSpans(t *testing.T) {
	t.Parallel()
	k := good()
	k.write(c, "", 100, sent("i2", "x", "y"))
	k.write(c, "", 1001, over("i2", "x", "y", cohostv1.Entry_InvitationEnded_TIMED_OUT))
	want := Span{What: "invitation i2 times out", Log: c, From: 6, To: 7, Takes: 900}
	if spans := Check(k.Run).Spans; len(spans) == 0 || spans[0] != want {
		t.Errorf("%v", spans)
	}
}
