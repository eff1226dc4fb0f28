package check

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
)

func began(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_PresenceBegan_{PresenceBegan: &cohostv1.Entry_PresenceBegan{LiveId: live}}}
}

func silent(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostUnreachable_{HostUnreachable: &cohostv1.Entry_HostUnreachable{LiveId: live}}}
}

func loses(live string) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostLost_{HostLost: &cohostv1.Entry_HostLost{LiveId: live}}}
}

func recovers(live string, until int64) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_HostRecovered_{HostRecovered: &cohostv1.Entry_HostRecovered{LiveId: live, RejoinUntilMs: until}}}
}

func takes(live, session string, fence int64) *cohostv1.Entry {
	return &cohostv1.Entry{Entry: &cohostv1.Entry_SessionTaken_{SessionTaken: &cohostv1.Entry_SessionTaken{LiveId: live, SessionId: session, Fence: fence}}}
}

func leaves(connection, live string) *cohostv1.Entry {
	e := left(connection, live)
	e.GetMemberLeft().Reason = cohostv1.Entry_MemberLeft_LOST
	return e
}

func endsLost(live string) *cohostv1.Entry {
	e := ended(live)
	e.GetLiveEnding().Lost = true
	return e
}

// deed is a decision of COHOST_00 in a run of its own.
type deed struct {
	id      string
	at      int64
	refusal string
	entries []*cohostv1.Entry
}

// absence is a run without a fault, of the replica r1: x, y and z are connected; the host of x is silent and lost, is back with another
// device, rejoins, and is lost for good.
type absence struct {
	*book
	deeds []*deed
	by    string // writer of all
}

// What happens in absence, by number.
const (
	itBegins = iota + 7
	itIsSilent
	itIsLost
	itLeaves
	itIsBack
	itRejoins
	theOldActs
	itIsSilentAgain
	itIsLostAgain
	itLeavesAgain
	itEnds
)

const ms = time.Millisecond

func newAbsence() *absence {
	a := &absence{by: "r1", book: &book{Run{
		Logs: map[string][][]byte{}, Complete: true,
		Limits: Limits{Members: 3, Pending: 3, LiveRate: 9, UserRate: 9, Renew: 300, Unreachable: 800, Grace: 1500, EndAfter: 6000, Rejoin: 6000, Sessions: 9},
	}}}
	do := func(id string, at int64, entries ...*cohostv1.Entry) {
		a.deeds = append(a.deeds, &deed{id, at, "", entries})
	}
	do("1", 1, created("x"))
	do("2", 2, created("y"))
	do("3", 3, created("z"))
	do("4", 4, sent("i1", "x", "y"))
	do("5", 5, over("i1", "x", "y", accepted), founded("k1"), joined("k1", "x"), joined("k1", "y"))
	do("6", 6, sent("i2", "x", "z"))
	do("7", 7, over("i2", "x", "z", accepted), joined("k1", "z"))
	do("", 100, takes("x", "s1", 1), began("x"))
	do("", 1100, silent("x"))
	do("", 2700, loses("x"))
	do("", 2800, leaves("k1", "x"))
	do("", 4000, takes("x", "s2", 2), recovers("x", 10_000))
	do("8", 4100, joined("k1", "x"))
	do("9", 4200)
	a.deeds[theOldActs].refusal = "SUPERSEDED"
	do("", 5000, silent("x"))
	do("", 6600, loses("x"))
	do("", 6700, leaves("k1", "x"))
	do("", 12_700, endsLost("x"))
	a.Ops = []Op{
		{Kind: CreateLive, Live: "x", ID: "1", Outcome: OK},
		{Kind: CreateLive, Live: "y", ID: "2", Outcome: OK},
		{Kind: CreateLive, Live: "z", ID: "3", Outcome: OK},
		{Kind: Invite, Live: "x", Others: []string{"y"}, Accepted: []string{"y"}, ID: "4", Outcome: OK},
		{Kind: Accept, Live: "y", Others: []string{"x"}, ID: "5", Outcome: OK},
		{Kind: Invite, Live: "x", Others: []string{"z"}, Accepted: []string{"z"}, ID: "6", Outcome: OK},
		{Kind: Accept, Live: "z", Others: []string{"x"}, ID: "7", Outcome: OK},
		{Kind: Rejoin, Live: "x", Session: "s2", As: "x", ID: "8", Outcome: OK},
		{Kind: SetLayout, Live: "x", Session: "s1", ID: "9", Outcome: Refused, Reason: "SUPERSEDED"},
	}
	for i := range a.Ops {
		a.Ops[i].Own = Window{0, uint64(len(a.deeds))}
	}
	a.Presence = &Presence{
		Began:  map[string][]Turn{c: {{"r1", 0}, {"r1", 240 * ms}}},
		Deaf:   []Spell{{"r1", -500 * ms, 500 * ms}}, // mostly while it did not write
		Leaves: []Leave{{"x", 2750 * ms}, {"x", 6650 * ms}},
	}
	a.hears("s1", 99, nil)
	a.Presence.Beats[0].Presence, a.Presence.Beats[0].After = &cohostv1.Presence{State: present, Since: moment(100), Fence: 1}, itBegins+1
	a.hears("s1", 250, a.Presence.Beats[0].Presence)
	back := &cohostv1.Presence{State: present, Since: moment(4000), Fence: 2, RejoinConnectionId: "k1", RejoinUntil: moment(10_000)}
	a.hears("s2", 3999, back)
	a.Presence.Beats = append(a.Presence.Beats, Beat{Live: "x", Session: "s1", Sent: 4050 * ms, Answered: 4051 * ms, After: itRejoins, Reason: "SUPERSEDED"})
	return a
}

