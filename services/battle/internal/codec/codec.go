// Package codec turns the events, commands and battles of the domain into the messages of faceoff.battle.v1 and back.
// Events are for ever: what an earlier version has written, every later one reads; codec_test.go holds the bytes of each
// version.
package codec

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Codec is the ledger.Codec of the log BATTLE_00.
type Codec struct{}

// The enums of the domain have the numbers of their counterparts in faceoff.battle.v1; a test compares them.

var errUnknown = errors.New("of a kind that is not known here")

// EncodeEvent returns the bytes of an entry.
func (Codec) EncodeEvent(e battle.Event) ([]byte, error) {
	m, err := toEntry(e)
	if err != nil {
		return nil, err
	}
	return marshal(m)
}

// DecodeEvent reads an entry.
func (Codec) DecodeEvent(b []byte) (battle.Event, error) {
	m := new(battlev1.Entry)
	if err := proto.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	if err := knownEnums(m.ProtoReflect()); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	return fromEntry(m)
}

// EncodeCommand returns the bytes of a command; the same ones for the same command.
func (Codec) EncodeCommand(c battle.Command) ([]byte, error) {
	m, err := toCommand(c)
	if err != nil {
		return nil, err
	}
	return marshal(m)
}

// DecodeCommand reads a command.
func (Codec) DecodeCommand(b []byte) (battle.Command, error) {
	m := new(battlev1.Command)
	if err := proto.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	if err := knownEnums(m.ProtoReflect()); err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	return fromCommand(m)
}

// knownEnums refuses a message with the value of an enum that a later version has added: guessing would be wrong.
func knownEnums(m protoreflect.Message) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() == protoreflect.EnumKind:
			if f.Enum().Values().ByNumber(v.Enum()) == nil {
				err = fmt.Errorf("%s %d is %w", f.FullName(), v.Enum(), errUnknown)
			}
		case f.Kind() == protoreflect.MessageKind && f.IsList():
			for i := range v.List().Len() {
				if err = knownEnums(v.List().Get(i).Message()); err != nil {
					break
				}
			}
		case f.Kind() == protoreflect.MessageKind:
			err = knownEnums(v.Message())
		}
		return err == nil
	})
	return err
}

func marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func fromTimestamp(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func toUser(u battle.User) *userv1.User {
	return &userv1.User{UserId: u.ID, UserName: u.Name, AvatarUrl: u.Avatar}
}

func fromUser(u *userv1.User) battle.User {
	return battle.User{ID: u.GetUserId(), Name: u.GetUserName(), Avatar: u.GetAvatarUrl()}
}

func toTerms(t battle.Terms) *battlev1.BattleConfig {
	return &battlev1.BattleConfig{
		DurationSeconds: int32(t.Duration / time.Second), //nolint:gosec // checked by the decider
		NeedResponse:    t.NeedResponse,
		ExtensionInfo:   t.ExtensionInfo,
		Mode:            battlev1.BattleConfig_Mode(t.Mode),
		Teams: each(t.Teams, func(t battle.Team) *battlev1.BattleConfig_Team {
			return &battlev1.BattleConfig_Team{TeamId: t.ID, LiveIds: t.LiveIDs}
		}),
		RuleSet: t.RuleSet,

		PunishmentSeconds: int32(t.Punishment / time.Second), //nolint:gosec // it was an int32 of seconds
		BestOf:            t.BestOf,
	}
}

func fromTerms(c *battlev1.BattleConfig) battle.Terms {
	return battle.Terms{
		Duration:      time.Duration(c.GetDurationSeconds()) * time.Second,
		NeedResponse:  c.GetNeedResponse(),
		ExtensionInfo: c.GetExtensionInfo(),
		Mode:          battle.Mode(c.GetMode()),
		Teams: each(c.GetTeams(), func(t *battlev1.BattleConfig_Team) battle.Team {
			return battle.Team{ID: t.GetTeamId(), LiveIDs: t.GetLiveIds()}
		}),
		RuleSet:    c.GetRuleSet(),
		Punishment: time.Duration(c.GetPunishmentSeconds()) * time.Second,
		BestOf:     c.GetBestOf(),
	}
}

func each[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}
