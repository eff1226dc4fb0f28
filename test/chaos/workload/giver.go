package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
)

// Doors of gifts beside those of unary calls.
const (
	byStream = "stream"
	byNATS   = "NATS"
)

// perGift is how long a giver takes for a gift: 60 a second.
const perGift = time.Second / 60

// give sends gifts until ctx ends.
func (c *client) give(ctx context.Context) {
	for made := 0; ; {
		live, at := c.receiver()
		if !at.IsZero() && !c.at(ctx, at) {
			return
		}
		n := pick(c, []int{1, 1, 1, 2, 4, 12, 40})
		events := make([]*scorev1.GiftEvent, n)
		for i := range events {
			to := live
			if c.chance(20) {
				to = c.live()
			}
			made++
			events[i] = c.gift(to, fmt.Sprintf("%d-%d", c.stage.round, c.p*1_000_000+made))
			c.stage.send(events[i])
		}
		c.deliver(ctx, events)
		if !c.pause(ctx, 0, time.Duration(2*n)*perGift) {
			return
		}
	}
}

// receiver is a live that gets gifts, most often one in a battle. at, if it is not zero, is when: just when the battle starts
// or ends.
func (c *client) receiver() (live string, at time.Time) {
	f, ok := c.recent(12)
	if running := c.running(); len(running) > 0 && !c.chance(10) {
		f, ok = pick(c, running), true
		switch {
		case c.chance(15):
			at = f.ends
		case c.chance(15):
			at = f.starts
		}
	}
	if !ok || c.chance(3) {
		return c.live(), time.Time{}
	}
	return pick(c, f.lives), at
}

// gift makes one, or takes an old one, or another under an old id.
func (c *client) gift(live, id string) *scorev1.GiftEvent {
	if old, ok := one(c, &c.stage.gifts, remembered); ok && c.chance(12) {
		if c.chance(30) {
			old = proto.CloneOf(old)
			old.Count += 7
		}
		return old
	}
	e := c.newGift(live, id)
	if c.chance(1) { // sent too long ago, or by a clock that is far ahead
		e.SentAt = timestamppb.New(e.SentAt.AsTime().Add(pick(c, []time.Duration{-25 * time.Hour, time.Hour})))
	}
	return e
}

func (c *client) newGift(live, id string) *scorev1.GiftEvent {
	e := &scorev1.GiftEvent{
		EventId: id, LiveId: live, Sender: &userv1.User{UserId: fmt.Sprintf("fan%d", c.rng.IntN(5))}, GiftId: "rose",
		Category: scorev1.GiftEvent_Category(1 + c.rng.IntN(5)), Count: c.rng.Int64N(9), SentAt: timestamppb.New(time.Now().Truncate(time.Millisecond)),
	}
	if e.Category == scorev1.GiftEvent_SPECIAL {
		e.FixedScore = 1 + c.rng.Int64N(999)
	} else {
		e.UnitValue = 1 + c.rng.Int64N(100)
	}
	return e
}

// deliver sends gifts until there are verdicts for them, each time through another door, or gives up.
func (c *client) deliver(ctx context.Context, events []*scorev1.GiftEvent) bool {
	for try := range c.tries {
		if try > 0 && !c.pause(ctx, time.Millisecond, time.Duration(try)*300*time.Millisecond) {
			return false
		}
		if c.send(ctx, events) {
			return true
		}
	}
	return false
}

// send sends gifts once, through any door. It reports whether there is an answer.
func (c *client) send(ctx context.Context, events []*scorev1.GiftEvent) bool {
	ctx, cancel := context.WithTimeout(ctx, c.between(500*time.Millisecond, 4*time.Second))
	defer cancel()
	door := pick(c, []string{byGRPC, byGRPC, byREST, byNATS, byNATS, byStream})
	if door == byStream {
		return c.stream(ctx, events)
	}
	if door == byNATS { // a request is for one live
		known := true
		for _, share := range byLive(events) {
			known = c.one(door, share, func() ([]*scorev1.GiftVerdict, error) { return c.request(ctx, share) }) && known
		}
		return known
	}
	return c.one(door, events, func() ([]*scorev1.GiftVerdict, error) {
		r, err := c.invoke(ctx, door, invocation{backend, "", scorev1.ScoreService_SendGifts_FullMethodName, &scorev1.SendGiftsRequest{Gifts: events}})
		if err != nil {
			return nil, err
		}
		return r.(*scorev1.SendGiftsResponse).GetVerdicts(), nil
	})
}

// one makes one call and records it.
func (c *client) one(door string, events []*scorev1.GiftEvent, send func() ([]*scorev1.GiftVerdict, error)) bool {
	var verdicts []*scorev1.GiftVerdict
	kind := c.record(call.SendGifts, "", call.Gifts{Door: door, Gifts: call.Messages(events)}, func() (any, error) {
		var err error
		if verdicts, err = send(); err != nil {
			return nil, err
		}
		return call.Verdicts{Verdicts: call.Messages(verdicts)}, nil
	})
	c.stage.answered(events, verdicts)
	return kind != history.Unknown
}

