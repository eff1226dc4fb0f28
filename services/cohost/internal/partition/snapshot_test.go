package partition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/es/estest"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

var lives = []string{"l1", "l2", "l3", "l4"}

func newFold() *Partition {
	return New(Options{Rules: cohost.Rules{MaxMembers: 3, MaxPending: 2, LiveRate: 3, UserRate: 4, SessionRate: 5, EndedKept: 20 * time.Second}, KeptNotices: 4})
}

// commit folds a group as the ledger does.
func (p *Partition) commit(g ledger.Group[cohost.Event]) {
	for _, e := range g.Events {
		p.state.Evolve(e.Place, e.Event)
	}
	p.state.Commit()
	p.onCommit(g)
}

// TestSnapshot: from a snapshot at any group, taken while others are committed, and the groups after it, follows what
// follows from all groups.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := newFold()
		now, seq, made := estest.T0, uint64(0), 0
		var still ledger.Frozen
		var want [][]byte // what it must write
		var restored *Partition
		group := func() {
			now, seq = now.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "ms"))*time.Millisecond), seq+1
			g := ledger.Group[cohost.Event]{Seq: seq}
			for range rapid.IntRange(1, 3).Draw(t, "commands") {
				for _, c := range append(whole.state.Due(now), command(t, &made)) {
					events, _ := whole.state.Decide(now, c)
					for _, e := range events {
						at := es.Place{Seq: seq, Index: uint32(len(g.Events)), At: now}
						whole.state.Evolve(at, e)
						g.Events = append(g.Events, ledger.Placed[cohost.Event]{Place: at, Event: e})
					}
				}
			}
			whole.state.Commit()
			whole.onCommit(g)
			if restored != nil {
				restored.commit(g)
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "groups before") {
			group()
		}
		for range 2 {
			still = whole.folded().Freeze()
			want = records(t, still)
			for range rapid.IntRange(0, 5).Draw(t, "groups meanwhile") {
				group()
			}
			if diff := cmp.Diff(read(t, want), read(t, records(t, still))); diff != "" {
				t.Fatalf("what was frozen has changed:\n%s", diff)
			}
			for !still.Thaw() {
			}
		}
		still = whole.folded().Freeze()
		restored = newFold()
		if err := ledgertest.Restore(restored.folded(), records(t, still)); err != nil {
			t.Fatal(err)
		}
		for !still.Thaw() {
		}
		same(t, whole, restored, now)
		for range rapid.IntRange(1, 15).Draw(t, "groups after") {
			group()
		}
		same(t, whole, restored, now)
	})
}

func same(t *rapid.T, whole, restored *Partition, now time.Time) {
	t.Helper()
	answers := func(p *Partition) (all []any) {
		page, more := p.Lives("", 3)
		rest, _ := p.Lives("l3", 3)
		first, others, active := p.Candidates("l1", "", 2)
		all = append(all, page, more, rest, first, others, active, p.state.Due(now.Add(10*time.Second)))
		for _, id := range lives {
			c, ok := p.coHost(id)
			ended, was := p.EndedLive(id)
			_, recovered := p.notices.Subscribe(id, p.notices.Number(id))
			all = append(all, c, ok, ended, was, p.notices.Number(id), recovered)
			for _, other := range lives {
				for _, c := range []cohost.Command{
					cohost.RequestHostConnection{LiveID: id, Target: other, Timeout: time.Second, NewInvitationID: "i", NewConnectionID: "c"},
					cohost.AcceptHostConnection{LiveID: id, From: other, NewConnectionID: "c"},
					cohost.ExitHostConnection{LiveID: id},
					cohost.EndLive{LiveID: id},
					cohost.MuteRemoteHostAudio{LiveID: id, Target: other, Muted: true},
				} {
					events, err := p.state.Decide(now, c)
					all = append(all, events, fmt.Sprint(err))
				}
			}
		}
		still := p.folded().Freeze()
		all = append(all, read(t, records(t, still)))
		for !still.Thaw() {
		}
		return all
	}
	if diff := cmp.Diff(answers(whole), answers(restored)); diff != "" {
		t.Fatalf("(-folded +restored):\n%s", diff)
	}
}

func records(t *rapid.T, f ledger.Frozen) [][]byte {
	t.Helper()
	all, err := ledgertest.Records(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read makes records comparable: in order, but for those whose order matters.
func read(t *rapid.T, records [][]byte) (all []string) {
	t.Helper()
	for i, raw := range records {
		record := new(cohostv1.Snapshot)
		if err := proto.Unmarshal(raw, record); err != nil {
			t.Fatal(err)
		}
		if record.GetEnding() != nil {
			all = append(all, fmt.Sprintf("%06d %x", i, raw))
		} else {
			all = append(all, fmt.Sprintf("%x", raw))
		}
	}
	slices.Sort(all)
	return all
}

func command(t *rapid.T, made *int) cohost.Command {
	live := rapid.SampledFrom(lives)
	a, b := live.Draw(t, "a"), live.Draw(t, "b")
	*made++
	id := fmt.Sprint("n", *made)
	switch rapid.IntRange(0, 17).Draw(t, "kind") {
	case 0, 1:
		return cohost.CreateLive{LiveID: a, Kind: cohost.Video, Host: cohost.User{ID: "u" + a[:1], Name: "Name", AvatarURL: "url"}}
	case 2:
		return cohost.EndLive{LiveID: a}
	case 3:
		return cohost.ExitHostConnection{LiveID: a}
	case 4, 5, 6:
		return cohost.AcceptHostConnection{LiveID: a, From: b, NewConnectionID: id}
	case 10:
		return cohost.MuteRemoteHostAudio{LiveID: a, Target: b, Muted: rapid.Bool().Draw(t, "muted")}
	case 11:
		return cohost.SetLayoutTemplate{LiveID: a, Layout: "hostDynamicFloat"}
	case 12:
		return cohost.UpdateLive{LiveID: a, Name: &id}
	case 13, 14:
		return cohost.HearHost{LiveID: a, Session: rapid.SampledFrom([]string{"", "s1", id}).Draw(t, "session")}
	case 15, 16, 17:
		return cohost.MissHost{LiveID: a, Stage: cohost.Stage(rapid.IntRange(1, 3).Draw(t, "stage"))}
	default:
		timeout := time.Duration(rapid.IntRange(1, 30).Draw(t, "timeout")) * time.Second
		return cohost.RequestHostConnection{LiveID: a, Target: b, Timeout: timeout, Layout: "hostDynamicGrid", NewInvitationID: id, NewConnectionID: id}
	}
}

// TestSnapshotKnowsAllFields: whoever adds state says here how a snapshot has it.
func TestSnapshotKnowsAllFields(t *testing.T) {
	t.Parallel()
	for _, known := range []struct{ got, want []string }{
		{ledgertest.Fields[cohost.State](), []string{
			"rules",                                        // a setting
			"lives", "ended", "connections", "invitations", // records
			"byPair", "timeouts", // follow from invitations
			"senders", // records
			"told",    // of the last group only
		}},
		{ledgertest.Fields[Partition](), []string{
			"ledger",
			"state",
			"active",  // follows from the lives
			"notices", // their numbers; what was told is told in a snapshot to who comes back
			"ended",
			"told",        // a projector's
			"leases",      // of this replica; the stages that they follow are the lives'
			"ear",         // hears
			"apart",       // of this replica
			"departing",   // follows from the lives
			"departs",     // wakes
			"log",         // is told
			"leaveBattle", // is called
		}},
	} {
		if diff := cmp.Diff(known.want, known.got); diff != "" {
			t.Errorf("(-known +there):\n%s", diff)
		}
	}
}
