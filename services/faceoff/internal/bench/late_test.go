package bench

import (
	"testing"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// What comes early, is missing in the log or was not told, and what comes twice, is counted as that.
func TestWhatWasDueIsCompared(t *testing.T) {
	t.Parallel()
	deadline := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	after := func(ms ...int) (at []time.Time) {
		for _, d := range ms {
			at = append(at, deadline.Add(time.Duration(d)*time.Millisecond))
		}
		return at
	}
	for name, row := range map[string]struct {
		log                     recorded
		told                    int
		early, lost, duplicated int
	}{
		"in time":            {log: recorded{ending: after(0), settled: after(5)}, told: 1},
		"late":               {log: recorded{ending: after(900), settled: after(901)}, told: 1},
		"early":              {log: recorded{ending: after(-1), settled: after(5)}, told: 1, early: 1},
		"not in the log":     {told: 1, lost: 1},
		"not told":           {log: recorded{ending: after(0), settled: after(5)}, lost: 1},
		"twice in the log":   {log: recorded{ending: after(0, 1), settled: after(5)}, told: 1, duplicated: 1},
		"settled twice":      {log: recorded{ending: after(0), settled: after(5, 6)}, told: 1, duplicated: 1},
		"told twice":         {log: recorded{ending: after(0), settled: after(5)}, told: 2, duplicated: 1},
		"without settlement": {log: recorded{ending: after(3)}, told: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			by := newTold()
			for range row.told {
				by.note(ended+"b", news{seen: deadline.Add(time.Second)})
			}
			d := &dues{all: []due{{id: "b", deadline: deadline, by: by, key: ended + "b", seen: row.told > 0, news: by.all[ended+"b"]}}}
			r := d.run(&measure{passed: time.Second}, map[string]recorded{"b": row.log}, "", "")
			if r.Early != row.early || r.Lost != row.lost || r.Duplicated != row.duplicated {
				t.Errorf("%d early, %d lost, %d duplicated", r.Early, r.Lost, r.Duplicated)
			}
			if r.Count != 1-row.lost {
				t.Errorf("%d events", r.Count)
			}
		})
	}
}

// Gifts that were acknowledged as counted and are not in the result are lost; those that are there besides came twice.
func TestGiftsAreCompared(t *testing.T) {
	t.Parallel()
	result := func(gifts int64) *battlev1.BattleResult {
		return &battlev1.BattleResult{Lives: []*battlev1.LiveResult{{Proof: &battlev1.ClosingProof{Gifts: gifts}}, {Proof: &battlev1.ClosingProof{Gifts: 1}}}}
	}
	d := &dues{all: []due{{id: "same", news: news{result: result(4)}}, {id: "less", news: news{result: result(2)}}, {id: "more", news: news{result: result(9)}}}}
	b := &beside{counted: map[string]int64{"same": 5, "less": 5, "more": 5}}
	gifts, _ := b.runs(&measure{passed: time.Second}, d)
	if gifts.Lost != 2 || gifts.Duplicated != 5 {
		t.Errorf("%d lost, %d duplicated", gifts.Lost, gifts.Duplicated)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	all := new(times)
	for i := range 101 {
		all.add(time.Duration(100-i) * time.Millisecond)
	}
	if s := all.spread(); *s != (Spread{Count: 101, P50: 50, P99: 99, Max: 100}) {
		t.Errorf("%+v", s)
	}
	if s := new(times).spread(); *s != (Spread{}) {
		t.Errorf("of nothing: %+v", s)
	}
}
