package check

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// happens has a step happen at another time, and what follows not before it.
func happens(id string, at int64) func(*bout) {
	return func(k *bout) {
		later := false
		for _, m := range k.steps {
			if later = later || m.id == id; later && m.log == "BATTLE_00" {
				m.at = max(m.at, at)
			}
		}
		k.step(id).at = at
	}
}

// without takes a step's n-th entry out.
func without(id string, n int) func(*bout) {
	return func(k *bout) {
		m := k.step(id)
		m.entries = append(append([]proto.Message{}, m.entries[:n]...), m.entries[n+1:]...)
	}
}

func also(id string, entries ...proto.Message) func(*bout) {
	return func(k *bout) { k.step(id).entries = append(k.step(id).entries, entries...) }
}

func TestProposalFaults(t *testing.T) {
	t.Parallel()
	findInBout(t, map[string]harm{
		"consent from outside":      {func(k *bout) { k.step("consents").entries[0] = consents("z", longer) }, Violation, "live z consents to EXTEND by 2000 ms"},
		"consent to nothing":        {func(k *bout) { k.step("consents").entries[0] = consents("y", subject{longer.kind, 1000}) }, Violation, "proposed: false"},
		"consents twice":            {also("proposes", consents("x", longer)), Duplicated, "consents to EXTEND by 2000 ms twice"},
		"consent after the lapse":   {happens("consents", 1500), Violation, "live y consents to EXTEND by 2000 ms of battle b1 at 1500"},
		"consent of nobody":         {without("consents", 0), Violation, "no admin has said so"},
		"consent without effect":    {without("consents", 1), Violation, "all in battle b1 have agreed to EXTEND by 2000 ms, and nothing comes of it"},
		"agreed end without effect": {without("agrees", 1), Violation, "have agreed to END by 0 ms, and nothing comes of it"},
		"cut short by one":          {without("agrees", 0), Violation, "ends by CUT_SHORT"},
		"cut short for nothing":     {func(k *bout) { k.step("agrees").entry(1).GetBattleEnding().Detail = "" }, Violation, `cut short for "", proposed was that for "please"`},
		"proposed twice":            {also("would end", proposed("y", toEnd, 1700, "")), Duplicated, "which is proposed"},
		"two of a kind":             {also("proposes", proposed("x", subject{longer.kind, 1000}, 1500, "")), Duplicated, "or another one of its kind: true"},
		"proposed from outside":     {also("would end", proposed("z", subject{longer.kind, 1000}, 1700, "")), Violation, "live z proposes"},
		"proposed before the start": {also("opened", proposed("x", toEnd, 1130, "")), Violation, "in phase 1"},
		"lapses at another time":    {func(k *bout) { k.step("would end").entry(0).GetProposalMade().ExpiresAtMs++ }, Violation, "is to lapse at 1701"},
		"lapses too early":          {func(k *bout) { k.step("lapses").at = 1699 }, Violation, "lapses at 1699; its time is over at 1700"},
		"lapses twice":              {also("lapses", lapses(toEnd)), Duplicated, "lapses and does not wait"},
		"lapses too late":           {func(k *bout) { k.Rest = map[string]uint64{b: 1}; k.lateLapse() }, Violation, "lapses 1001 ms late"},
		"extended by more":          {func(k *bout) { k.step("consents").entry(1).GetBattleExtended().EndsAtMs++ }, Violation, "is extended at 600 to 5421"},
		"extended too far":          {func(k *bout) { k.Limits.LongestBattle = 4999 }, Violation, "is extended at 600 to 5420"},
		"extended by nobody":        {also("lapses", extended(500, 5920)), Violation, "no admin has said so"},
		"closes at another end":     {func(k *bout) { e := ending("b1"); e.GetBattleEnding().EndsAtMs = 3420; k.step("agrees").entries[1] = e }, Violation, "its lives are to close at 3420"},
		"forfeit with two sides":    {func(k *bout) { k.step("agrees").entry(1).GetBattleEnding().Reason = battlev1.Battle_FORFEIT }, Violation, "ends by FORFEIT"},
		"forfeit of a live that ended": {func(k *bout) {
			x := exits("b1", "x")
			x.GetUserExited().Reason = battlev1.Entry_UserExited_LIVE_ENDED
			e := ending("b1")
			e.GetBattleEnding().Reason = battlev1.Battle_FORFEIT
			k.step("agrees").entries = []proto.Message{x, e}
		}, Violation, "ends by FORFEIT"},
		"ends otherwise": {func(k *bout) { k.step("settled").entry(2).GetBattleEnded().Reason = battlev1.Battle_TIME_OVER }, Violation, "was ending by CUT_SHORT and ends by TIME_OVER"},
	})
}