func byLive(events []*scorev1.GiftEvent) (shares [][]*scorev1.GiftEvent) {
	place := map[string]int{}
	for _, e := range events {
		i, ok := place[e.GetLiveId()]
		if !ok {
			i = len(shares)
			place[e.GetLiveId()], shares = i, append(shares, nil)
		}
		shares[i] = append(shares[i], e)
	}
	return shares
}

// request sends gifts for one live by NATS.
func (c *client) request(ctx context.Context, events []*scorev1.GiftEvent) ([]*scorev1.GiftVerdict, error) {
	m := nats.NewMsg("gifts." + events[0].GetLiveId())
	asJSON, batch := c.chance(50), len(events) > 1 || c.chance(20)
	var in, out proto.Message = events[0], &scorev1.GiftVerdict{}
	if batch {
		in, out = &scorev1.SendGiftsRequest{Gifts: events}, &scorev1.SendGiftsResponse{}
		m.Header.Set("Faceoff-Message", "SendGiftsRequest")
	}
	marshal, unmarshal := proto.Marshal, proto.Unmarshal
	if asJSON {
		marshal, unmarshal = protojson.Marshal, protojson.Unmarshal
		m.Header.Set("Content-Type", "application/json")
	}
	var err error
	if m.Data, err = marshal(in); err != nil {
		return nil, err
	}
	reply, err := pick(c, c.nats).RequestMsgWithContext(ctx, m)
	if err != nil {
		return nil, err
	}
	if text := reply.Header.Get("Nats-Service-Error"); text != "" {
		reason, detail, _ := strings.Cut(text, ": ")
		return nil, es.Refuse(reason, "%s", detail)
	}
	if err := unmarshal(reply.Data, out); err != nil {
		return nil, err
	}
	if batch {
		return out.(*scorev1.SendGiftsResponse).GetVerdicts(), nil
	}
	return []*scorev1.GiftVerdict{out.(*scorev1.GiftVerdict)}, nil
}

// stream sends gifts by a stream, in a few requests that do not wait for each other's answers.
func (c *client) stream(ctx context.Context, events []*scorev1.GiftEvent) bool {
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.tokens[backend])
	s, err := scorev1.NewScoreServiceClient(pick(c, c.gateways)).StreamGifts(ctx)
	known := true
	var shares [][]*scorev1.GiftEvent
	for share := (len(events) + 3) / 4; len(events) > 0; events = events[min(share, len(events)):] {
		shares = append(shares, events[:min(share, len(events))])
	}
	calls := make([]uint64, len(shares))
	for i, share := range shares {
		calls[i] = c.h.Append(history.Record{P: c.p, F: call.SendGifts, Type: history.Invoke, Val: value(call.Gifts{Door: byStream, Gifts: call.Messages(share)})})
		if err == nil {
			err = s.Send(&scorev1.StreamGiftsRequest{Gifts: share})
		}
	}
	if err == nil {
		err = s.CloseSend()
	}
	for i, share := range shares {
		var r *scorev1.StreamGiftsResponse
		if err == nil || errors.Is(err, io.EOF) { // of EOF the reason is with the answers
			r, err = s.Recv()
		}
		end := history.Record{I: calls[i], P: c.p, F: call.SendGifts}
		if end.Type, end.Err = outcome(err); err == nil {
			end.Res = value(call.Verdicts{Verdicts: call.Messages(r.GetVerdicts())})
		} else {
			err = errors.New("the stream has ended: " + err.Error()) // nothing is said about the others, so it is not wrapped
		}
		c.h.Append(end)
		c.stage.answered(share, r.GetVerdicts())
		known = known && end.Type != history.Unknown
	}
	return known
}

// send notes that a gift is sent.
func (s *stage) send(e *scorev1.GiftEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gifts = last(append(s.gifts, e))
}

// answered notes which gifts have a verdict, and of which that is not known.
func (s *stage) answered(events []*scorev1.GiftEvent, verdicts []*scorev1.GiftVerdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.openGifts == nil {
		s.openGifts = map[string]*scorev1.GiftEvent{}
	}
	if s.kept == nil {
		s.kept = map[string]bool{}
	}
	for i, e := range events {
		id := e.GetLiveId() + "/" + e.GetEventId()
		if i >= len(verdicts) {
			if !s.kept[id] {
				s.openGifts[id] = e
			}
			continue
		}
		switch verdicts[i].GetVerdict() {
		case scorev1.GiftVerdict_DUPLICATE: // that is about another gift
		case scorev1.GiftVerdict_NO_BATTLE:
			delete(s.openGifts, id)
		default:
			delete(s.openGifts, id)
			s.kept[id] = true
		}
	}
}
