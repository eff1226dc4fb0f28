package workload

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// read asks for this and that until ctx ends.
func (c *client) read(ctx context.Context) {
	for c.pause(ctx, 0, 150*time.Millisecond) {
		f, _ := c.recent(20)
		switch n := c.rng.IntN(12); {
		case n < 1:
			c.askLive(ctx, c.live(), false)
		case n < 2:
			c.askCoHost(ctx, c.live(), false)
		case n < 3:
			c.askLiveState(ctx, c.live(), false)
		case n < 4:
			c.askCandidates(ctx, c.live(), pick(c, []string{"", c.live()}), 1+c.rng.IntN(lives), false)
		case n < 6:
			if e, ok := one(c, &c.stage.gifts, remembered); ok {
				c.askGift(ctx, e, false)
			}
		case f.id == "":
		case n < 8:
			c.askBattle(ctx, f.id, false)
		case n < 10:
			c.askScores(ctx, f.id, false)
		default:
			c.readRedis(ctx, f.id, false)
		}
	}
}

// ask asks one question and returns the answer, nil if there is none.
func (c *client) ask(ctx context.Context, f, id string, q call.Question, method string, request proto.Message) (response proto.Message, kind string) {
	q.Door = byGRPC
	if c.chance(30) && f != call.ReplayBattle && f != string(check.AskCandidates) {
		q.Door = byREST
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	kind = c.record(f, id, q, func() (any, error) {
		r, err := c.invoke(ctx, q.Door, invocation{backend, "", method, request})
		if err != nil {
			return nil, err
		}
		response = r
		return call.Message(r), nil
	})
	return response, kind
}

func (c *client) askLive(ctx context.Context, live string, rest bool) string {
	_, kind := c.ask(ctx, string(check.AskLive), live, call.Question{Rest: rest}, cohostv1.CohostService_GetLive_FullMethodName, &cohostv1.GetLiveRequest{LiveId: live})
	return kind
}

func (c *client) askCoHost(ctx context.Context, live string, rest bool) *cohostv1.CoHostState {
	r, _ := c.ask(ctx, string(check.AskCoHost), live, call.Question{Rest: rest}, cohostv1.CohostService_GetCoHostState_FullMethodName, &cohostv1.GetCoHostStateRequest{LiveId: live})
	s, _ := r.(*cohostv1.GetCoHostStateResponse)
	return s.GetState()
}

// askLiveState asks for all that is to know of a live.
func (c *client) askLiveState(ctx context.Context, live string, rest bool) string {
	r, kind := c.ask(ctx, call.GetLiveState, live, call.Question{Rest: rest}, gatewayv1.GatewayService_GetLiveState_FullMethodName, &gatewayv1.GetLiveStateRequest{LiveId: live})
	s, _ := r.(*gatewayv1.GetLiveStateResponse)
	c.stage.heard(s.GetBattle().GetBattle())
	return kind
}

// askCandidates asks for a page of whom a live can invite.
func (c *client) askCandidates(ctx context.Context, live, after string, size int, rest bool) string {
	_, kind := c.ask(
		ctx, string(check.AskCandidates), live, call.Question{After: after, Size: size, Rest: rest}, cohostv1.CohostService_ListCandidates_FullMethodName,
		&cohostv1.ListCandidatesRequest{LiveId: live, PageToken: after, PageSize: int32(size)},
	)
	return kind
}

func (c *client) askBattle(ctx context.Context, battle string, rest bool) *battlev1.Battle {
	r, _ := c.ask(ctx, string(check.AskBattle), battle, call.Question{Rest: rest}, battlev1.BattleService_GetBattle_FullMethodName, &battlev1.GetBattleRequest{BattleId: battle})
	b, _ := r.(*battlev1.GetBattleResponse)
	c.stage.heard(b.GetBattle())
	return b.GetBattle()
}

func (c *client) askGift(ctx context.Context, e *scorev1.GiftEvent, rest bool) string {
	_, kind := c.ask(ctx, string(check.AskGift), e.GetLiveId(), call.Question{Event: e.GetEventId(), Rest: rest}, scorev1.ScoreService_GetGift_FullMethodName,
		&scorev1.GetGiftRequest{LiveId: e.GetLiveId(), EventId: e.GetEventId()})
	return kind
}

func (c *client) askScores(ctx context.Context, battle string, rest bool) (*scorev1.BattleScores, string) {
	r, kind := c.ask(ctx, call.GetBattleScores, battle, call.Question{Rest: rest}, scorev1.ScoreService_GetBattleScores_FullMethodName, &scorev1.GetBattleScoresRequest{BattleId: battle})
	s, _ := r.(*scorev1.GetBattleScoresResponse)
	return s.GetScores(), kind
}

func (c *client) replay(ctx context.Context, battle string) string {
	_, kind := c.ask(ctx, call.ReplayBattle, battle, call.Question{Rest: true}, scorev1.ScoreService_ReplayBattle_FullMethodName, &scorev1.ReplayBattleRequest{BattleId: battle})
	return kind
}

// readRedis reads what Redis has of a battle.
func (c *client) readRedis(ctx context.Context, battle string, rest bool) (fields map[string]string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c.record(call.Redis, battle, call.Question{Door: "Redis", Rest: rest}, func() (any, error) {
		var err error
		fields, err = c.redis.HGetAll(ctx, "pk:{"+battle+"}").Result()
		return fields, err
	})
	return fields
}

// readGifters reads what Redis has of the gifters of a live in a battle that has ended. It returns the sum of their points.
func (c *client) readGifters(ctx context.Context, battle, live string) (sum int64) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c.record(call.Gifters, battle, call.Question{Event: live, Door: "Redis", Rest: true}, func() (any, error) {
		members, err := c.redis.ZRangeWithScores(ctx, "pk:{"+battle+"}:gifters:"+live, 0, -1).Result()
		points := map[string]int64{}
		for _, m := range members {
			points[m.Member.(string)] = int64(m.Score)
			sum += int64(m.Score)
		}
		return points, err
	})
	return sum
}

