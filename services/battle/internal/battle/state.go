package battle

import (
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// Reasons of refusals, names of faceoff.errors.v1.Reason.
const (
	ReasonConnectionNotFound     = "CONNECTION_NOT_FOUND"
	ReasonBattleNotFound         = "BATTLE_NOT_FOUND"
	ReasonNoValidTarget          = "NO_VALID_TARGET"
	ReasonBattleRateLimited      = "BATTLE_RATE_LIMITED"
	ReasonNotInBattle            = "NOT_IN_BATTLE"
	ReasonInOtherBattle          = "IN_OTHER_BATTLE"
	ReasonBattleRequestPending   = "BATTLE_REQUEST_PENDING"
	ReasonBattleNotStartedByLive = "BATTLE_NOT_STARTED_BY_LIVE"
	ReasonBattleAlreadyRunning   = "BATTLE_ALREADY_RUNNING"
	ReasonBattleNotStarted       = "BATTLE_NOT_STARTED"
	ReasonBattleEnded            = "BATTLE_ENDED"
	ReasonInvitationEnded        = "INVITATION_ENDED"
	ReasonSuperseded             = "SUPERSEDED"
)

// Settings of the rules. All replicas should have the same.
type Settings struct {
	// MinDuration and MaxDuration bound a battle's duration; DefaultDuration stands for 0.
	MinDuration, MaxDuration, DefaultDuration time.Duration
	// MaxTargets of a request.
	MaxTargets int
	// MaxTimeout bounds a request's timeout, which is 1 s at least; DefaultTimeout stands for 0.
	MaxTimeout, DefaultTimeout time.Duration
	// RequestsPerLive and RequestsPerUser are how many battles a live may request in a minute, and a user with all its lives;
	// 1 to 600.
	RequestsPerLive, RequestsPerUser int
	// StartDelay is the time from the decision to start until gifts count.
	StartDelay time.Duration
	// OpenWithin is how long after that a battle waits for lives that no score partition has opened.
	OpenWithin time.Duration
	// ProposalTimeout is how long a proposal waits for the others' consent.
	ProposalTimeout time.Duration
	// MaxPunishment bounds the time of a punishment.
	MaxPunishment time.Duration
	// MaxBestOf bounds the rounds of a series.
	MaxBestOf int32
	// RoundInterval is the time from the end of a round, and of its punishment, to the beginning of the next.
	RoundInterval time.Duration
	// KeepEnded is how long (log time) ended battles are known.
	KeepEnded time.Duration
}

// RuleSet is the newest version of the scoring rules, which battles are pinned to.
const RuleSet = "default@1"

// pin returns the version of the scoring rules that a request names; false if there are no such rules.
func pin(name string) (version string, known bool) {
	switch name {
	case "", "default", RuleSet:
		return RuleSet, true
	}
	return "", false
}

// minTimeout of a request.
const minTimeout = time.Second

// State is the state of the log BATTLE_00 with its rules, an es.Machine.
type State struct {
	settings Settings
	// cohostRead is the sequence up to which COHOST_00 has been read.
	cohostRead es.Value[uint64]
	// connected holds every live that is in a connection.
	connected es.Map[string, connected]
	// connections holds the lives of each connection in the order of joining.
	connections es.Map[string, []string]
	// sessions are those of the hosts of lives that have any.
	sessions es.Map[string, es.Holders]
	// open holds the battles that have not ended, or that something is still to come of.
	open es.Map[string, Battle]
	// holds names the open battle that a live is taken by, punished the one whose punishment it takes part in.
	holds, punished es.Map[string, string]
	timers          es.Timers[string]
	ended           *es.Window[string, Battle]
	// requests are the times of the last ones, oldest first.
	requests es.Recent[asker]
}

type connected struct {
	connectionID string
	Participant
}

// New makes an empty State.
func New(settings Settings) *State {
	return &State{
		settings: settings, ended: es.NewWindow[string, Battle](settings.KeepEnded), requests: es.NewRecent[asker](ratePeriod, requestsKept),
	}
}

// CohostRead returns the committed sequence up to which COHOST_00 has been read.
func (s *State) CohostRead() uint64 { return s.cohostRead.Committed() }

// Decide says which events follow from a command at log time now.
func (s *State) Decide(now time.Time, command Command) ([]Event, error) {
	if c, ok := command.(AsHost); ok {
		return s.asHost(now, c)
	}
	d := &draft{state: s, now: now}
	var err error
	switch c := command.(type) {
	case RequestBattle:
		err = d.request(c, "")
	case Rematch:
		err = d.rematch(c)
	case AcceptBattle:
		err = d.answer(c.BattleID, c.LiveID, AnswerAccepted, "")
	case RejectBattle:
		err = d.answer(c.BattleID, c.LiveID, AnswerRejected, c.Reason)
	case CancelBattleRequest:
		err = d.cancel(c)
	case ExitBattle:
		err = d.exitBattle(c)
	case RejoinBattle:
		err = d.rejoinBattle(c)
	case EndBattle:
		err = d.endBattle(c)
	case ExtendBattle:
		err = d.extendBattle(c)
	case VoidBattle:
		err = d.voidBattle(c)
	case LeaveBattle:
		d.depart(c.LiveID, c.reason())
	case ReportOpened:
		err = d.reportOpened(c)
	case ReportClosed:
		err = d.reportClosed(c)
	case ReadCohost:
		d.readCohost(c)
	case Advance:
		d.advance(c.BattleID)
	}
	if err != nil {
		return nil, err
	}
	return d.events, nil
}

// battle returns a battle that is open or has ended not too long ago.
func (s *State) battle(id string) (Battle, bool) {
	if b, ok := s.open.Get(id); ok {
		return b, true
	}
	return s.ended.Get(id)
}

// Commit merges the overlay.
func (s *State) Commit() {
	s.cohostRead.Commit()
	s.connected.Commit()
	s.connections.Commit()
	s.sessions.Commit()
	s.open.Commit()
	s.holds.Commit()
	s.punished.Commit()
	s.timers.Commit()
	s.ended.Commit()
	s.requests.Commit()
}

// Discard throws the overlay away.
func (s *State) Discard() {
	s.cohostRead.Discard()
	s.connected.Discard()
	s.connections.Discard()
	s.sessions.Discard()
	s.open.Discard()
	s.holds.Discard()
	s.punished.Discard()
	s.timers.Discard()
	s.ended.Discard()
	s.requests.Discard()
}

// draft is a decision in the making: the events so far, and the battles as these leave them.
type draft struct {
	state   *State
	now     time.Time
	events  []Event
	changed map[string]Battle
}

// add takes an event into the decision.
func (d *draft) add(e Event) {
	d.events = append(d.events, e)
	id := BattleOf(e)
	if id == "" {
		return
	}
	b, _ := d.battle(id)
	if d.changed == nil {
		d.changed = make(map[string]Battle)
	}
	d.changed[id] = b.After(d.now, e)
}

// battle returns a battle as the decision so far leaves it.
func (d *draft) battle(id string) (Battle, bool) {
	if b, ok := d.changed[id]; ok {
		return b, true
	}
	return d.state.battle(id)
}

// current returns a battle after what is due in it: whatever else is decided on a battle, its deadline comes first.
func (d *draft) current(id string) (Battle, bool) {
	d.advance(id)
	return d.battle(id)
}

// find returns a battle that has not ended, or the refusal that says there is none.
func (d *draft) find(id string) (Battle, error) {
	b, ok := d.current(id)
	if !ok {
		return b, es.Refuse(ReasonBattleNotFound, "there is no battle %s", id)
	}
	if !b.Open() {
		return b, es.Refuse(ReasonBattleEnded, "battle %s has ended", id)
	}
	return b, nil
}

// findFor is find for a live that must have been asked to the battle.
func (d *draft) findFor(id, liveID string) (Battle, Member, error) {
	b, err := d.find(id)
	if err != nil {
		return b, Member{}, err
	}
	m, ok := b.Member(liveID)
	if !ok {
		return b, m, es.Refuse(ReasonNotInBattle, "live %s is not in battle %s", liveID, id)
	}
	return b, m, nil
}
