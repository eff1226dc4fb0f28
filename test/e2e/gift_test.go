package e2e

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// One call may hold gifts for several lives, the same gift twice, and gifts that can never count.
func TestBatchOfGifts(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	b := fight(t, s, ann, ben, long)
	first, old := gift(ann.live), gift(ben.live)
	old.SentAt = timestamppb.New(time.Now().Add(-25 * time.Hour))
	// The same event id for another live is another gift.
	namesake := gift(ben.live)
	namesake.EventId = first.GetEventId()
	v := give(t, s, first, namesake, proto.CloneOf(first), old)
	for i, want := range []struct {
		verdict   scorev1.GiftVerdict_Verdict
		duplicate bool
		reason    string
	}{
		{scorev1.GiftVerdict_COUNTED, false, ""},
		{scorev1.GiftVerdict_COUNTED, false, ""},
		{scorev1.GiftVerdict_COUNTED, true, ""},
		{scorev1.GiftVerdict_REJECTED, false, "TOO_OLD"},
	} {
		if v[i].GetVerdict() != want.verdict || v[i].GetDuplicate() != want.duplicate || v[i].GetReason() != want.reason {
			t.Errorf("gift %d: %v", i, v[i])
		}
	}
	scores, err := s.score.GetBattleScores(s.backend(t).ctx(t), &scorev1.GetBattleScoresRequest{BattleId: b.GetBattleId()})
	if err != nil {
		t.Fatal(err)
	}
	if got := scores.GetScores().GetScores(); got[ann.user] != giftPoints || got[ben.user] != giftPoints {
		t.Errorf("the scores are %v", got)
	}
	// The audience is told as well.
	await(t, ann.view, "the scores", func(m *message) (bool, bool) {
		got := m.GetScores().GetScores()
		return true, got[ann.user] == giftPoints && got[ben.user] == giftPoints
	})
}

// The NATS door takes JSON as well, and refuses a live that differs from the subject's.
func TestGiftByNATS(t *testing.T) {
	t.Parallel()
	s := shared
	ann, ben := connect(t, s)
	fight(t, s, ann, ben, long)
	g := gift(ann.live)
	data, err := protojson.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(live string) *nats.Msg {
		m := nats.NewMsg("gifts." + live)
		m.Header.Set("Content-Type", "application/json")
		m.Data = data
		reply, err := s.nats.RequestMsg(m, patience)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	var v scorev1.GiftVerdict
	if reply := ask(ann.live); protojson.Unmarshal(reply.Data, &v) != nil || v.GetVerdict() != scorev1.GiftVerdict_COUNTED || v.GetPoints() != giftPoints {
		t.Errorf("the reply is %v %s", reply.Header, reply.Data)
	}
	if reply := ask(ben.live); reply.Header.Get("Nats-Service-Error-Code") != "400" {
		t.Errorf("the reply is %v %s", reply.Header, reply.Data)
	}
}
