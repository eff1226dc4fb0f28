package rpcserver_test

import (
	"slices"
	"strings"
	"testing"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// candidates returns the ids of a page, and the token of the next.
func (h *house) candidates(live string, size int32, token string) (ids []string, next string) {
	h.t.Helper()
	r := must(h.client.ListCandidates(h.host(live), &cohostv1.ListCandidatesRequest{LiveId: live, PageSize: size, PageToken: token}))(h.t)
	for _, l := range r.GetCandidates() {
		ids = append(ids, l.GetLiveId())
	}
	rest := must(h.client.ListLives(h.host(live), &cohostv1.ListLivesRequest{CandidatesFor: live, PageSize: size, PageToken: token}))(h.t)
	if len(rest.GetLives()) != len(ids) || rest.GetNextPageToken() != r.GetNextPageToken() {
		h.t.Errorf("ListLives has %v, ListCandidates %v", rest, r)
	}
	return ids, r.GetNextPageToken()
}

func (h *house) wantCandidates(live string, want string) {
	h.t.Helper()
	if got, next := h.candidates(live, 0, ""); !slices.Equal(got, strings.Fields(want)) || next != "" {
		h.t.Errorf("candidates of %s: %v, more: %q; want %s", live, got, next, want)
	}
}

func TestCandidates(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("me", "c", "a", "b", "x", "y", "e", "voice1", "voice2")
		must(h.client.EndLive(h.host("e"), &cohostv1.EndLiveRequest{LiveId: "e"}))(t)
		h.wantCandidates("me", "a b c x y")
		h.wantCandidates("voice1", "voice2")
		h.connect("x", "y")
		h.wantCandidates("me", "a b c")
		h.wantCandidates("x", "a b c me")
		h.invite("me", "b")
		h.invite("c", "me")
		h.wantCandidates("me", "a")
		h.wantCandidates("a", "b c me")
		h.close()
		h.open()
		h.wantCandidates("me", "a")
		must(h.client.CancelHostConnection(h.host("me"), &cohostv1.CancelHostConnectionRequest{LiveId: "me", ToLiveId: "b"}))(t)
		must(h.client.ExitHostConnection(h.host("x"), &cohostv1.ExitHostConnectionRequest{LiveId: "x"}))(t)
		h.wantCandidates("me", "a b x y")
		h.create("e")
		must(h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t)
		h.wantCandidates("me", "b e x y")
		// As many received as may be: a request would be refused.
		for _, id := range []string{"p", "q", "r", "s", "t"} {
			h.create(id)
			h.invite(id, "b")
		}
		h.wantCandidates("me", "e p q r s t x y")

		for what, live := range map[string]string{"never was": "none", "has ended": "a"} {
			_, err := h.client.ListCandidates(h.service(), &cohostv1.ListCandidatesRequest{LiveId: live})
			wantRefused(t, "of a live that "+what, err, "LIVE_NOT_FOUND")
			_, err = h.client.ListLives(h.service(), &cohostv1.ListLivesRequest{CandidatesFor: live})
			wantRefused(t, "of a live that "+what, err, "LIVE_NOT_FOUND")
		}
		_, err := h.client.ListCandidates(h.host("me"), &cohostv1.ListCandidatesRequest{LiveId: "me", PageToken: "no token"})
		wantRefused(t, "a broken token", err, "INVALID_ARGUMENT")
	})
}

// Who is a candidate all the while is listed once, whatever comes and goes between two pages.
func TestCandidatesPageByPage(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("me", "b", "d", "f", "h", "j")
		first, next := h.candidates("me", 2, "")
		if !slices.Equal(first, []string{"b", "d"}) || next == "" {
			t.Fatalf("first page: %v, %q", first, next)
		}
		h.create("a", "g") // before and behind the token
		must(h.client.EndLive(h.host("d"), &cohostv1.EndLiveRequest{LiveId: "d"}))(t)
		h.connect("f", "b")
		second, next := h.candidates("me", 2, next)
		if !slices.Equal(second, []string{"g", "h"}) || next == "" {
			t.Errorf("second page: %v, %q", second, next)
		}
		last, next := h.candidates("me", 2, next)
		if !slices.Equal(last, []string{"j"}) || next != "" {
			t.Errorf("last page: %v, %q", last, next)
		}
	})
}
