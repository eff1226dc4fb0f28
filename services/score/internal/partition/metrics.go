package partition

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// repeated is how verdicts that had been given before are counted.
const repeated = "REPEATED"

// verdictCounters count the verdicts answered, by their name.
type verdictCounters struct {
	first map[scorev1.GiftVerdict_Verdict]prometheus.Counter
	again prometheus.Counter
}

func newVerdictCounters(reg prometheus.Registerer) verdictCounters {
	gifts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "faceoff_score_gifts_total", Help: "Gifts answered, by verdict; REPEATED: the verdict had been given before.",
	}, []string{"verdict"})
	if reg != nil {
		if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](reg.Register(gifts)); ok {
			gifts = known.ExistingCollector.(*prometheus.CounterVec)
		}
	}
	c := verdictCounters{first: make(map[scorev1.GiftVerdict_Verdict]prometheus.Counter), again: gifts.WithLabelValues(repeated)}
	for v := scorev1.GiftVerdict_COUNTED; v <= scorev1.GiftVerdict_REJECTED; v++ {
		c.first[v] = gifts.WithLabelValues(v.String())
	}
	return c
}

func (c verdictCounters) count(verdicts []*scorev1.GiftVerdict) {
	for _, v := range verdicts {
		if v.GetDuplicate() {
			c.again.Inc()
		} else {
			c.first[v.GetVerdict()].Inc()
		}
	}
}