// lateLapse has a proposal lapse late, long after faults have stopped.
func (b *bout) lateLapse() {
	for _, m := range b.steps {
		if m.at >= 700 {
			m.at += 20_000
		}
	}
	b.Limits.LongestBattle, b.Limits.Proposal = 0, 0
	b.step("asks").entry(0).GetBattleRequested().Config.DurationSeconds = 60
	b.step("takes back").entry(1).GetBattleStarting().EndsAtMs = 60_420
	b.step("consents").entry(1).GetBattleExtended().EndsAtMs = 62_420
	b.step("would end").entry(0).GetProposalMade().ExpiresAtMs = 20_699
}

func TestAdminFaults(t *testing.T) {
	t.Parallel()
	findInBout(t, map[string]harm{
		"ended by no admin":        {func(k *bout) { k.ops["admin ends"].Live = "x" }, Violation, "battle b2 ends by TERMINATED, and no admin has said so"},
		"terminated by no admin":   {func(k *bout) { k.step("agrees").entry(1).GetBattleEnding().Reason = battlev1.Battle_TERMINATED }, Violation, "ends by TERMINATED"},
		"voided by no admin":       {func(k *bout) { k.ops["admin voids"].Kind = EndBattle }, Violation, "battle b3 ends by VOIDED, and no admin has said so"},
		"another battle is voided": {func(k *bout) { k.ops["admin voids"].Battle = "b2" }, Violation, "battle b3 ends by VOIDED, and no admin has said so"},
		"void with a result":       {func(k *bout) { k.step("settled").entry(2).GetBattleEnded().Reason = battlev1.Battle_VOIDED }, Violation, "ends with the result"},
		"void and counts":          {func(k *bout) { k.step("voids").entries = k.step("voids").entries[:2] }, Violation, "battle b3 ended in BATTLE_00/24 without a result, and live z still counts for it"},
		"other words":              {func(k *bout) { k.step("admin voids").entry(0).GetBattleEnded().Detail = "" }, Violation, `nobody has asked for command "admin voids"`},
		"as another host":          {func(k *bout) { k.ops["accepts"].As = "z" }, Violation, "as the host of z: answered ok"},
		"as a host":                {func(k *bout) { k.ops["admin voids"].As = "x" }, Violation, `VoidBattle admin voids of "" as the host of x`},
		"its own host":             {func(k *bout) { o := k.ops["too late"]; o.As, o.Reason = "x", "PERMISSION_DENIED" }, Violation, "refused with PERMISSION_DENIED"},
	})
}

