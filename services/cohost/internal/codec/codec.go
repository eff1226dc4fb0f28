// Package codec turns the events and commands of cohost into bytes and back: events as faceoff.cohost.v1.Entry in the log,
// commands as faceoff.cohost.v1.Command between replicas.
//
// Entries are for ever: fields are added, never changed, and the golden bytes in the tests of every version stay readable.
package codec

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// ErrUnknown says that an entry or a command is of a kind that this version does not know.
var ErrUnknown = errors.New("unknown kind")

// Codec implements ledger.Codec.
type Codec struct{}

// EncodeEvent implements ledger.Codec.
func (Codec) EncodeEvent(e cohost.Event) ([]byte, error) {
	entry := entryOf(e)
	if entry == nil {
		return nil, fmt.Errorf("event %T: %w", e, ErrUnknown)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(entry)
}

// DecodeEvent implements ledger.Codec.
func (Codec) DecodeEvent(b []byte) (cohost.Event, error) {
	var entry cohostv1.Entry
	if err := proto.Unmarshal(b, &entry); err != nil {
		return nil, err
	}
	return eventOf(&entry)
}

// EncodeCommand implements ledger.Codec.
func (Codec) EncodeCommand(c cohost.Command) ([]byte, error) {
	message := messageOf(c)
	if message == nil {
		return nil, fmt.Errorf("command %T: %w", c, ErrUnknown)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(message)
}

// DecodeCommand implements ledger.Codec.
func (Codec) DecodeCommand(b []byte) (cohost.Command, error) {
	var message cohostv1.Command
	if err := proto.Unmarshal(b, &message); err != nil {
		return nil, err
	}
	return commandOf(&message)
}

// User is the domain's form of a user.
func User(u *userv1.User) cohost.User {
	return cohost.User{ID: u.GetUserId(), Name: u.GetUserName(), AvatarURL: u.GetAvatarUrl()}
}

// UserMessage is the protobuf form of a user.
func UserMessage(u cohost.User) *userv1.User {
	return &userv1.User{UserId: u.ID, UserName: u.Name, AvatarUrl: u.AvatarURL}
}

// known returns the domain's form of an enum value, which has the same number, or an error if this version does not know
// it.
func known[D ~int, P protoreflect.Enum](value P) (D, error) {
	n := value.Number()
	if n == 0 || value.Descriptor().Values().ByNumber(n) == nil {
		return 0, fmt.Errorf("%s %d: %w", value.Descriptor().FullName(), n, ErrUnknown)
	}
	return D(n), nil
}
