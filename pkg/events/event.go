// Package events tells others what a log has decided: a projector folds the log and stores what it tells as integration
// events, one message each, in the stream EVENTS.
//
// What is promised (docs/architecture/events.md): of one log every event is stored once, in its order, however often
// projectors are killed, run side by side, or are left without an answer. Each publish expects the last event of its
// context, so a lease saves work and nothing depends on it. A stream that cannot be written holds up the projector alone.
package events

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Place is where an event comes from: the log's group, and the how manieth of the events that it tells, from 0 on.
type Place struct {
	Seq   uint64 `json:"seq"`
	Index uint32 `json:"index"`
}

func (p Place) compare(other Place) int {
	return cmp.Or(cmp.Compare(p.Seq, other.Seq), cmp.Compare(p.Index, other.Index))
}

// Event is one integration event.
type Event struct {
	Log   string
	Place Place
	// Context is the first token of its subject after `events`, Type the second, Key the third.
	Context, Type, Key string
	// FullType is the type with its package: faceoff.cohost.v1.LiveEnded.
	FullType string
	At       time.Time
	Data     []byte
}

// New makes the event of a message that has a oneof `event`, whose set field tells the type. key must be a subject token.
func New(log, context, key string, place Place, at time.Time, m proto.Message) (Event, error) {
	r := m.ProtoReflect()
	var field protoreflect.FieldDescriptor
	if one := r.Descriptor().Oneofs().ByName("event"); one != nil {
		field = r.WhichOneof(one)
	}
	if field == nil {
		return Event{}, fmt.Errorf("%s: group %d tells what has no public event", log, place.Seq)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return Event{}, err
	}
	return Event{
		Log: log, Place: place, Context: context, Type: string(field.Message().Name()), Key: key,
		FullType: string(field.Message().FullName()), At: at, Data: data,
	}, nil
}

// Subject of the message.
func (e Event) Subject() string {
	return "events." + e.Context + "." + e.Type + "." + e.Key
}

// ID of the event, for ever: <log>-<seq>-<index>.
func (e Event) ID() string {
	return fmt.Sprintf("%s-%d-%d", e.Log, e.Place.Seq, e.Place.Index)
}

// HeaderID is the header that holds the event's id.
const HeaderID = "ce-id"

// Headers of the message: CloudEvents 1.0 in binary mode, as the NATS protocol binding has it.
func (e Event) Headers() map[string][]string {
	return map[string][]string{
		"ce-specversion":     {"1.0"},
		HeaderID:             {e.ID()},
		"ce-source":          {"/faceoff/" + e.Context},
		"ce-type":            {e.FullType},
		"ce-subject":         {e.Key},
		"ce-time":            {e.At.UTC().Format(time.RFC3339Nano)},
		"ce-datacontenttype": {"application/protobuf"},
	}
}

// ParseID reads what ID wrote for a log.
func ParseID(log, id string) (Place, error) {
	rest, ok := strings.CutPrefix(id, log+"-")
	seq, index, cut := strings.Cut(rest, "-")
	s, errSeq := strconv.ParseUint(seq, 10, 64)
	i, errIndex := strconv.ParseUint(index, 10, 32)
	p := Place{Seq: s, Index: uint32(i)}
	if !ok || !cut || errSeq != nil || errIndex != nil || s == 0 || (Event{Log: log, Place: p}).ID() != id {
		return Place{}, fmt.Errorf("%q is not the id of an event of %s", id, log)
	}
	return p, nil
}
