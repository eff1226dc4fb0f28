package badinput

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/faceoff-live/faceoff/pkg/ids"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// scene is a stack with something going on: the lives red and blue battle for an hour, green is alone.
type scene struct {
	*stack
	battleID string
	cohost   cohostv1.CohostServiceClient
	battle   battlev1.BattleServiceClient
	score    scorev1.ScoreServiceClient
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{stack: startStack(t)}
	s.cohost = cohostv1.NewCohostServiceClient(s.conn)
	s.battle = battlev1.NewBattleServiceClient(s.conn)
	s.score = scorev1.NewScoreServiceClient(s.conn)
	for live, host := range map[string]string{"red": "ann", "blue": "ben", "green": "carl"} {
		s.open(t, live, host)
	}
	s.connect(t, "red", "blue")
	s.battleID = s.fight(t, "red", "blue", 3600).GetBattleId()
	// What happens once, such as the first read of a log, has happened when a gift has counted and one could not.
	s.give(t, gift("red"), scorev1.GiftVerdict_COUNTED)
	s.give(t, gift("green"), scorev1.GiftVerdict_NO_BATTLE)
	s.quiet(t)
	s.settle(t)
	return s
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	c, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return c
}

func (s *scene) open(t *testing.T, live, host string) {
	t.Helper()
	_, err := s.cohost.CreateLive(ctx(t), &cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: host}})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *scene) invite(t *testing.T, from, to string, seconds int32) {
	t.Helper()
	if _, err := s.cohost.RequestHostConnection(ctx(t), &cohostv1.RequestHostConnectionRequest{
		LiveId: from, TargetLiveIds: []string{to}, TimeoutSeconds: seconds,
	}); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) connect(t *testing.T, a, b string) {
	t.Helper()
	s.invite(t, a, b, 0)
	if _, err := s.cohost.AcceptHostConnection(ctx(t), &cohostv1.AcceptHostConnectionRequest{LiveId: b, FromLiveId: a}); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) request(t *testing.T, a, b string, seconds int32, config *battlev1.BattleConfig) *battlev1.Battle {
	t.Helper()
	r, err := s.battle.RequestBattle(ctx(t), &battlev1.RequestBattleRequest{
		InviterLiveId: a, TargetLiveIds: []string{b}, TimeoutSeconds: seconds, Config: config,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetBattle()
}

// fight starts a battle and returns it when it runs.
func (s *scene) fight(t *testing.T, a, b string, seconds int32) *battlev1.Battle {
	t.Helper()
	return s.awaitStatus(t, s.request(t, a, b, 0, &battlev1.BattleConfig{DurationSeconds: seconds}).GetBattleId(), battlev1.Battle_RUNNING)
}

func (s *scene) awaitStatus(t *testing.T, id string, want battlev1.Battle_Status) (b *battlev1.Battle) {
	t.Helper()
	await(t, "the battle is "+want.String(), func() error {
		r, err := s.battle.GetBattle(ctx(t), &battlev1.GetBattleRequest{BattleId: id})
		if b = r.GetBattle(); err == nil && b.GetStatus() != want {
			err = errors.New(b.GetStatus().String())
		}
		return err
	})
	return b
}

// pair opens two connected lives of their own.
func (s *scene) pair(t *testing.T) (a, b string) {
	t.Helper()
	run := ids.New()[:10]
	a, b = "a-"+run, "b-"+run
	s.open(t, a, "host-"+a)
	s.open(t, b, "host-"+b)
	s.connect(t, a, b)
	return a, b
}

// gift is a good one.
func gift(live string) *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: ids.New(), LiveId: live, Sender: &userv1.User{UserId: "fan"}, GiftId: "rose",
		Category: scorev1.GiftEvent_BASIC, UnitValue: 10, SentAt: timestamppb.New(time.Now()),
	}
}

// give sends a gift and checks its verdict.
func (s *scene) give(t *testing.T, g *scorev1.GiftEvent, want scorev1.GiftVerdict_Verdict) *scorev1.GiftVerdict {
	t.Helper()
	r, err := s.score.SendGifts(ctx(t), &scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{g}})
	if err != nil {
		t.Fatal(err)
	}
	v := r.GetVerdicts()[0]
	if v.GetVerdict() != want {
		t.Fatalf("the verdict is %v, want %s", v, want)
	}
	return v
}
