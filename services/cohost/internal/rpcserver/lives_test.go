package rpcserver_test

import (
	"slices"
	"testing"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

func TestLifeOfALive(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		created := must(h.client.CreateLive(withKey(h.service(), "k1"), createRequest("a")))(t).GetLive()
		if created.GetStatus() != cohostv1.Live_ACTIVE || created.GetHost().GetUserId() != "u-a" || created.GetCreatedAt() == nil {
			t.Errorf("created: %v", created)
		}
		got := must(h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"}))(t).GetLive()
		if got.String() != created.String() {
			t.Errorf("got %v, created %v", got, created)
		}
		_, err := h.client.CreateLive(h.service(), createRequest("a"))
		wantRefused(t, "create again", err, "LIVE_EXISTS")
		again := must(h.client.CreateLive(withKey(h.service(), "k1"), createRequest("a")))(t).GetLive()
		if again.String() != created.String() {
			t.Errorf("a repeat got %v, the first call %v", again, created)
		}
		_, err = h.client.CreateLive(withKey(h.service(), "k1"), createRequest("b"))
		wantRefused(t, "another payload", err, "PAYLOAD_MISMATCH")
		reserved := createRequest("r")
		reserved.Host.UserId = "_seq"
		_, err = h.client.CreateLive(h.service(), reserved)
		wantRefused(t, "a user_id that is a field of ours in Redis", err, "INVALID_ARGUMENT")

		pass(time.Minute)
		ended := must(h.client.EndLive(withKey(h.host("a"), "k2"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t).GetLive()
		if ended.GetStatus() != cohostv1.Live_ENDED || ended.GetEndedAt().AsTime().Sub(ended.GetCreatedAt().AsTime()) != time.Minute {
			t.Errorf("ended: %v", ended)
		}
		_, err = h.client.ExitHostConnection(withKey(h.host("a"), "k2"), &cohostv1.ExitHostConnectionRequest{LiveId: "a"})
		wantRefused(t, "another method with the same bytes", err, "PAYLOAD_MISMATCH")
		pass(time.Minute)
		same := must(h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"}))(t).GetLive()
		if same.String() != ended.String() {
			t.Errorf("ended again: %v, first %v", same, ended)
		}
		got = must(h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"}))(t).GetLive()
		if got.String() != ended.String() {
			t.Errorf("got %v, ended %v", got, ended)
		}
		for what, err := range map[string]error{
			"get":   second(h.client.GetLive(h.service(), &cohostv1.GetLiveRequest{LiveId: "none"})),
			"end":   second(h.client.EndLive(h.service(), &cohostv1.EndLiveRequest{LiveId: "none"})),
			"state": second(h.client.GetCoHostState(h.service(), &cohostv1.GetCoHostStateRequest{LiveId: "none"})),
		} {
			wantRefused(t, what, err, "LIVE_NOT_FOUND")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestListLivesPageByPage(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("d", "b", "a", "e", "c", "x")
		must(h.client.EndLive(h.service(), &cohostv1.EndLiveRequest{LiveId: "x"}))(t)
		list := func(size int32, token string) ([]string, string) {
			r := must(h.client.ListLives(h.host("a"), &cohostv1.ListLivesRequest{PageSize: size, PageToken: token}))(t)
			var ids []string
			for _, l := range r.GetLives() {
				ids = append(ids, l.GetLiveId())
			}
			return ids, r.GetNextPageToken()
		}
		var all []string
		token := ""
		for pages := 1; ; pages++ {
			var page []string
			page, token = list(2, token)
			all = append(all, page...)
			if token == "" || pages > 3 {
				break
			}
		}
		if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(all, want) {
			t.Errorf("listed %v, want %v", all, want)
		}
		if page, token := list(5, ""); len(page) != 5 || token != "" {
			t.Errorf("a page that just fits: %v, token %q", page, token)
		}
		if page, token := list(0, "c"); !slices.Equal(page, []string{"d", "e"}) || token != "" {
			t.Errorf("behind c: %v, token %q", page, token)
		}
		_, err := h.client.ListLives(h.host("a"), &cohostv1.ListLivesRequest{PageToken: "no token"})
		wantRefused(t, "a broken token", err, "INVALID_ARGUMENT")
	})
}

func TestClosedLog(t *testing.T) {
	inHouse(t, nil, func(t *testing.T, h *house) {
		h.create("a")
		h.close()
		_, err := h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"})
		wantRefused(t, "a read", err, "UNAVAILABLE")
		_, err = h.client.EndLive(h.host("a"), &cohostv1.EndLiveRequest{LiveId: "a"})
		wantRefused(t, "a command", err, "UNAVAILABLE")
		h.open()
		must(h.client.GetLive(h.host("a"), &cohostv1.GetLiveRequest{LiveId: "a"}))(t)
	})
}
