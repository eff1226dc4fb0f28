package rpcserver_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

type watcher struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[cohostv1.WatchLiveResponse]
}

// watch watches a live and returns when no later event can be missed.
func (h *house) watch(live string, after int64) *watcher {
	h.t.Helper()
	stream := must(h.client.WatchLive(h.service(), &cohostv1.WatchLiveRequest{LiveId: live, AfterNumber: after}))(h.t)
	must(stream.Header())(h.t)
	return &watcher{h.t, stream}
}

func (w *watcher) recv() *cohostv1.WatchLiveResponse {
	w.t.Helper()
	return must(w.stream.Recv())(w.t)
}

func (w *watcher) event() *cohostv1.Event {
	w.t.Helper()
	r := w.recv()
	if r.GetEvent() == nil {
		w.t.Fatalf("got %v, want an event", r)
	}
	return r.GetEvent()
}

// events reads n events and returns them as "number kind".
func (w *watcher) events(n int) []string {
	w.t.Helper()
	var got []string
	for range n {
		e := w.event()
		kind := reflect.TypeOf(e.GetEvent()).Elem().Name()
		got = append(got, fmt.Sprintf("%d %s", e.GetNumber(), strings.TrimPrefix(kind, "Event_")))
	}
	return got
}

func wantEvents(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told\n got %q\nwant %q", got, want)
	}
}

func TestWatchLive(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		a, b := h.watch("a", -1), h.watch("b", 0)
		first := a.recv().GetSnapshot()
		if first.GetNumber() != 0 || first.GetLive().GetLiveId() != "a" || first.GetState().GetStatus() != cohostv1.CoHostState_DISCONNECTED {
			t.Errorf("snapshot: %v", first)
		}
		h.connect("a", "b")
		wantEvents(t, a.events(4), "1 CoHostRequestSent", "2 CoHostRequestAccepted", "3 CoHostUserJoined", "4 CoHostUserJoined")
		wantEvents(t, b.events(4), "1 CoHostRequestReceived", "2 CoHostRequestAccepted", "3 CoHostUserJoined", "4 CoHostUserJoined")

		back, anew := h.watch("b", 3), h.watch("b", -1)
		s := anew.recv().GetSnapshot()
		if s.GetNumber() != 4 || members(s.GetState()) != "a b" || s.GetLive().GetConnectionId() == "" {
			t.Errorf("snapshot: %v", s)
		}
		must(h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t)
		wantEvents(t, a.events(2), "5 CoHostUserLeft", "6 LiveEnded")
		wantEvents(t, back.events(3), "4 CoHostUserJoined", "5 CoHostUserLeft", "6 CoHostUserLeft")
		wantEvents(t, anew.events(2), "5 CoHostUserLeft", "6 CoHostUserLeft")
		if e := b.event().GetCoHostUserLeft(); e.GetMember().GetLiveId() != "a" || e.GetReason() != cohostv1.CoHostUserLeft_LIVE_ENDED {
			t.Errorf("told %v", e)
		}
		if e := b.event().GetCoHostUserLeft(); e.GetMember().GetLiveId() != "b" || e.GetReason() != cohostv1.CoHostUserLeft_DISSOLVED {
			t.Errorf("told %v", e)
		}

		// The numbers go on when the id is used again, and after a restart.
		h.create("a")
		h.invite("b", "a")
		wantEvents(t, a.events(1), "7 CoHostRequestReceived")
		h.close()
		h.open()
		wantEvents(t, h.watch("a", 5).events(2), "6 LiveEnded", "7 CoHostRequestReceived")
		future := h.watch("a", 1000).recv().GetSnapshot()
		if future.GetNumber() != 7 {
			t.Errorf("after a number that never was: %v", future)
		}

		_, err := must(h.client.WatchLive(h.service(), &cohostv1.WatchLiveRequest{LiveId: "none"}))(t).Recv()
		wantRefused(t, "a live that never was", err, "LIVE_NOT_FOUND")
	})
}

func TestEventsOfAnEndedLiveAreLetGoOf(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b", "c")
		must(h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t)
		wantEvents(t, h.watch("a", 0).events(1), "1 LiveEnded")
		must(h.client.EndLive(h.host("c"), &cohostv1.EndLiveRequest{LiveId: "c"}))(t)
		h.create("c")
		h.invite("b", "c")
		pass(2 * time.Hour)
		must(h.client.EndLive(h.host("b"), &cohostv1.EndLiveRequest{LiveId: "b"}))(t)
		_, err := h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"})
		wantRefused(t, "get", err, "LIVE_NOT_FOUND")
		wantEvents(t, h.watch("c", 0).events(2), "1 LiveEnded", "2 CoHostRequestReceived") // active again, so all is kept
		h.create("a")
		if s := h.watch("a", 0).recv().GetSnapshot(); s.GetNumber() != 1 || s.GetLive().GetStatus() != cohostv1.Live_ACTIVE {
			t.Errorf("snapshot: %v", s)
		}
	})
}

func TestSlowReaderIsEnded(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a", "b")
		ctx, cancel := context.WithCancel(h.service())
		defer cancel()
		stream := must(h.client.WatchLive(ctx, &cohostv1.WatchLiveRequest{LiveId: "b", AfterNumber: -1}))(t)
		must(stream.Recv())(t)
		// The transport takes some of what the caller does not read; the rest waits in the ring.
		words := strings.Repeat("x", 2048)
		for range 200 {
			must(h.client.RequestHostConnection(h.host("a"), &cohostv1.RequestHostConnectionRequest{
				LiveId: "a", TargetLiveIds: []string{"b"}, ExtensionInfo: words,
			}))(t)
			must(h.client.CancelHostConnection(h.host("a"), &cohostv1.CancelHostConnectionRequest{LiveId: "a", ToLiveId: "b"}))(t)
		}
		synctest.Wait()
		for {
			_, err := stream.Recv()
			if err == nil {
				continue
			}
			if status.Code(err) != codes.ResourceExhausted {
				t.Errorf("got %v, want RESOURCE_EXHAUSTED", err)
			}
			return
		}
	})
}
