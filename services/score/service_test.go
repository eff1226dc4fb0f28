package score_test

import (
	"maps"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/services/score"
	"github.com/faceoff-live/faceoff/services/score/internal/battletest"
)

func TestBattle(t *testing.T) {
	t.Parallel()
	s := start(t)
	starts := time.Now().Truncate(time.Millisecond)
	ends := starts.Add(time.Hour)

	expect(t, s.send(t, gift("a", "early", 10))[0], scorev1.GiftVerdict_NO_BATTLE, 0, false)
	s.battle.Begin(t, "b1", starts, ends, "a", "b")
	watched := s.watch(t, "b")
	expect(t, s.send(t, gift("a", "early", 10))[0], scorev1.GiftVerdict_COUNTED, 50, false)

	first := gift("a", "g1", 100)
	verdicts := s.send(t, first, gift("b", "g1", 10), first)
	expect(t, verdicts[0], scorev1.GiftVerdict_COUNTED, 500, false)
	expect(t, verdicts[1], scorev1.GiftVerdict_COUNTED, 50, false)
	expect(t, verdicts[2], scorev1.GiftVerdict_COUNTED, 500, true)
	if v := verdicts[0]; v.GetBattleId() != "b1" || v.GetRuleSet() != "default@1" || !v.GetDecidedAt().IsValid() {
		t.Errorf("incomplete verdict %v", v)
	}
	s.sendByNATS(t, first)
	other := proto.Clone(first).(*scorev1.GiftEvent)
	other.UnitValue = 7
	if v := s.send(t, other)[0]; v.GetVerdict() != scorev1.GiftVerdict_DUPLICATE || v.GetReason() != "PAYLOAD_MISMATCH" {
		t.Errorf("another gift under a known id got %v", v)
	}

	want := map[string]string{"host-of-a": "550", "host-of-b": "76"}
	eventually(t, 5*time.Second, "Redis has the scores", func() bool { return maps.Equal(s.shown("b1"), want) })
	if err := s.redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "Redis has them again", func() bool { return maps.Equal(s.shown("b1"), want) })
	watched(t, map[string]int64{"host-of-a": 550, "host-of-b": 76}, scorev1.BattleScores_RUNNING)

	s.settle(t, ends)
	watched(t, map[string]int64{"host-of-a": 550, "host-of-b": 76}, scorev1.BattleScores_CLOSED)
	eventually(t, 5*time.Second, "Redis says closed", func() bool {
		return s.redis.HGet(t.Context(), "pk:{b1}", "_status").Val() == "CLOSED"
	})
}

// sendByNATS sends the known gift first and some for live b, 26 points together, in all ways that the NATS door knows.
func (s *stack) sendByNATS(t *testing.T, first *scorev1.GiftEvent) {
	t.Helper()
	var v scorev1.GiftVerdict
	data, err := proto.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(s.request(t, "gifts.a", nil, data).Data, &v); err != nil {
		t.Fatal(err)
	}
	expect(t, &v, scorev1.GiftVerdict_COUNTED, 500, true)

	asJSON := nats.Header{"Content-Type": {"application/json"}}
	like := gift("", "like", 1)
	like.Category = scorev1.GiftEvent_LIKE
	one := s.request(t, "gifts.b", asJSON, []byte(protojson.Format(like)))
	if err := protojson.Unmarshal(one.Data, &v); err != nil {
		t.Fatalf("%s: %v", one.Data, err)
	}
	expect(t, &v, scorev1.GiftVerdict_COUNTED, 1, false)

	var batch scorev1.SendGiftsResponse
	all := s.request(t, "gifts.b", asJSON, []byte(protojson.Format(&scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift("", "n1", 5), like}})))
	if err := protojson.Unmarshal(all.Data, &batch); err != nil {
		t.Fatalf("%s: %v", all.Data, err)
	}
	expect(t, batch.GetVerdicts()[0], scorev1.GiftVerdict_COUNTED, 25, false)
	expect(t, batch.GetVerdicts()[1], scorev1.GiftVerdict_COUNTED, 1, true)

	refused := s.request(t, "gifts.b", asJSON, []byte(protojson.Format(first)))
	if code, text := refused.Header.Get("Nats-Service-Error-Code"), refused.Header.Get("Nats-Service-Error"); code != "400" || text != `INVALID_ARGUMENT: live_id: is "a", but the subject says "b"` {
		t.Errorf("a gift for another live than the subject's got %s %q", code, text)
	}
}

// watch reads the scores that a live's watchers are told; the function it returns waits until they are as given.
func (s *stack) watch(t *testing.T, live string) func(*testing.T, map[string]int64, scorev1.BattleScores_Status) {
	t.Helper()
	stream, err := s.client.WatchLive(t.Context(), &scorev1.WatchLiveRequest{LiveId: live})
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, want map[string]int64, status scorev1.BattleScores_Status) {
		t.Helper()
		for {
			m, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if maps.Equal(m.GetScores().GetScores(), want) && m.GetScores().GetStatus() == status {
				return
			}
		}
	}
}

