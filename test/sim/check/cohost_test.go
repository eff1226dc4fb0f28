package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func TestGoodCompany(t *testing.T) {
	t.Parallel()
	r := Check(company().Run)
	if len(r.Findings) > 0 || r.Sizes[2] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	// together goes on otherwise while x and y are connected; after once they have parted, with z invited by x.
	together := func(entries ...*cohostv1.Entry) func(*book) {
		return func(k *book) {
			for _, e := range entries {
				k.since(len(k.Logs[c])).write(c, "", 20, e)
			}
		}
	}
	when := func(seq int, plant func(*book)) func(*book) {
		return func(k *book) { plant(k.since(seq)) }
	}
	toVoice := sent("i3", "x", "z")
	toVoice.GetInvitationSent().LayoutTemplate = voice
	founds := func(template string) *cohostv1.Entry {
		e := founded("k2")
		e.GetConnectionStarted().LayoutTemplate = template
		return e
	}
	becomes := func(live, user string) *cohostv1.Entry {
		e := renamed(live, "W")
		e.GetHostChanged().Host.UserId = user
		return e
	}
	stranger := joined("k2", "z")
	stranger.GetMemberJoined().Host.UserName = "Z"
	findIn(t, company, map[string]plant{
		"a layout without seats for all": {when(togetherAt, func(k *book) {
			k.write(c, "", 20, sent("i3", "x", "z"))
			k.write(c, "", 20, over("i3", "x", "z", accepted), joined("k1", "z"))
			k.write(c, "", 20, layoutSet("k1", "x", two))
		}), Violation, "has 3 lives and layout HostVideoLandscapeFixed2Seats, which has 2 seats"},
		"a member without a seat": {when(togetherAt, func(k *book) {
			k.write(c, "", 20, layoutSet("k1", "x", two))
			k.write(c, "", 20, sent("i3", "x", "z"))
			k.write(c, "", 20, over("i3", "x", "z", accepted), joined("k1", "z"))
		}), Violation, "has 3 lives and layout HostVideoLandscapeFixed2Seats, which has 2 seats"},
		"a layout for others":              {when(togetherAt, together(layoutSet("k1", "x", voice))), Violation, `layout "hostVoiceConnection" is set in connection k1 of VIDEO lives`},
		"a layout by a stranger":           {when(togetherAt, together(layoutSet("k1", "z", seven))), Violation, `live z changes the layout of connection k1 and is in ""`},
		"a layout twice":                   {when(togetherAt, together(layoutSet("k1", "x", seven), layoutSet("k1", "y", seven))), Duplicated, "has it"},
		"muted by a stranger":              {when(togetherAt, together(muted("k1", "z", "y", true))), Violation, "live z mutes y in connection k1"},
		"a stranger muted":                 {when(togetherAt, together(muted("k1", "x", "z", true))), Violation, "live x mutes z in connection k1"},
		"muted by itself":                  {when(togetherAt, together(muted("k1", "x", "x", true))), Violation, "live x mutes x in connection k1"},
		"muted twice":                      {when(togetherAt, together(muted("k1", "x", "y", true), muted("k1", "x", "y", true))), Duplicated, "which is so"},
		"heard that was not muted":         {when(togetherAt, together(muted("k1", "x", "y", false))), Duplicated, "which is so"},
		"another host":                     {together(becomes("x", "host of y")), Violation, "live x of host of x changes hands"},
		"a host of no live":                {together(renamed("w", "W")), Violation, "changes hands"},
		"a host shown twice":               {together(renamed("y", "Y"), renamed("y", "Y")), Duplicated, "the host of live y is shown as before"},
		"an invitation to another kind":    {together(sent("i3", "z", "v")), Violation, "an invitation of [z v], a VIDEO and a VOICE live"},
		"an invitation to a wrong layout":  {together(toVoice), Violation, `an invitation of [x z] to layout "hostVoiceConnection", and x is a VIDEO live`},
		"a connection of two kinds":        {when(4, func(k *book) { k.write(c, "", 20, founded("k2"), joined("k2", "v"), joined("k2", "x")) }), Violation, "x, a VIDEO live, joins connection k2 of v, a VOICE live"},
		"a connection that has not begun":  {together(joined("k2", "z")), Violation, "joins connection k2, which has not started"},
		"a connection twice":               {when(togetherAt, together(founded("k1"))), Duplicated, "connection k1 starts twice"},
		"a connection again":               {together(founded("k1")), Duplicated, "connection k1 starts twice"},
		"a connection of nobody":           {together(founded("k2")), Violation, "connection k2 has 0 lives"},
		"a connection that ends with some": {when(togetherAt, together(dissolved("k1"))), Violation, "connection k1 ends, there: true, with 2 lives"},
		"a connection that does not end":   {when(togetherAt, func(k *book) { k.write(c, "", 20, left("k1", "x"), left("k1", "y")) }), Violation, "connection k1 has 0 lives"},
		"another layout than invited to": {func(k *book) {
			k.write(c, "", 20, sent("i3", "y", "z"))
			k.write(c, "", 20, over("i3", "y", "z", accepted), founds(seven), joined("k2", "y"), joined("k2", "z"))
		}, Violation, `connection k2 starts with layout "hostDynamic1v6", the invitation of [y z] was to "hostDynamicGrid"`},
		"a member with another host": {func(k *book) {
			k.write(c, "", 20, sent("i3", "y", "z"))
			k.write(c, "", 20, over("i3", "y", "z", accepted), founded("k2"), joined("k2", "y"), stranger)
		}, Violation, "live z joins connection k2 with host"},
		"accepted and alone": {func(k *book) {
			k.write(c, "", 20, sent("i3", "y", "z"))
			k.write(c, "", 20, over("i3", "y", "z", accepted))
		}, Violation, "the invitation of [y z] is accepted, and they are not together"},
		"invited and connected": {when(togetherAt, together(sent("i3", "z", "y"))), Violation, "an invitation of [z y] is pending, and y is in connection k1"},
		"too many invitations":  {together(sent("i3", "x", "y")), Violation, "live x sends 3 invitations within a minute"},
		"too many of a user":    {func(k *book) { k.Limits.UserRate = 1 }, Violation, "and user host of x 2"},
		"too many that wait":    {func(k *book) { k.Limits.Pending = 1; together(sent("i3", "y", "x"), sent("i4", "z", "x"))(k) }, Violation, "live x 2 in"},
		"too many that are out": {func(k *book) { k.Limits.Pending = 1; together(sent("i3", "y", "x"), sent("i4", "y", "z"))(k) }, Violation, "live y has 2 invitations out"},
		"a reason for nothing": {func(k *book) {
			k.write(c, "", 20, sent("i3", "y", "z"))
			x := rejects("i3", "y", "z", "no")
			x.GetInvitationEnded().Ending = cohostv1.Entry_InvitationEnded_CANCELLED
			k.write(c, "", 20, x)
		}, Violation, `for reason CUSTOM "no"`},
		"a mute that outlives it": {func(k *book) {
			k.write(c, "", 20, sent("i3", "y", "x"))
			k.write(c, "", 20, over("i3", "y", "x", accepted), founded("k2"), joined("k2", "y"), joined("k2", "x"))
			k.write(c, "", 20, muted("k2", "x", "y", false))
		}, Duplicated, "live x mutes y: false, which is so"},
	})
}

