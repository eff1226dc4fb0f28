package demo

import (
	"context"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/rpc"
)

// nine is one run of the scenario Nine: all commands go by REST, as those of a platform's backend and of its hosts.
type nine struct {
	*stage
	admin string // token

	lives   []*host // in the order of joining
	tenth   *host   // for whom there is no room
	members []*host // of the connection, in the order of joining
	bouts   []*bout
}

func newNine(s *stage, watching context.Context) ([]act, error) {
	n := &nine{stage: s}
	var err error
	if n.admin, err = n.c.Token("demo-admin", auth.EveryLive, auth.Admin); err != nil {
		return nil, err
	}
	for i, name := range []string{"ann", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo"} {
		h, err := n.newHost(name, []auth.Role{auth.Host, auth.Audience}[i%2])
		if err != nil {
			return nil, err
		}
		n.lives = append(n.lives, h)
	}
	if n.tenth, err = n.newHost("joe", auth.Audience); err != nil {
		return nil, err
	}
	return []act{
		{"open the lives", func(ctx context.Context) error { return n.openAll(ctx, watching) }},
		{"gather the first five", func(ctx context.Context) error { return n.gather(ctx, 5) }},
		{"arrange the view", n.arrange},
		{"gather all nine", func(ctx context.Context) error { return n.gather(ctx, len(n.lives)) }},
		{"invite a tenth", n.inviteTenth},
		{"battle nine ways", n.nineWays},
		{"battle four against five", n.fourAgainstFive},
		{"forfeit, each for itself", n.forfeitAlone},
		{"forfeit as a team", n.forfeitTeam},
		{"extend a battle and cut it short", n.consent},
		{"void a battle", n.void},
		{"play best of three", n.bestOfThree},
		{"look up the receipts", func(ctx context.Context) error { return n.compareReceipts(ctx, n.bouts...) }},
		{"part", n.part},
		{"end the lives", n.endAll},
	}, nil
}

// checkRefused looks at why a call was refused.
func (n *nine) checkRefused(what string, err error, reason string) {
	refusal, ok := rpc.Refusal(err)
	n.check(what+" is refused with "+reason, ok && refusal.Reason == reason, "the answer is %v", err)
}