// settle ends b1 early and checks the end of it.
func (s *stack) settle(t *testing.T, ends time.Time) {
	t.Helper()
	s.battle.End(t, "b1", battlev1.Battle_FORFEIT, ends)
	closed := s.battle.WaitClosed(t, "b1", "a")
	if closed.GetTotal() != 550 || closed.GetProof().GetGifts() != 2 || len(closed.GetTopGifters()) != 1 {
		t.Errorf("a closed with %v", closed)
	}
	expect(t, s.send(t, gift("a", "late", 10))[0], scorev1.GiftVerdict_LATE, 0, false)
	if b := s.battle.WaitClosed(t, "b1", "b"); b.GetTotal() != 76 {
		t.Errorf("b closed with %v", b)
	}
	var replayed *scorev1.ReplayBattleResponse
	eventually(t, 5*time.Second, "the replay equals the settlement", func() bool {
		var err error
		if replayed, err = s.client.ReplayBattle(t.Context(), &scorev1.ReplayBattleRequest{BattleId: "b1"}); err != nil {
			t.Fatal(err)
		}
		return replayed.GetEqual()
	})
	if len(replayed.GetLives()) != 2 || replayed.GetLives()[0].GetTotal() != 550 {
		t.Errorf("replayed %v", replayed)
	}
	scores, err := s.client.GetBattleScores(t.Context(), &scorev1.GetBattleScoresRequest{BattleId: "b1"})
	if err != nil || scores.GetScores().GetStatus() != scorev1.BattleScores_CLOSED || scores.GetScores().GetScores()["host-of-a"] != 550 {
		t.Errorf("scores %v, %v", scores, err)
	}
	for live, want := range map[string]string{"a": "", "b": "", "other": "PERMISSION_DENIED"} {
		token, err := auth.Sign(key, secret, auth.Principal{User: "viewer", Live: live, Role: auth.Audience}, time.Minute, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
		if _, err := s.client.GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: "b1"}); reason(err) != want {
			t.Errorf("the audience of %s asks for the scores: %v, want %q", live, err, want)
		}
	}
	if _, err := s.client.GetBattleScores(t.Context(), &scorev1.GetBattleScoresRequest{BattleId: "b9"}); reason(err) != "BATTLE_NOT_FOUND" {
		t.Errorf("a battle that never was got %v", err)
	}
}

func reason(err error) string {
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason
	}
	return ""
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := start(t)
	starts := time.Now().Truncate(time.Millisecond)
	s.battle.SetDeaf(true)
	s.battle.Begin(t, "b1", starts, starts.Add(time.Hour), "a", "b")
	s.battle.WaitReports(t, "b1", "a", 2)
	known := gift("a", "g1", 10)
	expect(t, s.send(t, known)[0], scorev1.GiftVerdict_COUNTED, 50, false)

	s.stop()
	s.battle.SetDeaf(false)
	s.run(t)
	s.battle.WaitOpened(t, "b1", "a") // driven again from the log
	expect(t, s.send(t, known)[0], scorev1.GiftVerdict_COUNTED, 50, true)
	expect(t, s.send(t, gift("a", "g2", 10))[0], scorev1.GiftVerdict_COUNTED, 50, false)

	s.battle.Exit(t, "b1", "a")
	if c := s.battle.WaitClosed(t, "b1", "a"); c.GetTotal() != 100 {
		t.Errorf("a closed with %v", c)
	}
	s.stop()
	s.battle.End(t, "b1", battlev1.Battle_FORFEIT, starts.Add(time.Hour))
	s.run(t)
	if c := s.battle.WaitClosed(t, "b1", "b"); c.GetTotal() != 0 {
		t.Errorf("b closed with %v", c)
	}
	got, err := s.client.GetGift(t.Context(), &scorev1.GetGiftRequest{LiveId: "a", EventId: "g2"})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got.GetVerdict(), scorev1.GiftVerdict_COUNTED, 50, false)
	eventually(t, 5*time.Second, "the replay equals the settlement", func() bool {
		replayed, err := s.client.ReplayBattle(t.Context(), &scorev1.ReplayBattleRequest{BattleId: "b1"})
		return err == nil && replayed.GetEqual()
	})
}

func TestPartitionCountIsFixed(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.stop()
	for _, partitions := range []int{8, 32} {
		cfg := s.cfg
		cfg.Partitions = partitions
		service, err := score.New(cfg, score.Deps{Stores: s.stores(t), NATS: s.nc, Redis: s.redis, Battle: battletest.Client{B: s.battle}})
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Components()[0].Run(t.Context(), func() {}); err == nil {
			t.Errorf("%d partitions took over the logs of 16", partitions)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	bad := gift("a", "g2", 10)
	bad.SentAt = nil
	_, err := s.client.SendGifts(t.Context(), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{gift("a", "g1", 10), bad}})
	if r, ok := rpc.Refusal(err); !ok || r.Reason != es.ReasonInvalidArgument || r.Field != "gifts[1].sent_at" {
		t.Errorf("a gift without sent_at got %v", err)
	}
	if _, err := s.client.GetGift(t.Context(), &scorev1.GetGiftRequest{LiveId: "a", EventId: "g1"}); reason(err) != "GIFT_NOT_FOUND" {
		t.Errorf("a gift of a refused call got %v", err)
	}
	stream, err := s.client.StreamGifts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		g := gift("a", "s", int64(i+1))
		if err := stream.Send(&scorev1.StreamGiftsRequest{Gifts: []*scorev1.GiftEvent{g}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, answer.GetVerdicts()[0], scorev1.GiftVerdict_NO_BATTLE, 0, false)
	}
}