func TestRequestFaults(t *testing.T) {
	t.Parallel()
	asks := func(k *bout) *battlev1.Entry_BattleRequested { return k.step("asks").entry(0).GetBattleRequested() }
	again := func(k *bout) *battlev1.Entry_BattleRequested { return k.step("again").entry(0).GetBattleRequested() }
	findInBout(t, map[string]harm{
		"other words":     {func(k *bout) { asks(k).Config.ExtensionInfo = "" }, Violation, "RequestBattle asks of x: answered ok, the decision in group 2 does something else"},
		"other teams":     {func(k *bout) { asks(k).Config.Teams[0].TeamId = "c" }, Violation, "RequestBattle asks of x: answered ok"},
		"other mode":      {func(k *bout) { asks(k).Config.Mode = battlev1.BattleConfig_FREE_FOR_ALL }, Violation, "RequestBattle asks of x: answered ok"},
		"other timeout":   {func(k *bout) { asks(k).ExpiresAtMs++ }, Violation, "RequestBattle asks of x: answered ok"},
		"no timeout":      {func(k *bout) { asks(k).ExpiresAtMs = 0 }, Violation, "needs a response: true, and times out at 0"},
		"target left out": {func(k *bout) { asks(k).Invitees = asks(k).GetInvitees()[:1] }, Violation, "RequestBattle asks of x: answered ok"},
		"target refused": {func(k *bout) {
			asks(k).Refused = []*battlev1.Entry_RefusedTarget{{Target: "z", Reason: "IN_OTHER_BATTLE"}}
			asks(k).Invitees = asks(k).GetInvitees()[:1]
		}, Violation, "RequestBattle asks of x: answered ok"},
		"told otherwise":     {func(k *bout) { k.ops["asks"].Refusals = map[string]string{"z": "NO_VALID_TARGET"} }, Violation, "RequestBattle asks of x: answered ok"},
		"made another":       {func(k *bout) { k.ops["asks"].Made = "b2" }, Violation, "RequestBattle asks of x: answered ok"},
		"too many":           {func(k *bout) { k.Limits.BattleLiveRate = 1 }, Violation, "RequestBattle asks one of x: answered ok"},
		"too many of a user": {func(k *bout) { k.Limits.BattleUserRate = 1 }, Violation, "RequestBattle asks one of x: answered ok"},
		"by old connections": {func(k *bout) {
			k.ops["asks"].SinceCohost, k.ops["asks"].Cohost = 7, Window{7, 7}
			k.write(c, "", 50, left("k1", "z"))
		}, Violation, "by connections of before the call"},

		"rematch before the end":   {func(k *bout) { again(k).RematchOf = "b9" }, Violation, "is a rematch of battle b9, over: false"},
		"rematch of others":        {func(k *bout) { again(k).Invitees = append(again(k).GetInvitees(), participant("z")) }, Violation, "is a rematch of battle b1, over: true"},
		"rematch in another way":   {func(k *bout) { again(k).Config.DurationSeconds++ }, Violation, "Rematch again of y: answered ok"},
		"rematch with other sides": {func(k *bout) { again(k).Config.Teams[0].TeamId = "b" }, Violation, "Rematch again of y: answered ok"},
		"rematch of no battle":     {func(k *bout) { again(k).RematchOf = "" }, Violation, "Rematch again of y: answered ok"},

		"taken back from another": {func(k *bout) { k.ops["takes back"].Others = []string{"y"} }, Violation, "CancelBattleRequest takes back of x: answered ok"},
		"taken back by another":   {func(k *bout) { k.ops["takes back"].Live = "y" }, Violation, `nobody has asked for command "takes back"`},
		"proposed by another":     {func(k *bout) { k.ops["proposes"].Live = "y" }, Violation, `nobody has asked for command "proposes"`},
		"other extension":         {func(k *bout) { k.ops["proposes"].Request = &battlev1.ExtendBattleRequest{ExtendSeconds: 1} }, Violation, "ExtendBattle proposes of x: answered ok"},
		"nothing proposed":        {func(k *bout) { k.step("would end").entries = nil }, Violation, "EndBattle would end of x: answered ok"},
	})
}

