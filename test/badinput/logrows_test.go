package badinput

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// logRows try to write to a log, or to take something out of it, past the service that owns it.
func logRows() (all []row) {
	for _, r := range []struct {
		id, name string
		header   nats.Header
	}{
		{id: "N25", name: "a wrong last sequence", header: nats.Header{"Nats-Expected-Last-Sequence": {"999999"}}},
		{id: "N25", name: "a wrong last sequence of the subject", header: nats.Header{"Nats-Expected-Last-Subject-Sequence": {"999999"}}},
		{id: "N26", name: "a wrong stream", header: nats.Header{"Nats-Expected-Stream": {"COHOST"}}},
		{id: "N27", name: "a roll-up of everything", header: nats.Header{"Nats-Rollup": {"all"}}},
		{id: "N27", name: "a roll-up of the subject", header: nats.Header{"Nats-Rollup": {"sub"}}},
		{id: "N28", name: "a time to live", header: nats.Header{"Nats-TTL": {"1s"}}},
		{id: "N29", name: "a schedule", header: nats.Header{"Nats-Schedule": {"@every 1s"}, "Nats-Schedule-Target": {"log.cohost.00"}}},
		{id: "N33", name: "a message of a batch of 1 001", header: nats.Header{"Nats-Batch-Id": {"b1"}, "Nats-Batch-Sequence": {"1001"}, "Nats-Batch-Commit": {"1"}}},
	} {
		all = append(all, row{id: r.id, name: r.name, send: func(t *testing.T, s *scene) {
			for _, name := range []string{"COHOST_00", "BATTLE_00", "SCORE_00"} {
				info, err := s.log(t, name).Info(ctx(t))
				if err != nil {
					t.Fatal(err)
				}
				m := &nats.Msg{Subject: info.Config.Subjects[0], Header: r.header, Data: []byte("x")}
				ack, err := s.js.PublishMsg(ctx(t), m)
				refusal, ok := errors.AsType[*jetstream.APIError](err)
				if !ok {
					t.Errorf("%s: %v %v, want a refusal", name, ack, err)
					continue
				}
				t.Logf("%s: %v", name, refusal)
			}
		}})
	}
	return append(all,
		row{id: "N67", name: "a purge", send: func(t *testing.T, s *scene) {
			if err := s.log(t, "COHOST_00").Purge(ctx(t)); err == nil {
				t.Error("it is empty")
			}
		}},
		row{id: "N67", name: "a deletion", send: func(t *testing.T, s *scene) {
			if err := s.log(t, "COHOST_00").DeleteMsg(ctx(t), 1); err == nil {
				t.Error("the first group is gone")
			}
		}},
		row{id: "N67", name: "an end of the protection", send: func(t *testing.T, s *scene) {
			info, err := s.log(t, "COHOST_00").Info(ctx(t))
			if err != nil {
				t.Fatal(err)
			}
			c := info.Config
			c.DenyPurge, c.DenyDelete = false, false
			if _, err := s.js.UpdateStream(ctx(t), c); err == nil {
				t.Error("it has no protection any more")
			}
		}},
	)
}

func (s *stack) log(t *testing.T, name string) jetstream.Stream {
	t.Helper()
	stream, err := s.js.Stream(ctx(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}
