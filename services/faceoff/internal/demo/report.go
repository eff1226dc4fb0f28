package demo

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Report is what happened, and whether it was right.
type Report struct {
	Scenario string   `json:"scenario"`
	HTTP     string   `json:"http"`
	GRPC     string   `json:"grpc"`
	NATS     string   `json:"nats"`
	OwnStack bool     `json:"own_stack"`
	Lives    []string `json:"lives"`
	// BattleReport is that of the battle of scenario PK; the others have Battles.
	*BattleReport
	// Timeline holds what was done and what the audiences were told, in the order of the play.
	Timeline []Moment `json:"timeline"`
	// Verdicts holds every answer to a gift, in the order of answering.
	Verdicts []Verdict `json:"verdicts"`
	// Battles are those of scenario Nine, in the order of the play.
	Battles []*BattleReport `json:"battles,omitempty"`
	Checks  []Check         `json:"checks"`
	// OK: every check is.
	OK bool `json:"ok"`
}

// BattleReport is what became of one battle.
type BattleReport struct {
	BattleID  string `json:"battle_id"`
	EndReason string `json:"end_reason"`
	// Settlement is the battle's result; null if it has none.
	Settlement json.RawMessage `json:"settlement"`
	// Scores are those of the API, Redis those in Redis, by the host's user_id; Counted is this program's own count.
	Scores  map[string]int64 `json:"scores"`
	Redis   map[string]int64 `json:"redis,omitempty"`
	Counted map[string]int64 `json:"counted"`
	// Replay is what a replay of the stored log says; null if there is nothing to compare it with.
	Replay json.RawMessage `json:"replay"`
}

// Moment is one line of the timeline.
type Moment struct {
	// AtMS counts from the start of the play.
	AtMS int64 `json:"at_ms"`
	// Who did it, or was told it.
	Who  string `json:"who"`
	What string `json:"what"`
}

// Verdict is one answer to a gift.
type Verdict struct {
	AtMS      int64  `json:"at_ms"`
	EventID   string `json:"event_id"`
	LiveID    string `json:"live_id"`
	Door      string `json:"door"`
	Sent      string `json:"sent"`
	Calls     int    `json:"calls"`
	Verdict   string `json:"verdict"`
	Points    int64  `json:"points"`
	Reason    string `json:"reason,omitempty"`
	Duplicate bool   `json:"duplicate"`
	BattleID  string `json:"battle_id,omitempty"`
}

// Check is one fact that was looked at.
type Check struct {
	Fact   string `json:"fact"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// notes writes the report. It is safe for concurrent use.
type notes struct {
	mu     sync.Mutex
	start  time.Time
	show   func(Moment)
	report *Report
}

func newNotes(o Options) *notes {
	return &notes{start: time.Now(), show: o.Show, report: &Report{
		Scenario: o.Scenario, HTTP: o.Stack.HTTP, GRPC: o.Stack.GRPC, NATS: o.Stack.NATS, OwnStack: o.Own,
		Timeline: []Moment{}, Verdicts: []Verdict{}, Checks: []Check{},
	}}
}

func (n *notes) sinceStart() int64 { return time.Since(n.start).Milliseconds() }

// tell adds a line to the timeline.
func (n *notes) tell(who, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := Moment{AtMS: n.sinceStart(), Who: who, What: fmt.Sprintf(format, args...)}
	n.report.Timeline = append(n.report.Timeline, m)
	if n.show != nil {
		n.show(m)
	}
}

// check notes a fact; the detail says what is wrong if it is.
func (n *notes) check(fact string, ok bool, detail string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := Check{Fact: fact, OK: ok}
	if !ok {
		c.Detail = fmt.Sprintf(detail, args...)
	}
	n.report.Checks = append(n.report.Checks, c)
}

func (n *notes) answered(v Verdict) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v.AtMS = n.sinceStart()
	n.report.Verdicts = append(n.report.Verdicts, v)
}

func (n *notes) finish() *Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.report.OK = true
	for _, c := range n.report.Checks {
		n.report.OK = n.report.OK && c.OK
	}
	return n.report
}

// document is a message as JSON, as REST has it.
func document(m proto.Message) json.RawMessage {
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}