// A request names hosts, which are found among those connected with the inviter.
func TestRequestByUsers(t *testing.T) {
	t.Parallel()
	byUsers := func(change func(k *bout, r *battlev1.RequestBattleRequest)) []Finding {
		k := newBout()
		for _, e := range k.step("copy").entries[1:] {
			joined := e.(*battlev1.Entry).GetConnectionJoined()
			joined.Host = hostOf(joined.GetLiveId())
		}
		o := k.ops["asks"]
		r := o.Request.(*battlev1.RequestBattleRequest)
		r.TargetLiveIds, r.TargetUserIds = nil, []string{hostOf("y").GetUserId(), hostOf("z").GetUserId()}
		o.Others, o.Accepted = r.GetTargetUserIds(), r.GetTargetUserIds()
		change(k, r)
		return Check(k.run()).Findings
	}
	if f := byUsers(func(*bout, *battlev1.RequestBattleRequest) {}); len(f) > 0 {
		t.Error(f)
	}
	for name, change := range map[string]func(k *bout, r *battlev1.RequestBattleRequest){
		"another": func(_ *bout, r *battlev1.RequestBattleRequest) { r.TargetUserIds[1] = hostOf("v").GetUserId() },
		"twice":   func(_ *bout, r *battlev1.RequestBattleRequest) { r.TargetUserIds[1] = r.GetTargetUserIds()[0] },
		"by live": func(k *bout, _ *battlev1.RequestBattleRequest) { k.ops["asks"].Accepted = []string{"y", "z"} },
		"no seat": func(_ *bout, r *battlev1.RequestBattleRequest) { r.Config.Teams[1].LiveIds[1] = "v" },
	} {
		findings := byUsers(change)
		if !slices.ContainsFunc(findings, func(f Finding) bool {
			return strings.Contains(f.Text, "RequestBattle asks of x: answered ok, the decision in group 2 does something else")
		}) {
			t.Errorf("%s: not found; found %v", name, findings)
		}
	}
}

// Why a battle has never started.
func TestNeverFaults(t *testing.T) {
	t.Parallel()
	const by = "never starts by "
	findInBout(t, map[string]harm{
		"gone at the last answer": {func(k *bout) {
			k.does("rejects", 2120, Op{Kind: RejectBattle, Live: "x", Battle: "b2"}, answered("b2", "x", battlev1.Entry_InviteeAnswered_REJECTED), neverBegins("b2", battlev1.Entry_BattleEnded_TIMED_OUT))
		}, Violation, by + "TIMED_OUT"},
		"taken back by nobody": {func(k *bout) {
			k.then("BATTLE_00", "by itself", 2120, neverBegins("b2", battlev1.Entry_BattleEnded_CANCELLED))
		}, Violation, by + "CANCELLED"},
		"taken back by another": {func(k *bout) {
			k.does("takes", 2120, Op{Kind: CancelBattle, Live: "x", Battle: "b2"}, neverBegins("b2", battlev1.Entry_BattleEnded_CANCELLED))
		}, Violation, by + "CANCELLED"},
		"given up with two sides": {func(k *bout) {
			k.then("BATTLE_00", "by itself", 2120, neverBegins("b2", battlev1.Entry_BattleEnded_ABORTED))
		}, Violation, by + "ABORTED"},
		"given up too early": {func(k *bout) {
			k.then("BATTLE_00", "by itself", 2350, neverBegins("b3", battlev1.Entry_BattleEnded_ABORTED))
		}, Violation, by + "ABORTED"},
	})
}

func neverBegins(id string, why battlev1.Entry_BattleEnded_Never) *battlev1.Entry {
	e := stops(id, battlev1.Battle_NEVER_STARTED, "")
	e.GetBattleEnded().Never = why
	return e
}

