//go:build linux

package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// exportTime bounds the reading of all logs.
const exportTime = time.Minute

// Export saves every log to a file in dir that is named as its stream.
func (c *Cluster) Export(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, exportTime)
	defer cancel()
	nc, err := nats.Connect(strings.Join(c.doors.NATSDirect, ","), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	for _, name := range logs() {
		groups, err := read(ctx, js, name)
		for err != nil && ctx.Err() == nil {
			groups, err = read(ctx, js, name) // a server that has just come back may not answer in time
		}
		if err == nil {
			err = history.WriteGroups(filepath.Join(dir, name), groups)
		}
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
	}
	return nil
}

// logs are the names of all streams that are logs.
func logs() []string {
	all := []string{"COHOST_00", "BATTLE_00"}
	for i := range partitions {
		all = append(all, fmt.Sprintf("SCORE_%02d", i))
	}
	return all
}

// read returns what is in a stream now.
func read(ctx context.Context, js jetstream.JetStream, name string) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, exportTime/6)
	defer cancel()
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	head := stream.CachedInfo().State.LastSeq
	if head == 0 {
		return nil, nil
	}
	consumer, err := js.OrderedConsumer(ctx, name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	var groups [][]byte
	for uint64(len(groups)) < head {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return nil, err
		}
		if want := uint64(len(groups)) + 1; meta.Sequence.Stream != want {
			return nil, fmt.Errorf("sequence %d is missing", want)
		}
		groups = append(groups, msg.Data())
	}
	return groups, nil
}
