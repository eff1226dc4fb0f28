//go:build linux

package hosts

import (
	"math/rand/v2"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/fault"
)

// plan is what is done to the replicas of cohost: one is killed, stands still or is cut off from NATS, now and then another one at the same
// time, or all of them.
func (s *stage) plan(rng *rand.Rand) fault.Plan {
	p := fault.Plan{Load: s.For}
	replicas := s.c.Replicas(cluster.Cohost)
	for at := s.beats(rng, 3, 6); at < s.For; {
		f := fault.Fault{At: at}
		switch rng.IntN(3) {
		case 0:
			f.Kind, f.For = fault.Kill, s.beats(rng, 0, 2)
		case 1:
			f.Kind, f.For = fault.Pause, s.beats(rng, 1./3, 20./3)
		default:
			f.Kind, f.For = fault.Drop, s.beats(rng, 1./3, 20./3)
		}
		harmed := replicas[rng.IntN(len(replicas)):][:1]
		if rng.IntN(6) == 0 {
			harmed = replicas
		}
		for _, name := range harmed {
			f.Targets = []string{name}
			if f.Kind == fault.Drop {
				f.Targets = append(f.Targets, cluster.NATS)
			}
			p.Faults = append(p.Faults, f)
		}
		if rng.IntN(8) > 0 {
			at += f.For
		}
		at += s.beats(rng, 1, 9)
	}
	return p
}