// hears has the host of x give a sign of life, which r1 hears, and which is answered with ok.
func (a *absence) hears(session string, at int64, told *cohostv1.Presence) {
	when := time.Duration(at) * ms
	a.Presence.Beats = append(a.Presence.Beats, Beat{Live: "x", Session: session, Sent: when, Answered: when + 2*ms, After: uint64(len(a.deeds)), Presence: told})
	a.Presence.Signs = append(a.Presence.Signs, Sign{Live: "x", Session: session, By: "r2", At: when, Heard: map[string]time.Duration{"r1": when + ms}})
}

// written is the run with its log.
func (a *absence) written() Run {
	a.Presence.Groups = map[string][]Shipped{}
	for i, d := range a.deeds {
		var entries []proto.Message
		for _, e := range d.entries {
			entries = append(entries, e)
		}
		a.group(c, &ledgerv1.Group{Version: 1, Decisions: []*ledgerv1.Decision{decided(d.id, d.at, d.refusal, entries)}})
		at := time.Duration(d.at) * ms
		a.Presence.Groups[c] = append(a.Presence.Groups[c], Shipped{Seq: uint64(i + 1), By: a.by, Decided: at, Stored: at + ms})
	}
	return a.Run
}

func TestGoodAbsence(t *testing.T) {
	t.Parallel()
	r := Check(newAbsence().written())
	if len(r.Findings) > 0 || r.Became["host LOST"] != 2 || r.Became["live ended, HOST_LOST"] != 1 || r.Became["session superseded"] != 1 {
		t.Errorf("%+v", r)
	}
}

// TestNobodyToHear: what a writer could not hear counts from when there was a host.
func TestNobodyToHear(t *testing.T) {
	t.Parallel()
	for until, found := range map[time.Duration]int{350 * ms: 0, 390 * ms: 1} {
		a := newAbsence()
		a.deeds[itIsSilent].at = 1060
		a.Presence.Began[c] = []Turn{{"r1", 0}}
		a.Presence.Deaf = []Spell{{"r1", -500 * ms, until}}
		if r := Check(a.written()); len(r.Findings) != found || found > 0 && !strings.Contains(r.Findings[0].Text, "could not hear") {
			t.Errorf("until %v: %+v", until, r.Findings)
		}
	}
}