func TestCohostAnswerFaults(t *testing.T) {
	t.Parallel()
	const otherwise = "does something else"
	findIn(t, company, map[string]plant{
		"layout lost":   {func(k *book) { k.Ops[opLayout].ID = "99" }, Lost, "SetLayoutTemplate 99 of y: answered ok, not in the log"},
		"other layout":  {func(k *book) { k.Ops[opLayout].Request.(*cohostv1.SetLayoutTemplateRequest).LayoutTemplate = grid }, Violation, otherwise},
		"mute lost":     {func(k *book) { k.Ops[opMute].ID = "99" }, Lost, "MuteRemoteHostAudio 99 of x: answered ok, not in the log"},
		"heard instead": {func(k *book) { k.Ops[opMute].Request.(*cohostv1.MuteRemoteHostAudioRequest).Muted = false }, Violation, otherwise},
		"other muted":   {func(k *book) { k.Ops[opMute].Others = []string{"z"} }, Violation, otherwise},
		"needless":      {func(k *book) { k.Ops[opMuteAgain].Request.(*cohostv1.MuteRemoteHostAudioRequest).Muted = false }, Violation, "MuteRemoteHostAudio 8a of x: answered ok, the decision in group 8 does something else"},
		"update lost":   {func(k *book) { k.Ops[opUpdate].ID = "99" }, Lost, "UpdateLive 99 of x: answered ok, not in the log"},
		"other name":    {func(k *book) { n := "Y"; k.Ops[opUpdate].Request.(*cohostv1.UpdateLiveRequest).Host.UserName = &n }, Violation, otherwise},
		"picture lost": {func(k *book) {
			n := "https://a/b"
			k.Ops[opUpdate].Request.(*cohostv1.UpdateLiveRequest).Host.AvatarUrl = &n
		}, Violation, otherwise},
		"other kind": {func(k *book) {
			k.write(c, "98", 20, created("w"))
			k.Ops = append(k.Ops, Op{Kind: CreateLive, Live: "w", ID: "98", Own: Window{12, 13}, Outcome: OK, Request: &cohostv1.CreateLiveRequest{
				LiveId: "w", Kind: cohostv1.Live_VOICE, Host: hostOf("w"),
			}})
		}, Violation, otherwise},
		"other words to reject":   {func(k *book) { k.Ops[opReject].Request.(*cohostv1.RejectHostConnectionRequest).Reason = "nein" }, Violation, otherwise},
		"other code to reject":    {func(k *book) { k.Ops[opReject].Request.(*cohostv1.RejectHostConnectionRequest).ReasonCode = 1 }, Violation, otherwise},
		"no words and a code":     {func(k *book) { k.Ops[opReject].Request.(*cohostv1.RejectHostConnectionRequest).Reason = "" }, Violation, otherwise},
		"other info to reject":    {func(k *book) { k.Ops[opReject].Request.(*cohostv1.RejectHostConnectionRequest).ExtensionInfo = "" }, Violation, otherwise},
		"other info to accept":    {func(k *book) { k.Ops[opAccept].Request.(*cohostv1.AcceptHostConnectionRequest).ExtensionInfo = "" }, Violation, otherwise},
		"other info to invite":    {func(k *book) { k.Ops[opInvite].Request.(*cohostv1.RequestHostConnectionRequest).ExtensionInfo = "" }, Violation, otherwise},
		"other layout to invite":  {func(k *book) { k.Ops[opInvite].Request.(*cohostv1.RequestHostConnectionRequest).LayoutTemplate = seven }, Violation, otherwise},
		"other timeout to invite": {func(k *book) { k.Ops[opInvite].Request.(*cohostv1.RequestHostConnectionRequest).TimeoutSeconds = 1 }, Violation, otherwise},
		"unknown and otherwise": {func(k *book) {
			k.Ops[opLayout].Outcome = Unknown
			k.Ops[opLayout].Request.(*cohostv1.SetLayoutTemplateRequest).LayoutTemplate = grid
		}, Violation, "answered unknown, the decision in group 7 does something else"},
		"accepted by nobody":       {func(k *book) { k.Ops[opAccept].Kind = Invite; k.Ops[opAccept].Accepted = []string{"x"} }, Violation, otherwise},
		"target refused otherwise": {func(k *book) { k.Ops[opInvite].Refusals["v"] = "LIVE_NOT_FOUND" }, Violation, "with LIVE_KIND_MISMATCH in group 5"},
		"not too fast":             {func(k *book) { k.Ops[opTooFast].Own = Window{5, 7} }, Lost, "refused with CONNECTION_RATE_LIMITED, not in the log"},
		"not too fast a minute on": {func(k *book) { k.write(c, "", 10+minute, created("w")); k.Ops[opTooFast].Own = Window{13, 13} }, Lost, "refused with CONNECTION_RATE_LIMITED, not in the log"},
		"too fast and done": {func(k *book) {
			k.Ops[opInviteNext].Outcome, k.Ops[opInviteNext].Reason, k.Ops[opInviteNext].Own = Refused, rateLimited, Window{11, 12}
		}, Violation, "the log has it in group 10"},
	})
}

