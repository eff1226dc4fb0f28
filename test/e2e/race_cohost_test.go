package e2e

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// Hosts invite each other and accept, all at once: an invitation ends once, and no live is in two connections.
func TestRaceInvitations(t *testing.T) {
	t.Parallel()
	s, r := shared, newRecord(t, shared)
	lives, mine := openMany(t, s, 20)
	pairs := size(100, 1000)
	var calls sync.WaitGroup
	at := time.Now().Add(time.Duration(pairs) * time.Millisecond) // when all are ready
	var mu sync.Mutex
	var took []time.Duration
	start := func(call func() time.Time) {
		calls.Go(func() {
			sent := call()
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(sent))
		})
	}
	for range pairs {
		i, j := rand.IntN(len(lives)), rand.IntN(len(lives)-1)
		if j >= i {
			j++
		}
		for _, p := range [][2]*side{{lives[i], lives[j]}, {lives[j], lives[i]}} {
			start(func() time.Time { _, sent, _ := r.invite(t, p[0], p[1], 1, at); return sent })
			start(func() time.Time { _, sent := r.accept(t, p[0], p[1], at); return sent })
		}
		start(func() time.Time { _, sent := r.exit(t, lives[i], at); return sent })
	}
	calls.Wait()
	for _, p := range lives {
		r.exit(t, p, time.Now())
	}
	logs, found := r.judge(t, mine)
	connections := 0
	entries(logs[cohostLog], func(_ uint64, _ time.Time, e *cohostv1.Entry) {
		if m := e.GetMemberJoined(); mine[m.GetLiveId()] {
			connections++
		}
	})
	outcomes := map[string]int{}
	for _, o := range r.ops {
		outcomes[string(o.Kind)+" "+string(o.Outcome)+" "+o.Reason]++
	}
	found["lives"], found["calls"], found["outcomes"], found["joins"], found["took_ms"] = len(lives), len(took), outcomes, connections, spread(took)
	r.refold(t, found, nil)
	figures(t, "cross-invitations", found)
	if connections == 0 {
		t.Error("nobody got together")
	}
}

// Accept, cancel and timeout of one invitation fall within 2 ms of each other, the timeout in the middle: one of them
// ends it, and the answers say which.
func TestRaceDeadline(t *testing.T) {
	t.Parallel()
	const (
		timeout = time.Second
		near    = time.Millisecond // before or after the deadline, at most
		step    = 20 * time.Microsecond
	)
	s, r := shared, newRecord(t, shared)
	lives, mine := openMany(t, s, size(20, 100))
	server := takeAim(t, func(ctx context.Context) (*timestamppb.Timestamp, error) {
		a, err := s.cohost.GetCoHostState(lives[0].host.in(ctx), &cohostv1.GetCoHostStateRequest{LiveId: lives[0].live})
		return a.GetState().GetServerNow(), err
	})
	var racing sync.WaitGroup
	var mu sync.Mutex
	races, tight := 0, 0
	var missed []time.Duration
	more := func() bool {
		mu.Lock()
		defer mu.Unlock()
		want := size(20, 1000)
		races++
		return tight < want && races <= 4*want
	}
	for pair := range slices.Chunk(lives, 2) {
		racing.Go(func() {
			wait(t.Context(), rand.N(timeout))
			for more() {
				rand.Shuffle(2, func(i, j int) { pair[i], pair[j] = pair[j], pair[i] })
				ann, ben := pair[0], pair[1]
				invited, _, deadline := r.invite(t, ann, ben, int32(timeout/time.Second), time.Now())
				if invited.Outcome != check.OK {
					t.Errorf("the invitation: %+v", invited)
					return
				}
				var calls sync.WaitGroup
				var accepted, cancelled check.Op
				var sent [2]time.Time
				at := func() time.Time { return server.send(deadline.Add(rand.N(2*near) - near)) }
				calls.Go(func() { accepted, sent[0] = r.accept(t, ben, ann, at()) })
				calls.Go(func() { cancelled, sent[1] = r.cancel(t, ann, ben, at()) })
				calls.Wait()
				off := [2]time.Duration{server.arrives(sent[0]).Sub(deadline), server.arrives(sent[1]).Sub(deadline)}
				mu.Lock()
				missed = append(missed, off[:]...)
				if max(off[0].Abs(), off[1].Abs()) <= near {
					tight++
				}
				mu.Unlock()
				switch check.OK {
				case accepted.Outcome:
					server.learn(step)
					r.exit(t, ann, time.Now())
				case cancelled.Outcome:
					server.learn(step)
				default:
					server.learn(-3 * step)                                           // of four, one should time out: one of two calls comes in time in the others
					until(t.Context(), server.send(deadline.Add(5*time.Millisecond))) // timed out for sure, or in a moment
				}
			}
		})
	}
	racing.Wait()
	logs, found := r.judge(t, mine)
	ends, late := endings(logs[cohostLog], mine)
	total := 0
	for _, n := range ends {
		total += n
	}
	found["races"], found["within_2ms"], found["ended"] = total, tight, ends
	found["arrival_after_deadline_ms"], found["timed_out_after_deadline_ms"] = spread(missed), spread(late)
	r.refold(t, found, nil)
	figures(t, "accept-cancel-timeout", found)
	if tight < size(1, 1000) {
		t.Errorf("of %d races %d were close", total, tight)
	}
	if p := quantile(late, 0.5); p > 500*time.Millisecond {
		t.Errorf("invitations time out %v after their deadline", p)
	}
}

