package demo

import (
	"context"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

// play is one run of the scenario PK.
type play struct {
	*stage
	*bout

	ann    *host // invites
	ben    *host // is invited
	endsAt time.Time
}

func newPlay(s *stage, watching context.Context) ([]act, error) {
	p := &play{stage: s}
	var err error
	if p.ann, err = p.newHost("ann", auth.Host); err != nil {
		return nil, err
	}
	if p.ben, err = p.newHost("ben", auth.Audience); err != nil {
		return nil, err
	}
	p.bout = newBout("", p.hosts)
	p.report.BattleReport = p.account
	return []act{
		{"open the lives", func(ctx context.Context) error { return p.openLives(ctx, watching) }},
		{"send a gift before the battle", p.giveBefore},
		{"connect", p.connect},
		{"request the battle", p.requestBattle},
		{"send gifts", p.giveDuring},
		{"await the end", p.awaitEnd},
		{"send gifts after the end", p.giveAfter},
		{"compare the scores", func(ctx context.Context) error { return p.compareScores(ctx, p.bout) }},
		{"look up the receipts", func(ctx context.Context) error { return p.compareReceipts(ctx, p.bout) }},
		{"replay the log", func(ctx context.Context) error { return p.replay(ctx, p.bout) }},
		{"part", p.part},
		{"end the lives", p.endLives},
	}, nil
}