// Every reason is right for the commands that can have it, where it holds, and wrong for all others.
func TestCohostReasons(t *testing.T) {
	t.Parallel()
	reasons := []string{
		"LIVE_EXISTS", "LIVE_NOT_FOUND", "PERMISSION_DENIED", "LIVE_KIND_MISMATCH", "ALREADY_CONNECTED", "CONNECTED_WITH_OTHERS", "INVITATION_PENDING",
		"INVITATION_ENDED", "CONNECTION_NOT_FOUND", "CONNECTION_FULL", rateLimited, "INTERNAL",
	}
	request := func(template string) *cohostv1.SetLayoutTemplateRequest {
		return &cohostv1.SetLayoutTemplateRequest{LayoutTemplate: template}
	}
	for name, x := range map[string]struct {
		run   func(*book)
		op    Op
		right string
	}{
		"create what is there":       {nil, Op{Kind: CreateLive, Live: "x"}, "LIVE_EXISTS"},
		"end what is not":            {nil, Op{Kind: EndLive, Live: "w"}, "LIVE_NOT_FOUND"},
		"end what is":                {nil, Op{Kind: EndLive, Live: "x"}, ""},
		"invite nobody":              {nil, Op{Kind: Invite, Live: "z", Others: []string{"w"}}, "LIVE_NOT_FOUND"},
		"invite another kind":        {nil, Op{Kind: Invite, Live: "z", Others: []string{"v"}}, "LIVE_KIND_MISMATCH"},
		"invite":                     {nil, Op{Kind: Invite, Live: "z", Others: []string{"y"}}, ""},
		"invite to another layout":   {nil, Op{Kind: Invite, Live: "z", Others: []string{"y"}, Request: &cohostv1.RequestHostConnectionRequest{LayoutTemplate: voice}}, "LIVE_KIND_MISMATCH"},
		"invite a member":            {parted, Op{Kind: Invite, Live: "x", Others: []string{"y"}}, "ALREADY_CONNECTED"},
		"invite another's":           {parted, Op{Kind: Invite, Live: "z", Others: []string{"y"}}, "CONNECTED_WITH_OTHERS"},
		"invite to a full one":       {full, Op{Kind: Invite, Live: "x", Others: []string{"z"}}, "CONNECTION_FULL"},
		"invite twice":               {waits, Op{Kind: Invite, Live: "y", Others: []string{"z"}}, "INVITATION_PENDING"},
		"invite more":                {waitMore, Op{Kind: Invite, Live: "w", Others: []string{"z"}}, rateLimited},
		"cancel nothing":             {nil, Op{Kind: Cancel, Live: "y", Others: []string{"z"}}, "INVITATION_ENDED"},
		"cancel what is":             {waits, Op{Kind: Cancel, Live: "y", Others: []string{"z"}}, ""},
		"accept what is not":         {waits, Op{Kind: Accept, Live: "y", Others: []string{"z"}}, "INVITATION_ENDED"},
		"accept what is":             {waits, Op{Kind: Accept, Live: "z", Others: []string{"y"}}, ""},
		"accept without room":        {fullAndWaits, Op{Kind: Accept, Live: "z", Others: []string{"x"}}, "CONNECTION_FULL"},
		"reject what is not":         {waits, Op{Kind: Reject, Live: "y", Others: []string{"z"}}, "INVITATION_ENDED"},
		"reject what is":             {waits, Op{Kind: Reject, Live: "z", Others: []string{"y"}}, ""},
		"exit alone":                 {nil, Op{Kind: Exit, Live: "x"}, "CONNECTION_NOT_FOUND"},
		"exit":                       {parted, Op{Kind: Exit, Live: "x"}, ""},
		"layout alone":               {nil, Op{Kind: SetLayout, Live: "x", Request: request(grid)}, "CONNECTION_NOT_FOUND"},
		"layout of others":           {parted, Op{Kind: SetLayout, Live: "x", Request: request(voice)}, "LIVE_KIND_MISMATCH"},
		"layout without a seat":      {three, Op{Kind: SetLayout, Live: "x", Request: request(two)}, "CONNECTION_FULL"},
		"layout":                     {parted, Op{Kind: SetLayout, Live: "x", Request: request(two)}, ""},
		"mute a stranger":            {parted, Op{Kind: Mute, Live: "x", Others: []string{"z"}}, "CONNECTION_NOT_FOUND"},
		"mute by nobody":             {func(k *book) { k.write(c, "", 20, ended("y")) }, Op{Kind: Mute, Live: "y", Others: []string{"z"}}, "CONNECTION_NOT_FOUND LIVE_NOT_FOUND"},
		"mute":                       {parted, Op{Kind: Mute, Live: "x", Others: []string{"y"}}, ""},
		"show another's":             {nil, Op{Kind: UpdateLive, Live: "x", Request: &cohostv1.UpdateLiveRequest{Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: "host of y"}}}, "PERMISSION_DENIED"},
		"show its own":               {nil, Op{Kind: UpdateLive, Live: "x", Request: &cohostv1.UpdateLiveRequest{Host: &cohostv1.UpdateLiveRequest_HostProfile{UserId: "host of x"}}}, ""},
		"show what is not":           {nil, Op{Kind: UpdateLive, Live: "w"}, "LIVE_NOT_FOUND"},
		"accept when it is too late": {func(k *book) { k.write(c, "", 20, sent("i3", "y", "z")) }, Op{Kind: Accept, Live: "z", Others: []string{"y"}}, "INVITATION_ENDED"},
	} {
		for _, reason := range reasons {
			k := company()
			if x.run != nil {
				x.run(k)
			}
			o := x.op
			o.ID, o.Outcome, o.Reason, o.Own = "op", Refused, reason, Window{0, 99}
			k.Ops = []Op{o}
			k.also(c, "op", 1001, reason)
			wrong := slices.ContainsFunc(Check(k.Run).Findings, func(f Finding) bool {
				return strings.Contains(f.Text, fmt.Sprintf("refused with %s, which was not so", reason))
			})
			if right := slices.Contains(strings.Fields(x.right), reason); right == wrong {
				t.Errorf("%s is refused with %s, which is right: %v; found wrong: %v", name, reason, right, wrong)
			}
		}
	}
}

