package check

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Sent is a gift event of one call, with or without an answer.
type Sent struct {
	Event *scorev1.GiftEvent
	// Answered: the call gave a verdict.
	Answered bool
}

// valued is what makes a gift worth something, as it is sent and as it is stored.
type valued interface {
	GetCategory() scorev1.GiftEvent_Category
	GetUnitValue() int64
	GetCount() int64
	GetFixedScore() int64
}

// Worth is what a gift counts by the rules default@1, at most math.MaxInt64.
func Worth(g valued) int64 {
	if overflows(0, g) {
		return math.MaxInt64
	}
	return worthOfOne(g) * max(g.GetCount(), 1)
}

func worthOfOne(g valued) int64 {
	factor := map[scorev1.GiftEvent_Category]int64{
		scorev1.GiftEvent_BASIC: 5, scorev1.GiftEvent_INTERMEDIATE: 8, scorev1.GiftEvent_ADVANCED: 12, scorev1.GiftEvent_LIKE: 1,
	}
	return g.GetUnitValue()*factor[g.GetCategory()] + g.GetFixedScore()
}

// overflows reports whether a gift makes more of a total than it can hold.
func overflows(total int64, g valued) bool {
	high, low := bits.Mul64(uint64(worthOfOne(g)), uint64(max(g.GetCount(), 1)))
	return high > 0 || low > uint64(math.MaxInt64-total)
}

// LogOf is the log of so many that decides on a live's gifts: FNV-1a 64 of its id modulo their number.
func LogOf(live string, logs int) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(live))
	return fmt.Sprintf("SCORE_%02d", h.Sum64()%uint64(logs))
}

// samePayload reports whether the log has what was sent.
func samePayload(logged *scorev1.Entry_GiftDecided, sent *scorev1.GiftEvent) bool {
	return logged.GetSender().GetUserId() == sent.GetSender().GetUserId() && logged.GetGiftId() == sent.GetGiftId() &&
		logged.GetCategory() == sent.GetCategory() && logged.GetUnitValue() == sent.GetUnitValue() &&
		logged.GetCount() == max(sent.GetCount(), 1) && logged.GetFixedScore() == sent.GetFixedScore() &&
		logged.GetSentAtMs() == sent.GetSentAt().AsTime().UnixMilli()
}

// inputs compares the logs and the settlements with what callers sent, and with what they were answered for it.
func (s *scoreLogs) inputs(r Run) {
	if r.Sent == nil {
		return
	}
	sent := map[GiftID][]Sent{}
	for _, x := range r.Sent {
		id := GiftID{x.Event.GetLiveId(), x.Event.GetEventId()}
		sent[id] = append(sent[id], x)
	}
	for id, logged := range s.gifts {
		s.wanted(id, logged, sent[id])
	}
	answered, sums := s.sums(r.Gifts)
	open := map[string]int64{} // by live: what may have been counted without an answer
	for id, all := range sent {
		if !answered[id] {
			open[id.Live] = add(open[id.Live], most(all))
		}
	}
	for id, result := range s.battle.results {
		for _, l := range result.GetLives() {
			switch least := sums[[2]string{id, l.GetLiveId()}]; {
			case l.GetScore() < least:
				s.f.add(Lost, "battle %s: live %s settles with %d points, its senders were told that %d count", id, l.GetLiveId(), l.GetScore(), least)
			case l.GetScore() > add(least, open[l.GetLiveId()]):
				s.f.add(Duplicated, "battle %s: live %s settles with %d points, sent were gifts for %d, and for %d without an answer",
					id, l.GetLiveId(), l.GetScore(), least, open[l.GetLiveId()])
			}
		}
	}
}

// wanted: what the log has was sent, and counts what it is worth.
func (s *scoreLogs) wanted(id GiftID, logged counted, sent []Sent) {
	for _, x := range sent {
		if !samePayload(logged.Entry_GiftDecided, x.Event) {
			continue
		}
		if logged.GetVerdict() == scorev1.GiftVerdict_COUNTED && logged.GetPoints() != Worth(x.Event) {
			s.f.add(Violation, "%s/%d: gift %v is counted with %d points, it is worth %d", logged.log, logged.seq, id, logged.GetPoints(), Worth(x.Event))
		}
		return
	}
	s.f.add(Violation, "%s/%d: gift %v is %v, nobody has sent it", logged.log, logged.seq, id, logged.GetVerdict())
}

// sums adds up what senders were told that counts, each gift once, by battle and live. It also tells which gifts got an
// answer for good.
func (s *scoreLogs) sums(gifts []Gift) (answered map[GiftID]bool, sums map[[2]string]int64) {
	answered, sums = map[GiftID]bool{}, map[[2]string]int64{}
	for _, g := range gifts {
		v := g.Verdict.GetVerdict()
		if v == scorev1.GiftVerdict_NO_BATTLE || v == scorev1.GiftVerdict_DUPLICATE || answered[g.GiftID] {
			continue // not kept; or about another gift
		}
		answered[g.GiftID] = true
		if v == scorev1.GiftVerdict_COUNTED {
			key := [2]string{g.Verdict.GetBattleId(), g.Live}
			sums[key] = add(sums[key], g.Points)
		}
	}
	return answered, sums
}

// most is what the gifts of one id can count at most, as far as they were not all answered.
func most(sent []Sent) (points int64) {
	open := false
	for _, x := range sent {
		points, open = max(points, Worth(x.Event)), open || !x.Answered
	}
	if !open {
		return 0
	}
	return points
}

// add is a sum that stays at the largest number.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
