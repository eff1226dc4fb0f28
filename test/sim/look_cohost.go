package sim

import (
	"context"
	"math"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// lookCohost reads something of co-hosting, or watches a live for a while. Not being answered is no fault.
func (a *actor) lookCohost() {
	live := a.live()
	switch a.rng.IntN(5) {
	case 0:
		_, _ = a.state(live)
	case 1:
		a.getLive(live)
	case 2:
		a.list("", a.page())
	case 3:
		a.list(live, a.page())
	default:
		after := []int64{-1, 0, a.heard[live]}[a.rng.IntN(3)]
		ctx, cancel := patient()
		defer cancel()
		t, _ := a.watch(ctx, live, after, math.MaxInt64)
		a.h.heardOf(t)
		if n := len(t.Events); n > 0 {
			a.heard[live] = t.Events[n-1].GetNumber()
		}
	}
}

// page is the question for some page.
func (a *actor) page() check.Page {
	p := check.Page{Size: 1 + a.rng.IntN(6)}
	if a.rng.IntN(2) == 0 {
		p.After = a.live()
	}
	return p
}

func (c *client) state(live string) (*cohostv1.CoHostState, error) {
	ctx, cancel := patient()
	defer cancel()
	r, err := c.cohost.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: live})
	c.saw(cohostLog, check.Read{Question: check.AskCoHost, ID: live, CoHost: r.GetState(), Window: check.Window{Before: c.since}}, unless(err))
	return r.GetState(), err
}

func (c *client) getLive(live string) {
	ctx, cancel := patient()
	defer cancel()
	r, err := c.cohost.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: live})
	c.saw(cohostLog, check.Read{Question: check.AskLive, ID: live, Live: r.GetLive()}, unless(err))
}

// list reads a page of the active lives, or of the candidates of one.
func (c *client) list(candidatesFor string, p check.Page) {
	ctx, cancel := patient()
	defer cancel()
	read := check.Read{Question: check.AskLives, Page: &p, Window: check.Window{Before: c.since}}
	if candidatesFor == "" {
		r, err := c.cohost.ListLives(ctx, &cohostv1.ListLivesRequest{PageSize: int32(p.Size), PageToken: p.After})
		p.Lives, p.Next = r.GetLives(), r.GetNextPageToken()
		c.saw(cohostLog, read, err)
		return
	}
	r, err := c.cohost.ListCandidates(ctx, &cohostv1.ListCandidatesRequest{LiveId: candidatesFor, PageSize: int32(p.Size), PageToken: p.After})
	p.Lives, p.Next = r.GetCandidates(), r.GetNextPageToken()
	read.Question, read.ID = check.AskCandidates, candidatesFor
	if err != nil {
		read.Page = nil
	}
	c.saw(cohostLog, read, unless(err))
}

// unless takes that there is no such live for an answer.
func unless(err error) error {
	if refusal, ok := rpc.Refusal(err); ok && refusal.Reason == "LIVE_NOT_FOUND" {
		return nil
	}
	return err
}

// watch hears what a live is told after a number, up to another number, or until its time is over.
func (c *client) watch(ctx context.Context, live string, after, until int64) (check.Told, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := check.Told{Live: live, After: after}
	stream, err := c.cohost.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: after})
	for last := after; err == nil && last < until; {
		var m *cohostv1.WatchLiveResponse
		if m, err = stream.Recv(); err != nil {
			break
		}
		head := c.w.head(cohostLog)
		if s := m.GetSnapshot(); s != nil {
			t.Snapshot, t.First, last = s, head, s.GetNumber()
			continue
		}
		t.Events, t.Heads, last = append(t.Events, m.GetEvent()), append(t.Heads, head), m.GetEvent().GetNumber()
	}
	return t, err
}