// parted, waits and the like are how a run goes on.
func parted(k *book) { k.since(togetherAt) }

func waits(k *book) {
	i := sent("i3", "y", "z")
	i.GetInvitationSent().ExpiresAtMs = 1002
	k.write(c, "", 20, i)
}

func waitMore(k *book) {
	i := sent("i4", "x", "z")
	i.GetInvitationSent().ExpiresAtMs = 1002
	waits(k)
	k.write(c, "", 20, i, created("w"))
}

func full(k *book) {
	k.since(togetherAt).Limits.Members = 2
}

func three(k *book) {
	k.since(togetherAt).write(c, "", 20, sent("i3", "x", "z"))
	k.write(c, "", 20, over("i3", "x", "z", accepted), joined("k1", "z"))
}

func fullAndWaits(k *book) {
	i := sent("i3", "x", "z")
	i.GetInvitationSent().ExpiresAtMs = 1002
	k.since(togetherAt).write(c, "", 20, i)
	k.write(c, "", 20, layoutSet("k1", "x", two))
}

func TestCohostReadFaults(t *testing.T) {
	t.Parallel()
	page := func(r int, change func(*Page)) func(*book) { return func(k *book) { change(k.Reads[r].Page) } }
	state := func(change func(*cohostv1.CoHostState)) func(*book) {
		return func(k *book) { change(k.Reads[readState].CoHost) }
	}
	findIn(t, company, map[string]plant{
		"candidate left out":      {page(readCandidates, func(p *Page) { p.Lives = p.Lives[1:] }), Violation, "ListCandidates of z"},
		"itself":                  {func(k *book) { k.Reads[readCandidates].ID = "x" }, Violation, "ListCandidates of x"},
		"another kind":            {page(readCandidates, func(p *Page) { p.Lives[0].Kind = cohostv1.Live_VOICE }), Violation, "ListCandidates of z"},
		"of another kind":         {func(k *book) { k.Reads[readCandidates].ID = "v" }, Violation, "ListCandidates of v"},
		"busy":                    {func(k *book) { k.Reads[readCandidates].Window = Window{7, 11} }, Violation, "ListCandidates of z"},
		"ended":                   {func(k *book) { k.write(c, "", 20, ended("y")); k.Reads[readCandidates].Window = Window{13, 13} }, Violation, "ListCandidates of z"},
		"invited":                 {func(k *book) { waits(k); k.Reads[readCandidates].Window = Window{13, 13} }, Violation, "ListCandidates of z"},
		"no candidates of a live": {func(k *book) { k.Reads[readNobody].ID = "z" }, Violation, "ListCandidates of z"},
		"without room": {func(k *book) {
			k.Limits.Pending = 1
			k.write(c, "", 20, sent("i3", "x", "y"))
			k.Reads[readCandidates].Window = Window{13, 13}
		}, Violation, "ListCandidates of z"},
		"no next page":         {page(readLives, func(p *Page) { p.Next = "" }), Violation, "ListLives of"},
		"another page":         {page(readRest, func(p *Page) { p.After = "" }), Violation, "ListLives of"},
		"page too long":        {page(readLives, func(p *Page) { p.Size = 1 }), Violation, "ListLives of"},
		"page upside down":     {page(readLives, func(p *Page) { slices.Reverse(p.Lives) }), Violation, "ListLives of"},
		"live shown as before": {page(readLives, func(p *Page) { p.Lives[1].Host = hostOf("x") }), Violation, "ListLives of"},
		"other layout":         {state(func(s *cohostv1.CoHostState) { s.Layout = grid }), Violation, "GetCoHostState of x"},
		"mute left out":        {state(func(s *cohostv1.CoHostState) { s.MutedLiveIds = nil }), Violation, "GetCoHostState of x"},
		"muted all":            {state(func(s *cohostv1.CoHostState) { s.MutedLiveIds = append(s.MutedLiveIds, "z") }), Violation, "GetCoHostState of x"},
		"host as before":       {state(func(s *cohostv1.CoHostState) { s.Connected[0].Host = hostOf("x") }), Violation, "GetCoHostState of x"},
		"order of joining":     {state(func(s *cohostv1.CoHostState) { slices.Reverse(s.Connected) }), Violation, "GetCoHostState of x"},
		"mute of one who left": {func(k *book) {
			k.Reads[readState].Window = Window{12, 12}
			k.Reads[readState].CoHost = &cohostv1.CoHostState{LiveId: "x", Status: cohostv1.CoHostState_DISCONNECTED, MutedLiveIds: []string{"y"}}
		}, Violation, "GetCoHostState of x"},
		"answer without its effect": {func(k *book) { k.Reads[readAnswer].CoHost.MutedLiveIds = nil }, Violation, "GetCoHostState of x"},
		"applicant left out": {func(k *book) {
			k.Reads[readState] = Read{Question: AskCoHost, ID: "y", Window: Window{5, 5}, CoHost: &cohostv1.CoHostState{
				LiveId: "y", Status: cohostv1.CoHostState_DISCONNECTED, Applicants: []*cohostv1.Invitation{invitation("i1", "x", "y")},
			}}
		}, Violation, "GetCoHostState of y"},
	})
}