func TestPresenceFaults(t *testing.T) {
	t.Parallel()
	// with has a decision say something else, adding more, and when has it come at another time, and all that follow no earlier.
	with := func(n int, entries ...*cohostv1.Entry) func(*absence) {
		return func(a *absence) { a.deeds[n].entries = entries }
	}
	adding := func(n int, entries ...*cohostv1.Entry) func(*absence) {
		return func(a *absence) { a.deeds[n].entries = append(a.deeds[n].entries, entries...) }
	}
	when := func(n int, at int64) func(*absence) {
		return func(a *absence) {
			a.deeds[n].at = at
			for _, d := range a.deeds[n+1:] {
				d.at = max(d.at, at)
			}
		}
	}
	evidence := func(change func(*Presence)) func(*absence) { return func(a *absence) { change(a.Presence) } }
	session := func(id string, plant func(*Op)) func(*absence) {
		return func(a *absence) {
			for i := range a.Ops {
				if a.Ops[i].ID == id {
					plant(&a.Ops[i])
				}
			}
		}
	}
	for name, x := range map[string]struct {
		plant func(*absence)
		class Class
		says  string
	}{
		"silent too early":       {when(itIsSilent, 1045), Lost, "794ms after its writer heard a sign of life"},
		"lost too early":         {when(itIsLost, 2590), Lost, "1.489s after that stage began"},
		"counted from the sign":  {when(itIsLost, 1751), Lost, "650ms after that stage began"},
		"ends too early":         {when(itEnds, 12_590), Lost, "5.989s after that stage began"},
		"heard, and not noticed": {evidence(func(p *Presence) { p.Signs[1].Heard["r1"] = 900 * ms }), Lost, "200ms after its writer heard a sign of life"},
		"given, and not noticed": {evidence(func(p *Presence) { p.Signs[1].By, p.Signs[1].At = "r1", 900*ms }), Lost, "200ms after its writer was given a sign of life"},
		"had just begun":         {evidence(func(p *Presence) { p.Began[c] = append(p.Began[c], Turn{"r1", 2000 * ms}) }), Lost, "700ms after its writer began to write"},
		"was deaf":               {evidence(func(p *Presence) { p.Deaf = []Spell{{"r1", 1200 * ms, 2000 * ms}} }), Lost, "after its writer could not hear"},
		"its machine was deaf": {func(a *absence) {
			a.by, a.Presence.Deaf = "r-1", []Spell{{"r", 1200 * ms, 2000 * ms}}
		}, Lost, "after its writer could not hear"},
		"never gave a sign":    {evidence(func(p *Presence) { p.Beats = nil }), Violation, "the host of live x is there, after it was STATE_UNSPECIFIED, and has given no sign of life"},
		"told to nobody":       {evidence(func(p *Presence) { p.Signs = p.Signs[:1] }), Lost, "given at 250ms was answered at 252ms and passed on to nobody"},
		"told of another time": {evidence(func(p *Presence) { p.Beats[1].Presence = &cohostv1.Presence{State: lost, Fence: 1} }), Violation, "which was not so between 0 and"},
		"the old one goes on": {evidence(func(p *Presence) {
			p.Beats[2].Session, p.Signs[2].Session = "s1", "s1"
		}), Violation, "session s1 of live x gives a sign of life at 3.999s and hears"},
		"told before it is so": {evidence(func(p *Presence) {
			p.Beats[1].After = itBegins - 1
		}), Violation, "which was not so between 0 and 6"},
		"superseded by nobody": {evidence(func(p *Presence) { p.Beats[3].Session = "s2" }), Violation, "session s2 of live x is told at 4.051s that it is superseded"},
		"other reasons":        {evidence(func(p *Presence) { p.Beats[3].Reason = "INTERNAL" }), Violation, "is answered with INTERNAL"},
		"battle not asked":     {evidence(func(p *Presence) { p.Leaves = p.Leaves[1:] }), Violation, "leaves its connection, and battle was not asked to let it go"},
		"battle asked before":  {evidence(func(p *Presence) { p.Leaves[0].At = 2600 * ms }), Violation, "and battle was not asked to let it go"},

		"begins twice":        {adding(itBegins, began("x")), Duplicated, "the host of live x is PRESENT, after it was PRESENT"},
		"lost at once":        {with(itIsSilent, loses("x")), Duplicated, "is LOST, after it was PRESENT"},
		"silent twice":        {adding(itIsSilent, silent("x")), Duplicated, "is UNREACHABLE, after it was UNREACHABLE"},
		"a backend's":         {with(itIsSilent, silent("y")), Duplicated, "the host of live y is UNREACHABLE, after it was STATE_UNSPECIFIED"},
		"of no live":          {with(itIsSilent, silent("w")), Violation, "of w, which is no live"},
		"ends before it is":   {with(itIsLostAgain, endsLost("x")), Violation, "live x ends because its host is lost, which is UNREACHABLE"},
		"ends in company":     {with(itLeavesAgain, endsLost("x")), Violation, "live x ends in connection k1"},
		"leaves unasked":      {with(itIsSilent, leaves("k1", "x")), Violation, "live x leaves connection k1 because its host is lost"},
		"an invitation stays": {with(itIsSilentAgain, silent("x"), sent("i3", "x", "y")), Violation, "an invitation of [x y] is pending, and the host of one is lost"},
		"the same session":    {with(itIsBack, takes("x", "s1", 2), recovers("x", 10_000)), Violation, `session "s1" takes live x over with fence 2`},
		"the same fence":      {with(itIsBack, takes("x", "s2", 1), recovers("x", 10_000)), Violation, "with fence 1; before it are"},
		"may rejoin too long": {with(itIsBack, takes("x", "s2", 2), recovers("x", 10_001)), Violation, "until 10001, should be 10000"},
		"may rejoin unasked":  {with(itIsBack, takes("x", "s2", 2), recovers("x", 0)), Violation, "until 0, should be 10000"},
		"rejoins too late":    {when(itRejoins, 10_000), Violation, "and it was not lost from there"},
		"rejoins elsewhere":   {with(itRejoins, founded("k2"), joined("k2", "x"), joined("k2", "y")), Violation, "and it was not lost from there"},
		"rejoins while lost":  {func(a *absence) { a.deeds[itIsBack].entries = a.deeds[itIsBack].entries[:1] }, Violation, "and it was not lost from there"},
		"nobody rejoined":     {func(a *absence) { a.deeds[itRejoins].id = "" }, Violation, "nobody has asked for command"},
		"the old one acts":    {session("9", func(o *Op) { o.Session = "s2" }), Violation, "refused with SUPERSEDED, which was not so"},
		"the old one rejoins": {session("8", func(o *Op) { o.Session = "s1" }), Violation, "for session s1, s2 has taken over"},
		"lost, it was told": {func(a *absence) {
			session("9", func(o *Op) { o.Reason, o.Own = "HOST_LOST", Window{itRejoins + 1, itRejoins + 2} })(a)
			a.deeds[theOldActs].id = ""
		}, Lost, "refused with HOST_LOST, not in the log"},
		"too many sessions":     {func(a *absence) { a.Limits.Sessions = 1 }, Violation, "2 sessions take live x over within a minute"},
		"too many, it was told": {evidence(func(p *Presence) { p.Beats[3].Reason = "RATE_LIMITED" }), Violation, "hears that too many have taken over"},
		"exits where it is not": {session("8", func(o *Op) { o.Kind = Exit }), Violation, "does something else"},
	} {
		a := newAbsence()
		x.plant(a)
		found := false
		findings := Check(a.written()).Findings
		for _, f := range findings {
			found = found || f.Class == x.class && strings.Contains(f.Text, x.says)
		}
		if !found {
			t.Errorf("%s: not found; found %v", name, findings)
		}
	}
}