// endings counts how invitations ended, and how long after its deadline each timed out.
func endings(log [][]byte, lives map[string]bool) (ends map[string]int, late []time.Duration) {
	ends = make(map[string]int)
	deadlines := make(map[string]time.Time)
	entries(log, func(_ uint64, at time.Time, e *cohostv1.Entry) {
		if i := e.GetInvitationSent(); i != nil {
			deadlines[i.GetInvitationId()] = time.UnixMilli(i.GetExpiresAtMs())
		}
		i := e.GetInvitationEnded()
		if i == nil || !lives[i.GetInviterLiveId()] {
			return
		}
		ends[i.GetEnding().String()]++
		if i.GetEnding() == cohostv1.Entry_InvitationEnded_TIMED_OUT {
			late = append(late, at.Sub(deadlines[i.GetInvitationId()]))
		}
	})
	return ends, late
}

// openMany opens lives, ends them after the test, and returns them with their ids.
func openMany(t testing.TB, s *stack, n int) (lives []*side, ids map[string]bool) {
	t.Helper()
	ids = make(map[string]bool)
	for range n {
		p := createLive(t, s, "racer", cohostv1.Live_VIDEO)
		lives = append(lives, p)
		ids[p.live] = true
	}
	backend := s.backend(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, p := range lives {
			if _, err := s.cohost.EndLive(backend.in(ctx), &cohostv1.EndLiveRequest{LiveId: p.live}); err != nil {
				t.Errorf("%s does not end: %v", p.live, err)
			}
		}
	})
	return lives, ids
}

// invite has ann invite ben; it returns the deadline, too.
func (r *record) invite(t testing.TB, ann, ben *side, seconds int32, at time.Time) (o check.Op, sent, deadline time.Time) {
	o, sent = r.command(t, ann, check.Op{Kind: check.Invite, Others: []string{ben.live}}, at, func(ctx context.Context, o *check.Op) error {
		a, err := r.s.cohost.RequestHostConnection(ctx, &cohostv1.RequestHostConnectionRequest{
			LiveId: ann.live, TargetLiveIds: o.Others, TimeoutSeconds: seconds,
		})
		if err != nil {
			return err
		}
		if result := a.GetResults()[ben.live]; result.GetOk() {
			o.Accepted = o.Others
		} else {
			o.Outcome, o.Reason = check.Refused, result.GetReason()
		}
		for _, i := range a.GetState().GetInvitees() {
			if i.GetInvitee().GetLiveId() == ben.live {
				deadline = i.GetExpiresAt().AsTime()
			}
		}
		return nil
	})
	return o, sent, deadline
}

// accept has ben accept ann's invitation.
func (r *record) accept(t testing.TB, ben, ann *side, at time.Time) (check.Op, time.Time) {
	return r.command(t, ben, check.Op{Kind: check.Accept, Others: []string{ann.live}}, at, func(ctx context.Context, _ *check.Op) error {
		_, err := r.s.cohost.AcceptHostConnection(ctx, &cohostv1.AcceptHostConnectionRequest{LiveId: ben.live, FromLiveId: ann.live})
		return err
	})
}

// cancel has ann take back its invitation of ben.
func (r *record) cancel(t testing.TB, ann, ben *side, at time.Time) (check.Op, time.Time) {
	return r.command(t, ann, check.Op{Kind: check.Cancel, Others: []string{ben.live}}, at, func(ctx context.Context, _ *check.Op) error {
		_, err := r.s.cohost.CancelHostConnection(ctx, &cohostv1.CancelHostConnectionRequest{LiveId: ann.live, ToLiveId: ben.live})
		return err
	})
}

// exit has a live leave its connection.
func (r *record) exit(t testing.TB, p *side, at time.Time) (check.Op, time.Time) {
	return r.command(t, p, check.Op{Kind: check.Exit}, at, func(ctx context.Context, _ *check.Op) error {
		_, err := r.s.cohost.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: p.live})
		return err
	})
}