func TestNewsFaults(t *testing.T) {
	t.Parallel()
	x := func(change func(*Told)) func(*book) { return func(k *book) { change(&k.Told[toldX]) } }
	event := func(n int, change func(*cohostv1.Event)) func(*book) {
		return x(func(t *Told) { change(t.Events[n-1]) })
	}
	const layout, mute, update, reject = 5, 6, 7, 9
	findIn(t, company, map[string]plant{
		"layout not told": {x(func(t *Told) { t.Events = slices.Delete(t.Events, layout-1, layout) }), Violation, "watching x after 0: told number:6"},
		"layout told twice": {x(func(t *Told) {
			t.Events = slices.Insert(t.Events, layout, t.Events[layout-1])
			t.Heads = append(t.Heads, 12)
		}), Violation, "watching x after 0: told number:5"},
		"out of order":      {x(func(t *Told) { t.Events[4], t.Events[5] = t.Events[5], t.Events[4] }), Violation, "watching x after 0: told number:6"},
		"other layout":      {event(layout, func(e *cohostv1.Event) { e.GetLayoutChanged().LayoutTemplate = grid }), Violation, "event 5 is"},
		"layout by another": {event(layout, func(e *cohostv1.Event) { e.GetLayoutChanged().ChangedBy.LiveId = "x" }), Violation, "event 5 is"},
		"heard again":       {event(mute, func(e *cohostv1.Event) { e.GetRemoteMuteChanged().Muted = false }), Violation, "event 6 is"},
		"other muted":       {event(mute, func(e *cohostv1.Event) { e.GetRemoteMuteChanged().Target.LiveId = "x" }), Violation, "event 6 is"},
		"shown as before":   {event(update, func(e *cohostv1.Event) { e.GetLiveUpdated().Host = hostOf("x") }), Violation, "event 7 is"},
		"other words":       {event(reject, func(e *cohostv1.Event) { e.GetCoHostRequestRejected().Reason = "nein" }), Violation, "event 9 is"},
		"info left out":     {event(reject, func(e *cohostv1.Event) { e.GetCoHostRequestRejected().ExtensionInfo = "" }), Violation, "event 9 is"},
		"another time":      {event(reject, func(e *cohostv1.Event) { e.At = moment(12) }), Violation, "event 9 is"},
		"told too early":    {x(func(t *Told) { t.Heads[4] = 6 }), Violation, "at 6, which has not happened"},
		"made up":           {x(func(t *Told) { e := *t; e.After = 11; e.Events = e.Events[10:]; *t = e }), Violation, "which has not happened"},
		"the muted one told": {func(k *book) {
			y := &k.Told[toldY]
			y.Events = slices.Insert(y.Events, 5, &cohostv1.Event{Number: 6, At: moment(8), Event: k.Told[toldX].Events[mute-1].GetEvent()})
			y.Heads = append(y.Heads, 12)
		}, Violation, "watching y after 0: told number:6"},
		"a stranger told": {func(k *book) {
			z := &k.Told[toldZ]
			z.Events, z.Heads = append(z.Events, &cohostv1.Event{Number: 3, At: moment(7), Event: k.Told[toldX].Events[layout-1].GetEvent()}), []uint64{12, 12, 12}
		}, Violation, "watching z after 0: told number:3"},
		"the last not told":      {x(func(t *Told) { t.Events = t.Events[:10] }), Lost, "watching x after 0: told no more than event 10 of 11"},
		"goes on from elsewhere": {x(func(t *Told) { t.After = 1 }), Violation, "watching x after 1"},
		"no snapshot": {func(k *book) {
			k.Told[toldNow].Snapshot = nil
			k.Told[toldNow].Events = k.Told[toldX].Events[:1]
			k.Told[toldNow].Heads = []uint64{12}
		}, Violation, "which has not happened"},
		"number of later":   {func(k *book) { k.Told[toldNow].Snapshot.Number = 8 }, Violation, "told the snapshot"},
		"state of earlier":  {func(k *book) { k.Told[toldNow].Snapshot.State.MutedLiveIds = nil }, Violation, "told the snapshot"},
		"snapshot of later": {func(k *book) { k.Told[toldNow].First = 8 }, Violation, "told the snapshot"},
		"live of earlier":   {func(k *book) { k.Told[toldNow].Snapshot.Live.Host = hostOf("x") }, Violation, "told the snapshot"},
	})
}
