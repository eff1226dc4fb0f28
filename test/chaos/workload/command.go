package workload

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// tries of a call before its caller gives up.
const tries = 6

// command is one that can be repeated.
type command struct {
	kind check.Kind
	call.Command
	invocation
}

// answer is what came of a command.
type answer struct {
	kind string // of the record that ended the last try
	call.Done
	battle *battlev1.Battle
	state  *cohostv1.CoHostState
}

func (a answer) ok() bool { return a.kind == history.OK }

// do gives a command an id and has it decided, for the host of the live or for the backend.
func (c *client) do(ctx context.Context, kind check.Kind, what call.Command, method string, request proto.Message) answer {
	what.By = hostOf(what.Live)
	if c.chance(30) {
		what.By = backend
	}
	return c.repeat(ctx, command{kind, what, invocation{what.By, c.stage.key(c.p), method, request}}, tries)
}

// repeat has a command decided that has its id. It is tried through any door until the outcome is known, or so often.
func (c *client) repeat(ctx context.Context, m command, tries int) answer {
	var a answer
	for try := range tries {
		if try > 0 && !c.pause(ctx, time.Millisecond, time.Duration(try)*300*time.Millisecond) {
			break
		}
		if a = c.try(ctx, m); a.kind != history.Unknown {
			break
		}
	}
	c.stage.decided(m, a)
	return a
}

func (c *client) try(ctx context.Context, m command) answer {
	m.Door = byGRPC
	if c.chance(30) {
		m.Door = byREST
	}
	ctx, cancel := context.WithTimeout(ctx, c.between(500*time.Millisecond, 4*time.Second))
	defer cancel()
	var a answer
	a.kind = c.record(string(m.kind), m.key, m.Command, func() (any, error) {
		response, err := c.invoke(ctx, m.Door, m.invocation)
		if err == nil {
			a.read(response)
		}
		return a.Done, err
	})
	c.stage.heard(a.battle)
	return a
}

// read takes what a record holds, and what others may go by, from a response.
func (a *answer) read(response proto.Message) {
	switch r := response.(type) {
	case *cohostv1.RequestHostConnectionResponse:
		for target, result := range r.GetResults() {
			if result.GetOk() {
				a.Accepted = append(a.Accepted, target)
			}
		}
		a.state = r.GetState()
	case interface{ GetBattle() *battlev1.Battle }:
		a.battle, a.Battle = r.GetBattle(), r.GetBattle().GetBattleId()
	}
}

func (c *client) create(ctx context.Context, live string) answer {
	return c.do(ctx, check.CreateLive, call.Command{Live: live}, cohostv1.CohostService_CreateLive_FullMethodName,
		&cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: hostOf(live)}})
}

func (c *client) end(ctx context.Context, live string) answer {
	return c.do(ctx, check.EndLive, call.Command{Live: live}, cohostv1.CohostService_EndLive_FullMethodName, &cohostv1.EndLiveRequest{LiveId: live})
}

func (c *client) invite(ctx context.Context, live string, targets []string, seconds int32) answer {
	return c.do(ctx, check.Invite, call.Command{Live: live, Others: targets}, cohostv1.CohostService_RequestHostConnection_FullMethodName,
		&cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: targets, TimeoutSeconds: seconds})
}

func (c *client) accept(ctx context.Context, live, from string) answer {
	return c.do(ctx, check.Accept, call.Command{Live: live, Others: []string{from}}, cohostv1.CohostService_AcceptHostConnection_FullMethodName,
		&cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from})
}

func (c *client) reject(ctx context.Context, live, from string) answer {
	return c.do(ctx, check.Reject, call.Command{Live: live, Others: []string{from}}, cohostv1.CohostService_RejectHostConnection_FullMethodName,
		&cohostv1.RejectHostConnectionRequest{LiveId: live, FromLiveId: from})
}

func (c *client) cancel(ctx context.Context, live, to string) answer {
	return c.do(ctx, check.Cancel, call.Command{Live: live, Others: []string{to}}, cohostv1.CohostService_CancelHostConnection_FullMethodName,
		&cohostv1.CancelHostConnectionRequest{LiveId: live, ToLiveId: to})
}

func (c *client) exit(ctx context.Context, live string) answer {
	return c.do(ctx, check.Exit, call.Command{Live: live}, cohostv1.CohostService_ExitHostConnection_FullMethodName,
		&cohostv1.ExitHostConnectionRequest{LiveId: live})
}

// requestBattle asks others to a battle of so many seconds; need: they have to answer, within as many.
func (c *client) requestBattle(ctx context.Context, live string, targets []string, seconds int32, need bool, within int32) answer {
	return c.do(ctx, check.RequestBattle, call.Command{Live: live, Others: targets}, battlev1.BattleService_RequestBattle_FullMethodName,
		&battlev1.RequestBattleRequest{
			InviterLiveId: live, TargetLiveIds: targets, TimeoutSeconds: within,
			Config: &battlev1.BattleConfig{DurationSeconds: seconds, NeedResponse: need},
		})
}

func (c *client) acceptBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.AcceptBattle, call.Command{Live: live, Battle: battle}, battlev1.BattleService_AcceptBattle_FullMethodName,
		&battlev1.AcceptBattleRequest{BattleId: battle, LiveId: live})
}

func (c *client) rejectBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.RejectBattle, call.Command{Live: live, Battle: battle}, battlev1.BattleService_RejectBattle_FullMethodName,
		&battlev1.RejectBattleRequest{BattleId: battle, LiveId: live})
}

func (c *client) cancelBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.CancelBattle, call.Command{Live: live, Battle: battle}, battlev1.BattleService_CancelBattleRequest_FullMethodName,
		&battlev1.CancelBattleRequestRequest{BattleId: battle, LiveId: live})
}

func (c *client) exitBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.ExitBattle, call.Command{Live: live, Battle: battle}, battlev1.BattleService_ExitBattle_FullMethodName,
		&battlev1.ExitBattleRequest{BattleId: battle, LiveId: live})
}
