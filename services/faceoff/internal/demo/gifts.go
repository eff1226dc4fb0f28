package demo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// How a gift is sent the second and the third time.
type repeats int

const (
	// oneRepeat: once more, by the next door, when the first verdict is there.
	oneRepeat repeats = iota
	// twoRepeats: by both other doors, one after the other.
	twoRepeats
	// atOnce: by all three doors at the same time.
	atOnce
	// otherPayload: as oneRepeat, and then with another value under the same id.
	otherPayload
	repeatKinds
)

// planned is a gift with the way that it is sent.
type planned struct {
	event   *scorev1.GiftEvent
	first   int // index of the door
	repeats repeats
}

// kinds of gifts, and what the default rules give for them.
var kinds = []struct {
	id       string
	category scorev1.GiftEvent_Category
	value    int64
	fixed    int64
	count    int64
	points   int64
}{
	{"rose", scorev1.GiftEvent_BASIC, 10, 0, 1, 50},
	{"bouquet", scorev1.GiftEvent_INTERMEDIATE, 50, 0, 1, 400},
	{"car", scorev1.GiftEvent_ADVANCED, 100, 0, 1, 1200},
	{"rocket", scorev1.GiftEvent_SPECIAL, 99, 999, 1, 999},
	{"kiss", scorev1.GiftEvent_BASIC, 1, 0, 7, 35},
}

const (
	giftsOfAnn = 14
	giftsOfBen = 11 // fewer, so that there is a winner
	fansOfEach = 4
)

// plan lists the gifts of the battle, for both lives in turn.
func plan(ann, ben string) []planned {
	var all []planned
	for i := range max(giftsOfAnn, giftsOfBen) {
		if i < giftsOfAnn {
			all = append(all, newPlanned(ann, "gift", i))
		}
		if i < giftsOfBen {
			all = append(all, newPlanned(ben, "gift", i))
		}
	}
	return all
}

func newPlanned(live, name string, i int) planned {
	return planned{event: newGift(live, fmt.Sprintf("%s-%02d", name, i), i), first: i % len(doors), repeats: repeats(i) % repeatKinds}
}

// newGift makes a gift of the i-th kind, sent now by one of the live's fans.
func newGift(live, id string, i int) *scorev1.GiftEvent {
	kind := kinds[i%len(kinds)]
	fan := fmt.Sprintf("fan-%d", i%fansOfEach)
	return &scorev1.GiftEvent{
		EventId: id, LiveId: live, GiftId: kind.id, Category: kind.category,
		Sender:    &userv1.User{UserId: fan + "-of-" + live, UserName: fan},
		UnitValue: kind.value, FixedScore: kind.fixed, Count: kind.count,
		SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}
}

// worth is what the default rules give for a gift, by this program's own table.
func worth(g *scorev1.GiftEvent) int64 {
	for _, kind := range kinds {
		if kind.id == g.GetGiftId() {
			return kind.points
		}
	}
	return 0
}

// tally is this program's own count of what was counted.
type tally struct {
	mu    sync.Mutex
	lives map[string]*board
}

// board is the count of one live.
type board struct {
	points int64
	gifts  int64
	fans   map[string]int64
}

func newTally() *tally { return &tally{lives: make(map[string]*board)} }

func (t *tally) board(live string) *board {
	b := t.lives[live]
	if b == nil {
		b = &board{fans: make(map[string]int64)}
		t.lives[live] = b
	}
	return b
}

// count adds a gift that was acknowledged as counted; it is called once for each event id.
func (t *tally) count(g *scorev1.GiftEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.board(g.GetLiveId())
	b.points += worth(g)
	b.gifts++
	b.fans[g.GetSender().GetUserId()] += worth(g)
}

// total returns a live's points and the number of its gifts.
func (t *tally) total(live string) (points, gifts int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.board(live)
	return b.points, b.gifts
}

// fan is a member of the audience with the points of its gifts.
type fan struct {
	User   string
	Points int64
}

// top lists a live's fans, best first, those with equal points by their names.
func (t *tally) top(live string) []fan {
	t.mu.Lock()
	defer t.mu.Unlock()
	var fans []fan
	for _, user := range slices.Sorted(maps.Keys(t.board(live).fans)) {
		fans = append(fans, fan{user, t.board(live).fans[user]})
	}
	slices.SortStableFunc(fans, func(a, b fan) int { return cmp.Compare(b.Points, a.Points) })
	return fans
}

func gifters(list []*battlev1.Gifter) []fan {
	var fans []fan
	for _, g := range list {
		fans = append(fans, fan{g.GetUser().GetUserId(), g.GetPoints()})
	}
	return fans
}