// headsEvery is how often the length of the logs is read. The answers to calls are placed in the logs by it.
const headsEvery = 100 * time.Millisecond

// readHeads reads the length of the logs until ctx ends.
func (c *client) readHeads(ctx context.Context) {
	for wait(ctx, headsEvery) {
		c.heads(ctx)
	}
}

// heads asks every server. Where there are several, the majority must answer, and the longest counts: a server that does
// not know yet that it no longer leads may tell an old length.
func (c *client) heads(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c.record(call.Heads, "", nil, func() (any, error) {
		var mu sync.Mutex
		longest, answers := map[string]uint64{}, 0
		var fault error
		var asking sync.WaitGroup
		for _, nc := range c.direct {
			asking.Go(func() {
				heads, err := logHeads(ctx, nc)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					fault = err
					return
				}
				answers++
				for log, head := range heads {
					longest[log] = max(longest[log], head)
				}
			})
		}
		asking.Wait()
		if 2*answers <= len(c.direct) {
			return nil, fault
		}
		return longest, nil
	})
}

// logHeads asks a server for the length of all logs.
func logHeads(ctx context.Context, nc *nats.Conn) (map[string]uint64, error) {
	reply, err := nc.RequestWithContext(ctx, "$JS.API.STREAM.LIST", nil)
	if err != nil {
		return nil, err
	}
	var list struct {
		Error   *struct{ Description string } `json:"error"`
		Missing []string                      `json:"missing"`
		Streams []struct {
			Config struct{ Name string } `json:"config"`
			State  struct {
				LastSeq uint64 `json:"last_seq"`
			} `json:"state"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(reply.Data, &list); err != nil {
		return nil, err
	}
	if list.Error != nil {
		return nil, errors.New(list.Error.Description)
	}
	heads := map[string]uint64{}
	for _, s := range list.Streams {
		if isLog(s.Config.Name) && !slices.Contains(list.Missing, s.Config.Name) {
			heads[s.Config.Name] = s.State.LastSeq
		}
	}
	return heads, nil
}

// isLog reports whether a stream is a log, by its name: COHOST_00, BATTLE_00, SCORE_00 and so on.
func isLog(stream string) bool {
	service, _, _ := strings.Cut(stream, "_")
	return service == "COHOST" || service == "BATTLE" || service == "SCORE"
}
