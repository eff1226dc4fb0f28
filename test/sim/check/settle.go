package check

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// mostGifters is how many a result names.
const mostGifters = 10

// settled compares the settlements with the logs.
func (s *scoreLogs) settled() {
	for id, result := range s.battle.results {
		for _, l := range result.GetLives() {
			r := s.rooms[[2]string{id, l.GetLiveId()}]
			switch {
			case r == nil || !r.closed:
				s.f.add(Violation, "battle %s is settled and live %s was not closed", id, l.GetLiveId())
				continue
			case r.total != l.GetScore():
				s.f.add(Violation, "battle %s: live %s settles with %d points, counted are %d", id, l.GetLiveId(), l.GetScore(), r.total)
			}
			if !r.proves(l.GetProof()) {
				s.f.add(Violation, "battle %s: live %s was open from group %d to %d of %s, the proof says %v", id, l.GetLiveId(), r.from, r.to, r.log, l.GetProof())
			}
			if best := r.best(); !slices.Equal(best, gifters(l)) || len(best) > 0 && l.GetMvpUserId() != best[0].user {
				s.f.add(Violation, "battle %s: the best gifters of live %s are %v, the result says %v and %s", id, l.GetLiveId(), best, gifters(l), l.GetMvpUserId())
			}
		}
	}
}

// proves reports whether a proof names the part of the log that was counted; of a live that never opened, there is none.
func (r *room) proves(p *battlev1.ClosingProof) bool {
	from, to, chain := r.first(), r.to, r.chain
	if r.tombstone {
		from, to, chain = 0, 0, make([]byte, sha256.Size)
	}
	return fmt.Sprintf("SCORE_%02d", p.GetPartition()) == r.log && p.GetOpenedSequence() == from && p.GetClosedSequence() == to &&
		bytes.Equal(p.GetChainHash(), chain) && p.GetGifts() == r.gifts
}

type gifter struct {
	user   string
	points int64
}

// best are the gifters that a result names, best first.
func (r *room) best() []gifter {
	var all []gifter
	for user, points := range r.gifters {
		all = append(all, gifter{user, points})
	}
	slices.SortFunc(all, func(a, b gifter) int {
		return cmp.Or(cmp.Compare(b.points, a.points), cmp.Compare(a.user, b.user))
	})
	return all[:min(len(all), mostGifters)]
}

func gifters(l *battlev1.LiveResult) (all []gifter) {
	for _, g := range l.GetTopGifters() {
		all = append(all, gifter{g.GetUser().GetUserId(), g.GetPoints()})
	}
	return all
}

// ranked checks ranks and winners: those that stayed before those that exited, then by score; equals share a rank.
func (b fight) ranked(id string, r *battlev1.BattleResult, wrong func(Class, string, ...any)) {
	var winners []string
	for _, x := range r.GetLives() {
		rank := int32(1)
		for _, y := range r.GetLives() {
			if b.exited[x.GetLiveId()] && !b.exited[y.GetLiveId()] || b.exited[x.GetLiveId()] == b.exited[y.GetLiveId()] && y.GetScore() > x.GetScore() {
				rank++
			}
		}
		if x.GetRank() != rank {
			wrong(Violation, "live %s of battle %s has rank %d, is %d: %v", x.GetLiveId(), id, x.GetRank(), rank, r)
		}
		if rank == 1 {
			winners = append(winners, x.GetLiveId())
		}
	}
	best := len(winners)
	if len(b.side) > 0 {
		winners = b.rankedTeams(id, r, wrong)
		best = len(r.GetWinnerTeamIds())
	}
	slices.SortFunc(winners, cmp.Compare[string])
	if named := slices.Sorted(slices.Values(r.GetWinnerLiveIds())); !slices.Equal(winners, named) || r.GetDraw() != (best > 1) {
		wrong(Violation, "battle %s is won by %v, draw: %v, not by %v", id, named, r.GetDraw(), winners)
	}
}
