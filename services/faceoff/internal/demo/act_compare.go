package demo

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// checkSettlement compares the result with the own count.
func (p *play) checkSettlement(r *battlev1.BattleResult) {
	counted := make(map[string]int64)
	for _, h := range p.sides() {
		points, gifts := p.tally.total(h.live)
		counted[h.user] = points
		i := slices.IndexFunc(r.GetLives(), func(l *battlev1.LiveResult) bool { return l.GetLiveId() == h.live })
		if i < 0 {
			p.check("the result has "+h.live, false, "it is %v", r)
			continue
		}
		l := r.GetLives()[i]
		p.check("the result's score of "+h.live+" is the own count", l.GetScore() == points, "%d, counted %d", l.GetScore(), points)
		p.check("the proof of "+h.live+" has the number of its gifts", l.GetProof().GetGifts() == gifts, "%d, counted %d", l.GetProof().GetGifts(), gifts)
		top := p.tally.top(h.live)
		p.check("the top gifters of "+h.live+" are the own count's", slices.Equal(gifters(l.GetTopGifters()), top), "%v, counted %v", l.GetTopGifters(), top)
		mvp := ""
		if len(top) > 0 {
			mvp = top[0].User
		}
		p.check("the MVP of "+h.live+" is its best gifter", l.GetMvpUserId() == mvp, "%q, counted %q", l.GetMvpUserId(), mvp)
	}
	p.report.Counted = counted

	ann, ben := counted[p.ann.user], counted[p.ben.user]
	winners := []string{p.ann.live, p.ben.live}
	switch {
	case ann > ben:
		winners = winners[:1]
	case ann < ben:
		winners = winners[1:]
	}
	p.check("who gathered more wins", slices.Equal(slices.Sorted(slices.Values(r.GetWinnerLiveIds())), slices.Sorted(slices.Values(winners))) &&
		r.GetDraw() == (ann == ben), "the winners are %v, the scores %v", r.GetWinnerLiveIds(), counted)
	p.tell("backend", "the settlement: %s %d, %s %d", p.ann.user, ann, p.ben.user, ben)
}

// compareScores looks at the scores where platforms do: the API, what viewers were told last, and Redis.
func (p *play) compareScores(ctx context.Context) error {
	out := new(scorev1.GetBattleScoresResponse)
	if _, err := client.Repeat(ctx, func(ctx context.Context) error {
		return p.c.REST(ctx, p.service, "", http.MethodGet, client.Path("v1", "battles", p.battle, "scores"), nil, out)
	}); err != nil {
		return err
	}
	p.report.Scores = out.GetScores().GetScores()
	p.check("the API's scores are final and the own count", maps.Equal(p.report.Scores, p.report.Counted) &&
		out.GetScores().GetStatus() == scorev1.BattleScores_CLOSED, "they are %v", out.GetScores())
	for _, h := range p.sides() {
		if _, err := await(ctx, h.viewer, "the final scores", func(m *message) (bool, bool) {
			s := m.GetScores()
			return true, s.GetBattleId() == p.battle && maps.Equal(s.GetScores(), p.report.Counted)
		}); err != nil {
			p.check("the viewers of "+h.live+" are told the final scores", false, "%v", err)
		}
	}
	if p.redis == nil {
		return nil
	}
	found, err := p.awaitRedis(ctx)
	p.report.Redis = found
	p.check("the scores in Redis are the own count", err == nil && maps.Equal(found, p.report.Counted), "they are %v (%v)", found, err)
	p.tell("backend", "the same scores stand in Redis, hash pk:{%s}", p.battle)
	return nil
}

// awaitRedis returns the scores in Redis; it waits a little for the right ones, for Redis follows the log.
func (p *play) awaitRedis(ctx context.Context) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		fields, err := p.redis.HGetAll(ctx, "pk:{"+p.battle+"}").Result()
		scores := make(map[string]int64)
		for field, value := range fields {
			if strings.HasPrefix(field, "_") {
				continue
			}
			n, parseErr := strconv.ParseInt(value, 10, 64)
			if parseErr != nil {
				return nil, fmt.Errorf("field %s: %w", field, parseErr)
			}
			scores[field] = n
		}
		if err == nil && maps.Equal(scores, p.report.Counted) {
			return scores, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return scores, err
		}
	}
}

// compareReceipts looks up the receipt of every gift: it is the first verdict.
func (p *play) compareReceipts(ctx context.Context) error {
	p.mu.Lock()
	answers := slices.Clone(p.report.Verdicts)
	p.mu.Unlock()
	sums := make(map[string]int64)
	seen := make(map[string]bool)
	for _, a := range answers {
		key := a.LiveID + "/" + a.EventID
		if seen[key] || a.Verdict == scorev1.GiftVerdict_NO_BATTLE.String() || a.Verdict == scorev1.GiftVerdict_DUPLICATE.String() {
			continue
		}
		seen[key] = true
		out := new(scorev1.GetGiftResponse)
		if _, err := client.Repeat(ctx, func(ctx context.Context) error {
			return p.c.REST(ctx, p.service, "", http.MethodGet, client.Path("v1", "lives", a.LiveID, "gifts", a.EventID), nil, out)
		}); err != nil {
			return err
		}
		v := out.GetVerdict()
		if v.GetVerdict().String() != a.Verdict || v.GetPoints() != a.Points {
			p.check("the receipt of "+key+" is its first verdict", false, "it is %v, the verdict was %v", v, a)
		}
		sums[a.LiveID] += v.GetPoints()
	}
	for _, h := range p.sides() {
		points, _ := p.tally.total(h.live)
		p.check("the receipts of "+h.live+" add up to its score", sums[h.live] == points, "%d, counted %d", sums[h.live], points)
	}
	p.tell("backend", "looks up %d receipts", len(seen))
	return nil
}

// replay has the battle counted again from the stored log.
func (p *play) replay(ctx context.Context) error {
	var out *scorev1.ReplayBattleResponse
	if _, err := client.Repeat(ctx, func(ctx context.Context) (err error) {
		out, err = p.c.Score.ReplayBattle(client.As(ctx, p.service, ""), &scorev1.ReplayBattleRequest{BattleId: p.battle})
		return err
	}); err != nil {
		return err
	}
	p.report.Replay = document(out)
	p.check("a replay of the log gives the settlement", out.GetEqual() && len(out.GetLives()) == 2, "%v", out.GetDifferences())
	for _, l := range out.GetLives() {
		points, _ := p.tally.total(l.GetLiveId())
		p.check("the replayed total of "+l.GetLiveId()+" is the own count", l.GetTotal() == points, "%d, counted %d", l.GetTotal(), points)
	}
	p.tell("backend", "a replay of the log gives the same result")
	return nil
}
