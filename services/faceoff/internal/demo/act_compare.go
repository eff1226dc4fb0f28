package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// checkLives compares what a result says of each live with the own count.
func (s *stage) checkLives(b *bout, r *battlev1.BattleResult) {
	b.account.Counted = b.counted()
	for _, h := range b.sides {
		points, gifts := b.tally.total(h.live)
		i := slices.IndexFunc(r.GetLives(), func(l *battlev1.LiveResult) bool { return l.GetLiveId() == h.live })
		if i < 0 {
			s.check("the result has "+h.live, false, "it is %v", r)
			continue
		}
		l := r.GetLives()[i]
		s.check("the result's score of "+h.live+" is the own count", l.GetScore() == points, "%d, counted %d", l.GetScore(), points)
		s.check("the proof of "+h.live+" has the number of its gifts", l.GetProof().GetGifts() == gifts, "%d, counted %d", l.GetProof().GetGifts(), gifts)
		top := b.tally.top(h.live)
		s.check("the top gifters of "+h.live+" are the own count's", slices.Equal(gifters(l.GetTopGifters()), top), "%v, counted %v", l.GetTopGifters(), top)
		mvp := ""
		if len(top) > 0 {
			mvp = top[0].User
		}
		s.check("the MVP of "+h.live+" is its best gifter", l.GetMvpUserId() == mvp, "%q, counted %q", l.GetMvpUserId(), mvp)
	}
}

// checkSettlement compares the result with the own count.
func (p *play) checkSettlement(r *battlev1.BattleResult) {
	p.checkLives(p.bout, r)
	counted := p.counted()
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
func (s *stage) compareScores(ctx context.Context, b *bout) error {
	out := new(scorev1.GetBattleScoresResponse)
	if err := s.get(ctx, s.service, client.Path("v1", "battles", b.battle, "scores"), out); err != nil {
		return err
	}
	b.account.Scores = out.GetScores().GetScores()
	s.check("the API's scores are final and the own count", maps.Equal(b.account.Scores, b.account.Counted) &&
		out.GetScores().GetStatus() == scorev1.BattleScores_CLOSED, "they are %v", out.GetScores())
	for _, h := range b.sides {
		if _, err := await(ctx, h.viewer, "the final scores", func(m *message) (bool, bool) {
			told := m.GetScores()
			return true, told.GetBattleId() == b.battle && maps.Equal(told.GetScores(), b.account.Counted)
		}); err != nil {
			s.check("the viewers of "+h.live+" are told the final scores", false, "%v", err)
		}
	}
	if s.redis == nil {
		return nil
	}
	found, err := s.awaitRedis(ctx, b)
	b.account.Redis = found
	s.check("the scores in Redis are the own count", err == nil && maps.Equal(found, b.account.Counted), "they are %v (%v)", found, err)
	s.tell("backend", "the same scores stand in Redis, hash pk:{%s}", b.battle)
	return nil
}

// awaitRedis returns the scores in Redis; it waits a little for the right ones, for Redis follows the log.
func (s *stage) awaitRedis(ctx context.Context, b *bout) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		fields, err := s.redis.HGetAll(ctx, "pk:{"+b.battle+"}").Result()
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
		if err == nil && maps.Equal(scores, b.account.Counted) {
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
func (s *stage) compareReceipts(ctx context.Context, bouts ...*bout) error {
	s.mu.Lock()
	answers := slices.Clone(s.report.Verdicts)
	s.mu.Unlock()
	sums := make(map[string]int64)
	seen := make(map[string]bool)
	for _, a := range answers {
		key := a.LiveID + "/" + a.EventID
		if seen[key] || a.Verdict == scorev1.GiftVerdict_NO_BATTLE.String() || a.Verdict == scorev1.GiftVerdict_DUPLICATE.String() {
			continue
		}
		seen[key] = true
		out := new(scorev1.GetGiftResponse)
		if err := s.get(ctx, s.service, client.Path("v1", "lives", a.LiveID, "gifts", a.EventID), out); err != nil {
			return err
		}
		v := out.GetVerdict()
		if v.GetVerdict().String() != a.Verdict || v.GetPoints() != a.Points {
			s.check("the receipt of "+key+" is its first verdict", false, "it is %v, the verdict was %v", v, a)
		}
		sums[a.LiveID] += v.GetPoints()
	}
	for _, h := range s.hosts {
		var counted int64
		for _, b := range bouts {
			points, _ := b.tally.total(h.live)
			counted += points
		}
		s.check("the receipts of "+h.live+" add up to its score", sums[h.live] == counted, "%d, counted %d", sums[h.live], counted)
	}
	s.tell("backend", "looks up %d receipts", len(seen))
	return nil
}

// replay has the battle counted again from the stored log.
func (s *stage) replay(ctx context.Context, b *bout) error {
	var out *scorev1.ReplayBattleResponse
	if _, err := client.Repeat(ctx, func(ctx context.Context) (err error) {
		out, err = s.c.Score.ReplayBattle(client.As(ctx, s.service, ""), &scorev1.ReplayBattleRequest{BattleId: b.battle})
		return err
	}); err != nil {
		return err
	}
	b.account.Replay = document(out)
	s.check("a replay of the log gives the settlement", out.GetEqual() && len(out.GetLives()) == len(b.sides), "%v", out.GetDifferences())
	for _, l := range out.GetLives() {
		points, _ := b.tally.total(l.GetLiveId())
		s.check("the replayed total of "+l.GetLiveId()+" is the own count", l.GetTotal() == points, "%d, counted %d", l.GetTotal(), points)
	}
	s.tell("backend", "a replay of the log gives the same result")
	return nil
}
