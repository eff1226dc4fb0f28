package workload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"google.golang.org/protobuf/proto"

	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// watch watches one live until ctx ends. When the stream breaks, or now and then by itself, it goes on from where it was.
func (c *client) watch(ctx context.Context) {
	// Two watch each live, so that what they are told can be compared.
	live := c.lives[(c.p-watchProcess)/2]
	offset := ""
	for c.pause(ctx, 0, 500*time.Millisecond) {
		watching, cancel := context.WithTimeout(ctx, c.between(100*time.Millisecond, 8*time.Second))
		offset = c.listen(watching, live, offset)
		cancel()
		if c.chance(5) {
			offset = "" // a new watcher
		}
	}
}

// listen records what a stream brings until it ends, and returns the offset to go on from.
func (c *client) listen(ctx context.Context, live, offset string) string {
	i := c.h.Append(history.Record{P: c.p, F: call.Watch, Type: history.Invoke, ID: live, Val: value(offset != "")})
	stream, err := gatewayv1.NewGatewayServiceClient(pick(c, c.gateways)).WatchLive(c.as(ctx, backend, ""), &gatewayv1.WatchLiveRequest{LiveId: live, Offset: offset})
	for err == nil {
		var m *gatewayv1.WatchLiveResponse
		if m, err = stream.Recv(); err == nil {
			c.h.Append(history.Record{I: i, P: c.p, F: call.Told, Type: history.Info, ID: live, Val: value(heard(m))})
			if m.GetOffset() != "" {
				offset = m.GetOffset()
			}
		}
	}
	end := history.Record{I: i, P: c.p, F: call.Watch, ID: live, Err: err.Error()}
	end.Type, _ = outcome(err)
	c.h.Append(end)
	return offset
}

func heard(m *gatewayv1.WatchLiveResponse) call.Heard {
	switch p := m.GetPayload().(type) {
	case *gatewayv1.WatchLiveResponse_Cohost:
		return call.Heard{Context: call.InCohostContext, Number: p.Cohost.GetNumber(), Hash: hash(p.Cohost)}
	case *gatewayv1.WatchLiveResponse_Battle:
		return call.Heard{Context: call.InBattleContext, Number: p.Battle.GetNumber(), Hash: hash(p.Battle)}
	case *gatewayv1.WatchLiveResponse_Scores:
		return call.Heard{Scores: call.Message(p.Scores)}
	case *gatewayv1.WatchLiveResponse_Connected_:
		if p.Connected.GetRecovered() {
			return call.Heard{Recovered: true}
		}
		return call.Heard{
			Snapshot: map[string]int64{
				call.InCohostContext: p.Connected.GetCohost().GetNumber(), call.InBattleContext: p.Connected.GetBattle().GetNumber(),
			},
			CoHost: call.Message(p.Connected.GetCohost().GetState()),
		}
	}
	return call.Heard{}
}

func hash(m proto.Message) string {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err) // of what was received, nothing cannot be encoded
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
