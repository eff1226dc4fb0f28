package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

type eventsCommand struct {
	Live   string `help:"Only what this live is told; all lives if not given."`
	Since  string `help:"Begin with what is stored: a time (2026-11-28T09:00:00Z), how long ago (10m), or all. Without it: with what happens from now on; with --no-follow, all."`
	Follow bool   `help:"Wait for what happens next, until interrupted." default:"true" negatable:""`
	NATS   string `name:"nats-url" help:"Where NATS is." default:"nats://127.0.0.1:4222" env:"FACEOFF_NATS_URL"`
	JSON   bool   `name:"json" help:"Print each event as CloudEvents JSON, one a line."`
}

// Run prints events as they come.
func (c eventsCommand) Run(ctx context.Context, out io.Writer) error {
	cfg, err := c.consumer(time.Now())
	if err != nil {
		return err
	}
	nc, err := natsd.Connect(c.NATS, "events", slog.New(slog.DiscardHandler), nil, nats.PingInterval(time.Minute))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		return err
	}
	consumer, err := js.OrderedConsumer(ctx, "EVENTS", cfg)
	if err != nil {
		return fmt.Errorf("stream EVENTS: %w", err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return fmt.Errorf("stream EVENTS: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for left := info.NumPending; c.Follow || left > 0; {
		m, err := messages.Next(natsjs.NextContext(ctx))
		if ctx.Err() != nil {
			return nil // interrupted
		}
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		left = meta.NumPending
		if err := c.print(out, m); err != nil {
			return err
		}
	}
	return nil
}

// consumer is which events are asked for, and from when on.
func (c eventsCommand) consumer(now time.Time) (natsjs.OrderedConsumerConfig, error) {
	cfg := natsjs.OrderedConsumerConfig{DeliverPolicy: natsjs.DeliverNewPolicy}
	if c.Live != "" {
		if strings.ContainsAny(c.Live, ".*> ") {
			return cfg, usagef("--live: %q is not a live's id", c.Live)
		}
		cfg.FilterSubjects = []string{"events.*.*." + c.Live}
	}
	switch {
	case c.Since == "" && c.Follow:
		return cfg, nil
	case c.Since == "" || c.Since == "all":
		cfg.DeliverPolicy = natsjs.DeliverAllPolicy
		return cfg, nil
	}
	at, err := time.Parse(time.RFC3339, c.Since)
	if err != nil {
		ago, err := time.ParseDuration(c.Since)
		if err != nil || ago < 0 {
			return cfg, usagef("--since: %q is neither a time, nor how long ago, nor all", c.Since)
		}
		at = now.Add(-ago)
	}
	cfg.DeliverPolicy, cfg.OptStartTime = natsjs.DeliverByStartTimePolicy, &at
	return cfg, nil
}

// cloudEvent is an event in the JSON format of CloudEvents 1.0.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// print prints a message: when, which live, the event's number, its type and what it says, or all of it as JSON.
func (c eventsCommand) print(out io.Writer, m natsjs.Msg) error {
	header := m.Headers()
	e := cloudEvent{
		SpecVersion: header.Get("ce-specversion"), ID: header.Get("ce-id"), Source: header.Get("ce-source"), Type: header.Get("ce-type"),
		Subject: header.Get("ce-subject"), Time: header.Get("ce-time"), DataContentType: "application/json",
	}
	data, said, number, err := decode(e.Type, m.Data())
	if err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	if !c.JSON {
		_, err := fmt.Fprintln(out, e.Time, e.Subject, number, e.Type, string(said))
		return err
	}
	e.Data = data
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(line))
	return err
}

// decode reads the payload of an event, which is the message Event of its type's package, and returns it as JSON, what is said in
// it, and its number.
func decode(fullType string, payload []byte) (data, said []byte, number int64, err error) {
	name := protoreflect.FullName(fullType).Parent().Append("Event")
	kind, err := protoregistry.GlobalTypes.FindMessageByName(name)
	if err != nil {
		return nil, nil, 0, err
	}
	event := kind.New()
	if err := proto.Unmarshal(payload, event.Interface()); err != nil {
		return nil, nil, 0, err
	}
	fields := event.Descriptor().Fields()
	number = event.Get(fields.ByName("number")).Int()
	if field := event.WhichOneof(event.Descriptor().Oneofs().ByName("event")); field != nil {
		if said, err = compact(event.Get(field).Message().Interface()); err != nil {
			return nil, nil, 0, err
		}
	}
	data, err = compact(event.Interface())
	return data, said, number, err
}

// compact is m as JSON in one line, with the names of the proto.
func compact(m proto.Message) ([]byte, error) {
	data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var one bytes.Buffer // protojson varies its blanks
	err = json.Compact(&one, data)
	return one.Bytes(), err
}
