package check

import (
	"maps"
	"sort"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// Read is the answer to a question. At most one of the answers is set; none stands for "not found".
type Read struct {
	// What was asked for: Live is a live, Page the active lives or the candidates of one, CoHost the state of a live in
	// co-hosting, Battle a battle, Receipt that of an event of a live.
	Question Question
	ID       string
	Event    string
	// Window in the log that has the answer: it must be so somewhere there.
	Window Window
	// Of is the id of a command whose answer says it: it knows what the command did.
	Of string

	Live    *cohostv1.Live
	CoHost  *cohostv1.CoHostState
	Page    *Page
	Battle  *battlev1.Battle
	Receipt *scorev1.GiftVerdict
}

// Question is what a Read asks.
type Question string

// The questions.
const (
	AskLive       Question = "GetLive"
	AskLives      Question = "ListLives"
	AskCandidates Question = "ListCandidates"
	AskCoHost     Question = "GetCoHostState"
	AskBattle     Question = "GetBattle"
	AskGift       Question = "GetGift"
)

// Page is a page of lives.
type Page struct {
	// After is the token that was asked with, and Size the most lives that were asked for.
	After string
	Size  int
	Lives []*cohostv1.Live
	Next  string
}

// Scores are the scores of a battle as somebody tells them.
type Scores struct {
	// Where they were read.
	Where  string
	Battle string
	// By user_id of the host.
	Points map[string]int64
	// Windows by log or live: the part of the log that they rest on. What is not named is not known.
	Windows map[string]Window
	// Final: told as such.
	Final bool
}

// Gifters are the gifters of a live in a battle that has ended, with their points, as somebody tells them.
type Gifters struct {
	Where        string
	Battle, Live string
	Points       map[string]int64
}

// told compares answers to questions with the logs.
type told struct {
	f      *Findings
	cohost *cohostLog
	battle *battleLog
	score  *scoreLogs
	limits Limits
}

func (t told) read(r Read) {
	if d, ok := t.cohost.byID[r.Of]; r.Of != "" && ok {
		r.Window.Before = max(r.Window.Before, d.seq)
	}
	if d, ok := t.battle.byID[r.Of]; r.Of != "" && ok {
		r.Window.Before = max(r.Window.Before, d.seq)
	}
	var right bool
	var said any
	switch r.Question {
	case AskLive:
		right, said = shown(t.cohost.states, r.Window, func(s rooms) bool { return s.live(r.ID, r.Live) }), r.Live
	case AskLives:
		right, said = shown(t.cohost.states, r.Window, func(s rooms) bool { return s.page(r.Page, s.active) }), r.Page
	case AskCandidates:
		right, said = shown(t.cohost.states, r.Window, func(s rooms) bool { return s.candidates(r.ID, r.Page, t.limits.Pending) }), r.Page
	case AskCoHost:
		right, said = shown(t.cohost.states, r.Window, func(s rooms) bool { return s.coHost(r.ID, r.CoHost) }), r.CoHost
	case AskBattle:
		right, said = shown(t.battle.states, r.Window, func(s fights) bool { return s.battle(r.ID, r.Battle) && t.result(s, r.Battle) }), r.Battle
	case AskGift:
		right, said = t.receipt(r), r.Receipt
	}
	if !right {
		t.f.add(Violation, "%s of %s %s: answered %v, which was not so between %d and %d", r.Question, r.ID, r.Event, said, r.Window.Before, r.Window.After)
	}
}

func (s fights) battle(id string, b *battlev1.Battle) bool {
	x, open := s.open[id]
	if b == nil {
		return !open && !s.ended(id)
	}
	phase, ok := map[battlev1.Battle_Status]int{
		battlev1.Battle_REQUESTED: requested, battlev1.Battle_STARTING: starting, battlev1.Battle_RUNNING: running, battlev1.Battle_SETTLING: settling,
	}[b.GetStatus()]
	if !ok {
		return b.GetStatus() == battlev1.Battle_ENDED && s.ended(id)
	}
	if !open || x.phase != phase {
		return false
	}
	if c := x.GetConfig(); c != nil && !proto.Equal(b.GetConfig(), c) || !x.says(b.GetProposals()) {
		return false
	}
	if phase == requested {
		return true
	}
	for _, u := range b.GetUsers() {
		if x.exited[u.GetLiveId()] != (u.GetState() == battlev1.BattleUser_EXITED) || x.closed[u.GetLiveId()] != u.GetScore() {
			return false
		}
	}
	return x.startsAt == b.GetStartsAt().AsTime().UnixMilli() && x.endsAt == b.GetEndsAt().AsTime().UnixMilli()
}

// says reports whether these are the proposals that wait in a battle.
func (b fight) says(told []*battlev1.Proposal) bool {
	for _, p := range told {
		x := b.proposals[subject{p.GetKind(), int64(p.GetExtendSeconds()) * 1000}]
		consented := map[string]bool{}
		for _, live := range p.GetConsentedLiveIds() {
			consented[live] = true
		}
		if x.by != p.GetLiveId() || x.reason != p.GetReason() || x.until != p.GetExpiresAt().AsTime().UnixMilli() || !maps.Equal(consented, x.consented) {
			return false
		}
	}
	return len(told) == len(b.proposals)
}

// result reports whether the result of a battle that has ended is the log's.
func (t told) result(s fights, b *battlev1.Battle) bool {
	if b.GetStatus() != battlev1.Battle_ENDED || !s.ended(b.GetBattleId()) {
		return b.GetResult() == nil
	}
	return proto.Equal(b.GetResult(), t.battle.results[b.GetBattleId()])
}

func (t told) receipt(r Read) bool {
	g, ok := t.score.gifts[GiftID{r.ID, r.Event}]
	if r.Receipt == nil {
		return !ok || g.seq > r.Window.Before
	}
	return ok && g.seq <= r.Window.After && g.GetVerdict() == r.Receipt.GetVerdict() && g.GetPoints() == r.Receipt.GetPoints() &&
		g.GetBattleId() == r.Receipt.GetBattleId()
}

// scores: each score is one that the live had reached there; final ones are the last.
func (t told) scores(x Scores) {
	for _, r := range t.score.rooms {
		if r.battle != x.Battle || r.host == "" {
			continue
		}
		w, ok := x.Windows[r.live]
		if !ok {
			w, ok = x.Windows[r.log]
		}
		points, told := x.Points[r.host]
		switch {
		case !ok:
		case !told:
			t.f.add(Violation, "%s: battle %s: there is no score for live %s", x.Where, x.Battle, r.live)
		case x.Final && (r.open || r.to > w.After || points != r.total):
			t.f.add(Violation, "%s: battle %s: live %s is told to have %d points in the end, it has %d", x.Where, x.Battle, r.live, points, r.total)
		case !r.reached(points, w):
			t.f.add(Violation, "%s: battle %s: live %s is told to have %d points at %d to %d, it had not", x.Where, x.Battle, r.live, points, w.Before, w.After)
		}
	}
}

// reached reports whether a live had so many points somewhere in a window.
func (r *room) reached(points int64, w Window) bool {
	// The first is what stood when the window began.
	first := sort.Search(len(r.steps), func(i int) bool { return r.steps[i].seq > w.Before }) - 1
	if first < 0 && points == 0 {
		return true // not opened yet
	}
	for _, s := range r.steps[max(first, 0):] {
		if s.seq > w.After {
			return false
		}
		if s.total == points {
			return true
		}
	}
	return false
}

func (t told) gifters(x Gifters) {
	r := t.score.rooms[[2]string{x.Battle, x.Live}]
	if r == nil || !maps.Equal(r.gifters, x.Points) {
		t.f.add(Violation, "%s: battle %s: the gifters of live %s are told to be %v", x.Where, x.Battle, x.Live, x.Points)
	}
}
