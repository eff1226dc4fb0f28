package partition

import (
	"context"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"

	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
)

// JetStream opens the stores of one replica in JetStream; streamReplicas is how many servers keep the stream (1 or 3). It
// waits until COHOST_00 exists.
func JetStream(js natsjs.JetStream, replica string, streamReplicas int) func(context.Context) (Stores, error) {
	return func(ctx context.Context) (Stores, error) {
		log, err := jetstream.OpenLog(ctx, js, Log, Subject, streamReplicas)
		if err != nil {
			return Stores{}, err
		}
		cohost, err := jetstream.ReadLog(ctx, js, cohostfeed.Log)
		if err != nil {
			return Stores{}, err
		}
		lease, err := jetstream.NewLease(ctx, js, Log, replica)
		if err != nil {
			return Stores{}, err
		}
		return Stores{Log: log, Cohost: cohost, Lease: lease, Peers: jetstream.NewPeers(js.Conn())}, nil
	}
}