// The deadline of the battle that a rematch is of comes first: b3, which no score partition opens, is given up in the decision that has it again.
func TestRematchAtTheDeadline(t *testing.T) {
	t.Parallel()
	late := func(refused string) Run {
		k := newBout()
		request := &battlev1.RematchRequest{BattleId: "b3", LiveId: "x", Config: &battlev1.BattleConfig{DurationSeconds: 3, NeedResponse: true}, TimeoutSeconds: 1}
		aborted := neverBegins("b3", battlev1.Entry_BattleEnded_ABORTED)
		config := proto.CloneOf(request.GetConfig())
		config.Mode = battlev1.BattleConfig_FREE_FOR_ALL
		again := requests("b4", config, 8600, "x", "z")
		again.GetBattleRequested().RematchOf = "b3"
		m := k.step("admin voids")
		m.at, m.entries, m.refused = 7600, []proto.Message{aborted, again}, refused
		o := k.ops["admin voids"]
		o.Kind, o.Live, o.Battle, o.Made, o.Accepted, o.Request = Rematch, "x", "b3", "b4", []string{"z"}, request
		k.step("voids").at = 7610
		if refused == "" {
			k.does("admin ends b4", 7700, Op{Kind: EndBattle, Battle: "b4", Request: &battlev1.EndBattleRequest{BattleId: "b4"}}, stops("b4", battlev1.Battle_TERMINATED, ""))
		} else {
			o.Outcome, o.Reason = Refused, refused
			k.then("BATTLE_00", "gives up", 7601, aborted)
		}
		return k.run()
	}
	if f := Check(late("")).Findings; len(f) > 0 {
		t.Error(f)
	}
	for _, reason := range []string{"IN_OTHER_BATTLE", "NOT_IN_BATTLE", "BATTLE_ALREADY_RUNNING", "BATTLE_NOT_STARTED"} {
		findings := Check(late(reason)).Findings
		if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Text, "refused with "+reason+", which was not so") }) {
			t.Errorf("%s: not found; found %v", reason, findings)
		}
	}
}

