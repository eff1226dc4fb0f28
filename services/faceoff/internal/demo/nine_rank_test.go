package demo

import (
	"slices"
	"testing"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
)

// Those that stayed rank before those that exited, by points; equals share a rank, and the next is skipped.
func TestRank(t *testing.T) {
	t.Parallel()
	got := rank([]standing{
		{Name: "gone", Points: 99, Exited: true}, {Name: "last", Points: 1}, {Name: "b", Points: 5}, {Name: "a", Points: 5}, {Name: "first", Points: 7},
	})
	want := []standing{{"first", 7, false, 1}, {"a", 5, false, 2}, {"b", 5, false, 2}, {"last", 1, false, 4}, {"gone", 99, true, 5}}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if first := best(rank([]standing{{Name: "b", Points: 3}, {Name: "a", Points: 3}, {Name: "c", Points: 2}})); !slices.Equal(first, []string{"a", "b"}) {
		t.Errorf("the best are %v", first)
	}
}

// A team has the points of all its lives; it has exited when all of them have.
func TestStandings(t *testing.T) {
	t.Parallel()
	b := newBout("x", []*host{{live: "a"}, {live: "b"}, {live: "c"}})
	b.teams = []*battlev1.BattleConfig_Team{{TeamId: "red", LiveIds: []string{"a", "b"}}, {TeamId: "blue", LiveIds: []string{"c"}}}
	for _, g := range planEach(b, []int{1, 2, 1}) {
		b.tally.count(g.event)
	}
	b.exited["a"], b.exited["c"] = true, true
	lives, teams := b.standings()
	if want := []standing{{"b", 450, false, 1}, {"a", 50, true, 2}, {"c", 50, true, 2}}; !slices.Equal(lives, want) {
		t.Errorf("%v", lives)
	}
	if want := []standing{{"red", 500, false, 1}, {"blue", 50, true, 2}}; !slices.Equal(teams, want) {
		t.Errorf("%v", teams)
	}
	if b.team("b") != "red" || b.team("c") != "blue" || b.team("d") != "" {
		t.Error("a live is in another team")
	}
}
