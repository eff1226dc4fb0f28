package sim

import (
	"context"
	"maps"
	"slices"
	"sync"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// call repeats a command.
type call func(ctx context.Context, o *check.Op) error

// history is what all callers were answered, and what they have heard of by it.
type history struct {
	mu    sync.Mutex
	ops   []check.Op
	calls []call
	gifts []check.Gift
	tried []check.Sent
	// reads, scores and told are what reads and streams said while faults happened.
	reads  []check.Read
	scores []check.Scores
	told   []check.Told
	beats  []check.Beat
	// giftsLost is how many gifts never got a verdict.
	giftsLost int

	invited []invitation
	// members are those of a live's connection, itself included, when the live was heard of last.
	members map[string][]string
	battles []*battlev1.Battle
	sent    []*scorev1.GiftEvent
}

type invitation struct{ from, to string }

func (h *history) add(o check.Op, c call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, o)
	h.calls = append(h.calls, c)
	if o.Kind == check.Invite {
		for _, target := range o.Accepted {
			h.invited = append(h.invited, invitation{o.Live, target})
		}
	}
}

func (h *history) addGifts(g []check.Gift) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gifts = append(h.gifts, g...)
}

// addSent records gifts of a call and its verdicts, nil if there are none. What was answered NO_BATTLE is not kept, so a copy
// that is still under way may count it.
func (h *history) addSent(events []*scorev1.GiftEvent, verdicts []*scorev1.GiftVerdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, e := range events {
		answered := verdicts != nil && verdicts[i].GetVerdict() != scorev1.GiftVerdict_NO_BATTLE
		h.tried = append(h.tried, check.Sent{Event: e, Answered: answered})
	}
}

func (h *history) saw(r check.Read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

func (h *history) heardOf(t check.Told) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, t)
}

func (h *history) addBeat(b check.Beat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beats = append(h.beats, b)
}

func (h *history) sawScores(s check.Scores) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.scores = append(h.scores, s)
}

// connected takes in who a live is connected with.
func (h *history) connected(s *cohostv1.CoHostState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.members == nil {
		h.members = map[string][]string{}
	}
	var members []string
	for _, m := range s.GetConnected() {
		members = append(members, m.GetLiveId())
	}
	h.members[s.GetLiveId()] = members
}

// connections are the members of connections as they were heard of last, some more than once.
func (h *history) connections() (all [][]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, live := range slices.Sorted(maps.Keys(h.members)) {
		if members := h.members[live]; len(members) > 0 {
			all = append(all, members)
		}
	}
	return all
}

func (h *history) giftsUnknown(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.giftsLost += n
}

// heard takes in a battle, or what has become of one, and the next round of it.
func (h *history) heard(b *battlev1.Battle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.GetBattleId() == "" {
		return
	}
	known := func(id string) int {
		return slices.IndexFunc(h.battles, func(x *battlev1.Battle) bool { return x.GetBattleId() == id })
	}
	if i := known(b.GetBattleId()); i < 0 {
		h.battles = append(h.battles, b)
	} else if len(b.GetUsers()) > 0 {
		h.battles[i] = b
	}
	if next := b.GetSeries().GetNextBattleId(); next != "" && known(next) < 0 {
		h.battles = append(h.battles, &battlev1.Battle{BattleId: next, InviterLiveId: b.GetInviterLiveId(), Users: b.GetUsers(), Config: b.GetConfig()})
	}
}

func (h *history) send(g *scorev1.GiftEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, g)
}

// recent returns one of the last few things, drawn by n.
func recent[T any](h *history, list *[]T, n int) (x T, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(*list) == 0 {
		return x, false
	}
	return (*list)[len(*list)-1-n%min(len(*list), 6)], true
}

// done returns an earlier command that was answered with ok, drawn by n, with its call.
func (h *history) done(n int) (check.Op, call, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ops) == 0 {
		return check.Op{}, nil, false
	}
	i := n % len(h.ops)
	return h.ops[i], h.calls[i], h.ops[i].Outcome == check.OK
}