// An extension that is too long is refused once the battle begins: that may be the decision that refuses it, which leaves nothing in the log.
func TestTooLongAtTheStart(t *testing.T) {
	t.Parallel()
	a := answers{limits: Limits{LongestBattle: 6000}}
	o := Op{Kind: ExtendBattle, Live: "x", Battle: "b1", Request: &battlev1.ExtendBattleRequest{ExtendSeconds: 9}}
	both, one := map[string]bool{"x": true, "y": true}, map[string]bool{"x": true}
	for name, x := range map[string]struct {
		b     fight
		right bool
	}{
		"asked":       {fight{phase: requested, holds: both}, false},
		"opening":     {fight{phase: starting, holds: both, opened: one}, false},
		"about to":    {fight{phase: starting, holds: both, opened: both}, true},
		"running":     {fight{phase: running, holds: both}, true},
		"settling":    {fight{phase: settling, holds: both, opened: both}, false},
		"short of it": {fight{phase: starting, holds: both, opened: both, endsAt: -3000}, false},
	} {
		if got := a.momentary(o, fights{open: map[string]fight{"b1": x.b}}); got != x.right {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What a refusal says was not so: each reason, given where it does not hold.
func TestBattleReasonFaults(t *testing.T) {
	t.Parallel()
	harms := map[string]harm{}
	for reason, ids := range map[string][]string{
		"BATTLE_NOT_FOUND": {"early", "too late", "again too soon"}, "BATTLE_ENDED": {"early", "proposes more", "is not in", "again too soon"},
		"NOT_IN_BATTLE": {"early", "proposes more", "again too soon"}, "BATTLE_NOT_STARTED": {"proposes more", "is not in", "again too soon", "too late"},
		"BATTLE_ALREADY_RUNNING": {"not asked", "early", "too late"}, "INVITATION_ENDED": {"not asked", "early"}, "BATTLE_NOT_STARTED_BY_LIVE": {"not asked"},
		"BATTLE_REQUEST_PENDING": {"early", "is not in", "too late"}, "IN_OTHER_BATTLE": {"is taken"}, "NO_VALID_TARGET": {"is taken"},
		"CONNECTION_NOT_FOUND": {"is taken"}, "INVALID_ARGUMENT": {"proposes more", "is taken"}, battleRateLimited: {"is taken"}, "INTERNAL": {"early"},
	} {
		for _, id := range ids {
			harms[id+" "+reason] = harm{func(k *bout) { k.ops[id].Reason, k.step(id).refused = reason, reason }, Violation, "refused with " + reason + ", which was not so"}
		}
	}
	findInBout(t, harms)
}

func TestTeamFaults(t *testing.T) {
	t.Parallel()
	teams := func(change func(*battlev1.BattleResult)) func(*bout) {
		return func(k *bout) {
			r := k.step("settled").entry(2).GetBattleEnded().GetResult()
			r.Teams, r.WinnerTeamIds = []*battlev1.TeamResult{{TeamId: "a", Score: 5, Rank: 1}, {TeamId: "b", Rank: 2}}, []string{"a"}
			change(r)
		}
	}
	findInBout(t, map[string]harm{
		"wrong sum":      {teams(func(r *battlev1.BattleResult) { r.Teams[0].Score = 4 }), Violation, "team a of battle b1 has 5 points"},
		"wrong rank":     {teams(func(r *battlev1.BattleResult) { r.Teams[1].Rank = 1 }), Violation, "team b of battle b1 has 0 points and rank 2"},
		"wrong winner":   {teams(func(r *battlev1.BattleResult) { r.WinnerTeamIds = []string{"b"} }), Violation, "is won by the teams [a]"},
		"team left out":  {teams(func(r *battlev1.BattleResult) { r.Teams = r.GetTeams()[:1] }), Violation, "is won by the teams [a]"},
		"live that wins": {teams(func(r *battlev1.BattleResult) { r.WinnerLiveIds = []string{"y"} }), Violation, "is won by [y], draw: false, not by [x]"},
	})
}

func TestCountedLongerFaults(t *testing.T) {
	t.Parallel()
	findInBout(t, map[string]harm{
		"longer than the battle": {func(k *bout) {
			for _, e := range k.step("longer").entries[1:] {
				e.(*scorev1.Entry).GetLiveExtended().EndsAtMs++
			}
		}, Violation, "of battle b1 is extended to 5421"},
		"longer too soon": {func(k *bout) { k.step("longer").entries = k.step("longer").entries[1:] }, Violation, "of battle b1 is extended to 5420"},
		"not longer": {func(k *bout) {
			k.step("longer").entries = k.step("longer").entries[:1]
			e := ending("b1")
			e.GetBattleEnding().EndsAtMs = 5420
			k.step("agrees").entries[1] = e
		}, Violation, "its time is over at 5420, counted was until 3420"},
	})
}

func TestBattleReadFaults(t *testing.T) {
	t.Parallel()
	read := func(change func(*battlev1.Battle)) func(*bout) {
		return func(k *bout) {
			m := &battlev1.Battle{
				BattleId: "b1", Status: battlev1.Battle_RUNNING, Config: config(), StartsAt: moment(420), EndsAt: moment(3420),
				Proposals: []*battlev1.Proposal{{Kind: longer.kind, ExtendSeconds: 2, LiveId: "x", ConsentedLiveIds: []string{"x"}, ExpiresAt: moment(1500)}},
			}
			change(m)
			n := k.place("proposes")
			k.Reads = append(k.Reads, Read{Question: AskBattle, ID: "b1", Window: Window{n, n}, Battle: m})
		}
	}
	k := newBout()
	read(func(*battlev1.Battle) {})(k)
	if f := Check(k.run()).Findings; len(f) > 0 {
		t.Error(f)
	}
	findInBout(t, map[string]harm{
		"other config":      {read(func(m *battlev1.Battle) { m.Config.ExtensionInfo = "" }), Violation, "GetBattle of b1"},
		"no proposal":       {read(func(m *battlev1.Battle) { m.Proposals = nil }), Violation, "GetBattle of b1"},
		"consent made up":   {read(func(m *battlev1.Battle) { m.Proposals[0].ConsentedLiveIds = []string{"x", "y"} }), Violation, "GetBattle of b1"},
		"lapses at another": {read(func(m *battlev1.Battle) { m.Proposals[0].ExpiresAt = timestamppb.Now() }), Violation, "GetBattle of b1"},
		"before the command": {func(k *bout) {
			n := k.place("proposes") - 1
			m := &battlev1.Battle{BattleId: "b1", Status: battlev1.Battle_RUNNING, Config: config(), StartsAt: moment(420), EndsAt: moment(3420)}
			k.Reads = append(k.Reads, Read{Question: AskBattle, ID: "b1", Window: Window{n, n + 1}, Battle: m, Of: "proposes"})
		}, Violation, "GetBattle of b1"},
	})
}
