package rules

import (
	"math"
	"testing"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

func TestDefault(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		gift   score.Gift
		points int64
		fits   bool
	}{
		{"basic 10", score.Gift{Category: score.Basic, UnitValue: 10, Count: 1}, 50, true},
		{"intermediate 50", score.Gift{Category: score.Intermediate, UnitValue: 50, Count: 1}, 400, true},
		{"advanced 100", score.Gift{Category: score.Advanced, UnitValue: 100, Count: 1}, 1200, true},
		{"special 99", score.Gift{Category: score.Special, UnitValue: 99, Count: 1, FixedScore: 999}, 999, true},
		{"special, three of them", score.Gift{Category: score.Special, Count: 3, FixedScore: 999}, 2997, true},
		{"like", score.Gift{Category: score.Like, UnitValue: 1, Count: 7}, 7, true},
		{"count multiplies", score.Gift{Category: score.Basic, UnitValue: 10, Count: 3}, 150, true},
		{"no category, no points", score.Gift{UnitValue: 10, Count: 3}, 0, true},
		{"largest gift", score.Gift{Category: score.Advanced, UnitValue: 1e12, Count: 1e6}, 0, false},
		{"value overflows", score.Gift{Category: score.Basic, UnitValue: math.MaxInt64 / 4, Count: 1}, 0, false},
		{"count overflows", score.Gift{Category: score.Basic, UnitValue: math.MaxInt64 / 5, Count: 2}, 0, false},
		{"just fits", score.Gift{Category: score.Like, UnitValue: math.MaxInt64, Count: 1}, math.MaxInt64, true},
	}
	set, ok := Book("")
	if !ok || set.Version() != Default {
		t.Fatalf("Book(\"\") = %v, %v", set, ok)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if points, fits := set.Points(row.gift); points != row.points || fits != row.fits {
				t.Errorf("got %d, %v; want %d, %v", points, fits, row.points, row.fits)
			}
		})
	}
}

func TestBook(t *testing.T) {
	t.Parallel()
	if _, ok := Book("default@2"); ok {
		t.Error("a version that does not exist was found")
	}
}
