package demo

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// requestBattle has ann ask for a battle, and ben accept.
func (p *play) requestBattle(ctx context.Context) error {
	id := ids.New()
	seconds := int32(p.duration / time.Second)
	in := &battlev1.RequestBattleRequest{
		InviterLiveId: p.ann.live, TargetLiveIds: []string{p.ben.live}, TimeoutSeconds: 60,
		Config: &battlev1.BattleConfig{DurationSeconds: seconds, NeedResponse: true, ExtensionInfo: "demo"},
	}
	out := new(battlev1.RequestBattleResponse)
	if _, err := client.Repeat(ctx, func(ctx context.Context) error {
		return p.c.REST(ctx, p.ann.token, id, http.MethodPost, "/v1/battles", in, out)
	}); err != nil {
		return err
	}
	p.is(out.GetBattle())
	p.tell(p.ann.user, "asks %s for a battle of %d s", p.ben.live, seconds)
	p.check("the battle is requested", out.GetResults()[p.ben.live].GetOk() && p.battle != "" &&
		out.GetBattle().GetStatus() == battlev1.Battle_REQUESTED, "the answer is %v", out)

	asked, err := await(ctx, p.ben.viewer, "BattleRequestReceived", func(m *message) (*battlev1.Battle, bool) {
		b := m.GetBattle().GetBattleRequestReceived().GetBattle()
		return b, b.GetBattleId() == p.battle
	})
	if err != nil {
		return err
	}
	p.check("the request passes its extension info on", asked.GetConfig().GetExtensionInfo() == in.GetConfig().GetExtensionInfo(), "it is %v", asked)
	p.tell(p.ben.live, "BattleRequestReceived from %s", p.ann.live)

	// The same request again, under the same id, is the same battle.
	again := new(battlev1.RequestBattleResponse)
	if _, err := client.Repeat(ctx, func(ctx context.Context) (err error) {
		again, err = p.c.Battle.RequestBattle(client.As(ctx, p.ann.token, id), in)
		return err
	}); err != nil {
		return err
	}
	p.check("the request repeated under its id is the same battle", again.GetBattle().GetBattleId() == p.battle, "it is %v", again)

	id = ids.New()
	if _, err := client.Repeat(ctx, func(ctx context.Context) error {
		_, err := p.c.Battle.AcceptBattle(client.As(ctx, p.ben.token, id), &battlev1.AcceptBattleRequest{BattleId: p.battle, LiveId: p.ben.live})
		return err
	}); err != nil {
		return err
	}
	p.tell(p.ben.user, "accepts the battle")
	if _, err := await(ctx, p.ann.viewer, "BattleRequestAccept", func(m *message) (bool, bool) {
		return true, m.GetBattle().GetBattleRequestAccept().GetBattleId() == p.battle
	}); err != nil {
		return err
	}
	p.tell(p.ann.live, "BattleRequestAccept by %s", p.ben.live)

	var starts []*battlev1.Battle
	for _, h := range p.sides {
		b, err := await(ctx, h.viewer, "BattleStarted", func(m *message) (*battlev1.Battle, bool) {
			e := m.GetBattle().GetBattleStarted()
			return e.GetBattle(), e.GetBattle().GetBattleId() == p.battle
		})
		if err != nil {
			return err
		}
		p.tell(h.live, "BattleStarted, until %s", b.GetEndsAt().AsTime().Format("15:04:05.000"))
		starts = append(starts, b)
	}
	p.endsAt = starts[0].GetEndsAt().AsTime()
	length := starts[0].GetEndsAt().AsTime().Sub(starts[0].GetStartsAt().AsTime())
	p.check("the battle lasts as long as asked", length == p.duration, "it lasts %v", length)
	p.check("both sides are told the same times", proto.Equal(starts[0].GetStartsAt(), starts[1].GetStartsAt()) &&
		proto.Equal(starts[0].GetEndsAt(), starts[1].GetEndsAt()), "they are %v and %v", starts[0], starts[1])
	return nil
}

// awaitEnd waits until both sides are told the result.
func (p *play) awaitEnd(ctx context.Context) error {
	over := time.NewTimer(time.Until(p.endsAt))
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	var results []*battlev1.BattleResult
	for _, h := range p.sides {
		e, err := await(ctx, h.viewer, "BattleEnded", func(m *message) (*battlev1.BattleEnded, bool) {
			e := m.GetBattle().GetBattleEnded()
			return e, e.GetBattle().GetBattleId() == p.battle
		})
		if err != nil {
			return err
		}
		p.tell(h.live, "BattleEnded: %s, %s", e.GetReason(), outcome(e.GetResult()))
		p.check(h.live+" is told that the time is over", e.GetReason() == battlev1.Battle_TIME_OVER, "the reason is %s", e.GetReason())
		p.check(h.live+" is told the result with the end", len(e.GetResult().GetLives()) == 2, "the result is %v", e.GetResult())
		results = append(results, e.GetResult())
	}
	b, err := p.getBattle(ctx, p.ben, p.battle)
	if err != nil {
		return err
	}
	p.account.EndReason, p.account.Settlement = b.GetEndReason().String(), document(b.GetResult())
	p.check("both sides are told the settlement itself", proto.Equal(results[0], results[1]) && proto.Equal(results[0], b.GetResult()),
		"%v, %v and %v", results[0], results[1], b.GetResult())
	p.check("the battle has ended, not before its time", b.GetStatus() == battlev1.Battle_ENDED &&
		!b.GetEndedAt().AsTime().Before(b.GetEndsAt().AsTime()), "it is %v", b)
	p.checkSettlement(b.GetResult())
	return nil
}

func outcome(r *battlev1.BattleResult) string {
	if r.GetDraw() {
		return "a draw"
	}
	if len(r.GetWinnerLiveIds()) == 1 {
		return r.GetWinnerLiveIds()[0] + " wins"
	}
	return "no winner"
}

// getBattle asks for a battle, as one of its hosts.
func (s *stage) getBattle(ctx context.Context, h *host, battle string) (*battlev1.Battle, error) {
	out := new(battlev1.GetBattleResponse)
	err := s.get(ctx, h.token, client.Path("v1", "battles", battle), out)
	return out.GetBattle(), err
}

// openBattles lists the battles that a live is in or was asked to and that have not ended.
func (s *stage) openBattles(ctx context.Context, h *host) ([]string, error) {
	out := new(battlev1.ListBattlesResponse)
	if err := s.get(ctx, s.service, "/v1/battles?live_id="+url.QueryEscape(h.live), out); err != nil {
		return nil, err
	}
	var open []string
	for _, b := range out.GetBattles() {
		if b.GetStatus() != battlev1.Battle_ENDED {
			open = append(open, b.GetBattleId())
		}
	}
	return open, nil
}
