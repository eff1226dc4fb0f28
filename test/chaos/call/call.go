// Package call says how the calls of clients are written into a history: what a record's F, Val and Res hold. Commands and
// questions have the names of the gRPC calls; the rest is here.
package call

import (
	"encoding/json"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// What is done, beside commands (check.Kind) and questions (check.Question).
const (
	// SendGifts sends gifts through any door: Gifts, answered with Verdicts.
	SendGifts = "SendGifts"
	// GetBattleScores asks for the scores of a battle, the record's ID: answered with a BattleScores.
	GetBattleScores = "GetBattleScores"
	// GetLiveState asks for all that is to know of a live, the record's ID: answered with a GetLiveStateResponse.
	GetLiveState = "GetLiveState"
	// ReplayBattle has a battle counted again: answered with a ReplayBattleResponse.
	ReplayBattle = "ReplayBattle"
	// Redis reads the hash of a battle, the record's ID: answered with its fields.
	Redis = "Redis"
	// Gifters reads the sorted set of a battle, the record's ID, and a live, the Question's Event: answered with the points of
	// each member.
	Gifters = "Gifters"
	// Heads reads how long the logs are: answered with a number for each.
	Heads = "Heads"
	// Watch is one stream of what happens to a live, the record's ID; what it brings are Told records with the same I.
	Watch = "Watch"
	// Told is a message of a Watch.
	Told = "Told"
	// Load tells (Info) who takes part: Scene.
	Load = "Load"
	// Rest begins (Info) when faults are over and load has ended.
	Rest = "Rest"
	// Quiet (Info): everything has ended.
	Quiet = "Quiet"
	// Book has a live play once more, from the connection to the settlement.
	Book = "Book"
)

// Command is what a command's record says about it. The record's ID is its idempotency key.
type Command struct {
	// By is the user_id of the caller: with the key it is the command's id in the log.
	By     string   `json:"by"`
	Live   string   `json:"live"`
	Others []string `json:"others,omitempty"`
	Battle string   `json:"battle,omitempty"`
	Door   string   `json:"door"`
	// Request is what was sent, with its type: see Request.
	Request json.RawMessage `json:"request,omitempty"`
}

// Done is the answer to a command.
type Done struct {
	// Accepted are the targets of a request that were answered with ok; of the others there are the reasons.
	Accepted []string          `json:"accepted,omitempty"`
	Refusals map[string]string `json:"refusals,omitempty"`
	Battle   string            `json:"battle,omitempty"`
}

// Gifts is what SendGifts sends: GiftEvents.
type Gifts struct {
	Door  string            `json:"door"`
	Gifts []json.RawMessage `json:"gifts"`
}

// Verdicts is its answer: GiftVerdicts.
type Verdicts struct {
	Verdicts []json.RawMessage `json:"verdicts"`
}

// Question is what a question's record says about it. The record's ID is the live or the battle.
type Question struct {
	Event string `json:"event,omitempty"` // of a gift; or a live
	// After and Size are the page that is asked for: the token, and the most lives.
	After string `json:"after,omitempty"`
	Size  int    `json:"size,omitempty"`
	Door  string `json:"door"`
	// Rest: it was asked at rest, so the answer must be the last.
	Rest bool `json:"rest,omitempty"`
}

// Heard is a message of a Watch. Of events only what tells them apart is kept.
type Heard struct {
	// Context of an event: cohost or battle.
	Context string `json:"context,omitempty"`
	Number  int64  `json:"number,omitempty"`
	// Hash of an event: the same event is the same for everybody.
	Hash string `json:"hash,omitempty"`
	// Recovered: the first message of a Watch that goes on where the last one was.
	Recovered bool `json:"recovered,omitempty"`
	// Snapshot: the first message of a Watch that does not: the number of the last event in each context, and the state
	// of co-hosting there, a CoHostState.
	Snapshot map[string]int64 `json:"snapshot,omitempty"`
	CoHost   json.RawMessage  `json:"cohost,omitempty"`
	// Scores: a BattleScores.
	Scores json.RawMessage `json:"scores,omitempty"`
}

// The contexts of events.
const (
	InCohostContext = "cohost"
	InBattleContext = "battle"
)

// Scene is who takes part.
type Scene struct {
	Seed  uint64   `json:"seed"`
	Lives []string `json:"lives"`
}

// Message encodes a message for a record.
func Message(m proto.Message) json.RawMessage {
	raw, err := protojson.Marshal(m)
	if err != nil {
		panic(err) // only of text that is not UTF-8, which no door lets through
	}
	return raw
}

// Messages encodes many.
func Messages[M proto.Message](all []M) []json.RawMessage {
	raw := make([]json.RawMessage, len(all))
	for i, m := range all {
		raw[i] = Message(m)
	}
	return raw
}

// Read decodes a message of a record.
func Read(raw json.RawMessage, into proto.Message) error {
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, into)
}

// Request encodes a message together with its type.
func Request(m proto.Message) json.RawMessage {
	typed, err := anypb.New(m)
	if err != nil {
		panic(err) // as for Message
	}
	return Message(typed)
}

// ReadRequest decodes what Request encoded; nil if that was not kept.
func ReadRequest(raw json.RawMessage) (proto.Message, error) {
	if raw == nil {
		return nil, nil
	}
	var typed anypb.Any
	if err := Read(raw, &typed); err != nil {
		return nil, err
	}
	return typed.UnmarshalNew()
}

// Commands are all kinds of commands.
var Commands = []check.Kind{
	check.CreateLive, check.UpdateLive, check.EndLive,
	check.Invite, check.Cancel, check.Accept, check.Reject, check.Exit, check.SetLayout, check.Mute,
	check.RequestBattle, check.Rematch, check.AcceptBattle, check.RejectBattle, check.CancelBattle, check.ExitBattle,
	check.EndBattle, check.ExtendBattle, check.VoidBattle,
}

// IsCommand reports whether a record's F is a command.
func IsCommand(f string) bool { return slices.Contains(Commands, check.Kind(f)) }
