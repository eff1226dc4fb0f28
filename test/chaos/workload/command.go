package workload

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// tries of a call before its caller gives up; at rest only time ends them.
const (
	tries       = 6
	triesAtRest = 1000
)

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

// do gives a command an id and has it decided, for the host of the live or for the backend. What is done for no live is an admin's.
func (c *client) do(ctx context.Context, kind check.Kind, what call.Command, request proto.Message) answer {
	by := hostOf(what.Live)
	switch {
	case what.Live == "":
		by = admin
	case c.chance(30):
		by = backend
	}
	return c.repeat(ctx, c.command(by, kind, what, request), c.tries)
}

// command is a new one.
func (c *client) command(by string, kind check.Kind, what call.Command, request proto.Message) command {
	what.By, what.Request = by, call.Request(request)
	return command{kind, what, invocation{by, c.stage.key(c.p), method(kind), request}}
}

// method is the gRPC method of a command.
func method(kind check.Kind) string {
	service := battlev1.BattleService_ServiceDesc.ServiceName
	if kind.InCohost() {
		service = cohostv1.CohostService_ServiceDesc.ServiceName
	}
	return "/" + service + "/" + string(kind)
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
	if r, ok := response.(interface {
		GetResults() map[string]*errorsv1.TargetResult
	}); ok {
		a.Refusals = map[string]string{}
		for target, result := range r.GetResults() {
			if result.GetOk() {
				a.Accepted = append(a.Accepted, target)
			} else {
				a.Refusals[target] = result.GetReason()
			}
		}
	}
	switch r := response.(type) {
	case *cohostv1.RequestHostConnectionResponse:
		a.state = r.GetState()
	case interface{ GetBattle() *battlev1.Battle }:
		a.battle, a.Battle = r.GetBattle(), r.GetBattle().GetBattleId()
	}
}

func (c *client) create(ctx context.Context, live string) answer {
	return c.do(ctx, check.CreateLive, call.Command{Live: live},
		&cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: hostOf(live)}})
}

func (c *client) end(ctx context.Context, live string) answer {
	return c.do(ctx, check.EndLive, call.Command{Live: live}, &cohostv1.EndLiveRequest{LiveId: live})
}

func (c *client) invite(ctx context.Context, live string, targets []string, seconds int32) answer {
	return c.do(ctx, check.Invite, call.Command{Live: live, Others: targets},
		&cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: targets, TimeoutSeconds: seconds, ExtensionInfo: c.info()})
}

func (c *client) accept(ctx context.Context, live, from string) answer {
	return c.do(ctx, check.Accept, call.Command{Live: live, Others: []string{from}},
		&cohostv1.AcceptHostConnectionRequest{LiveId: live, FromLiveId: from, ExtensionInfo: c.info()})
}

func (c *client) reject(ctx context.Context, live, from string) answer {
	return c.do(ctx, check.Reject, call.Command{Live: live, Others: []string{from}},
		&cohostv1.RejectHostConnectionRequest{
			LiveId: live, FromLiveId: from, ReasonCode: cohostv1.CoHostRequestRejected_ReasonCode(c.rng.Int32N(4)), ExtensionInfo: c.info(),
		})
}

func (c *client) cancel(ctx context.Context, live, to string) answer {
	return c.do(ctx, check.Cancel, call.Command{Live: live, Others: []string{to}},
		&cohostv1.CancelHostConnectionRequest{LiveId: live, ToLiveId: to})
}

func (c *client) exit(ctx context.Context, live string) answer {
	return c.do(ctx, check.Exit, call.Command{Live: live},
		&cohostv1.ExitHostConnectionRequest{LiveId: live})
}

func (c *client) update(ctx context.Context, live string, host *cohostv1.UpdateLiveRequest_HostProfile) answer {
	return c.do(ctx, check.UpdateLive, call.Command{Live: live}, &cohostv1.UpdateLiveRequest{LiveId: live, Host: host})
}

func (c *client) setLayout(ctx context.Context, live, template string) answer {
	return c.do(ctx, check.SetLayout, call.Command{Live: live}, &cohostv1.SetLayoutTemplateRequest{LiveId: live, LayoutTemplate: template})
}

func (c *client) mute(ctx context.Context, live, target string, muted bool) answer {
	return c.do(ctx, check.Mute, call.Command{Live: live, Others: []string{target}},
		&cohostv1.MuteRemoteHostAudioRequest{LiveId: live, TargetLiveId: target, Muted: muted})
}

// requestBattle asks others to a battle. If they have to answer, they have so many seconds.
func (c *client) requestBattle(ctx context.Context, live string, targets []string, config *battlev1.BattleConfig, within int32) answer {
	return c.do(ctx, check.RequestBattle, call.Command{Live: live, Others: targets},
		&battlev1.RequestBattleRequest{InviterLiveId: live, TargetLiveIds: targets, TimeoutSeconds: within, Config: config})
}

// rematch asks those who fought a battle to fight again: as they did, without a config.
func (c *client) rematch(ctx context.Context, battle, live string, config *battlev1.BattleConfig, within int32) answer {
	return c.do(ctx, check.Rematch, call.Command{Live: live, Battle: battle},
		&battlev1.RematchRequest{BattleId: battle, LiveId: live, Config: config, TimeoutSeconds: within})
}

func (c *client) acceptBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.AcceptBattle, call.Command{Live: live, Battle: battle}, &battlev1.AcceptBattleRequest{BattleId: battle, LiveId: live})
}

func (c *client) rejectBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.RejectBattle, call.Command{Live: live, Battle: battle},
		&battlev1.RejectBattleRequest{BattleId: battle, LiveId: live, Reason: c.info()})
}

// cancelBattle takes a request back, for some of those that were asked or, if none are named, for all.
func (c *client) cancelBattle(ctx context.Context, battle, live string, targets ...string) answer {
	return c.do(ctx, check.CancelBattle, call.Command{Live: live, Battle: battle, Others: targets},
		&battlev1.CancelBattleRequestRequest{BattleId: battle, LiveId: live, TargetLiveIds: targets})
}

func (c *client) exitBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.ExitBattle, call.Command{Live: live, Battle: battle}, &battlev1.ExitBattleRequest{BattleId: battle, LiveId: live})
}

// endBattle proposes for a live that a battle ends, or consents to it; for no live it is an admin's.
func (c *client) endBattle(ctx context.Context, battle, live string) answer {
	return c.do(ctx, check.EndBattle, call.Command{Live: live, Battle: battle}, &battlev1.EndBattleRequest{BattleId: battle, LiveId: live, Reason: c.info()})
}

// extendBattle is endBattle for an extension.
func (c *client) extendBattle(ctx context.Context, battle, live string, seconds int32) answer {
	return c.do(ctx, check.ExtendBattle, call.Command{Live: live, Battle: battle},
		&battlev1.ExtendBattleRequest{BattleId: battle, LiveId: live, ExtendSeconds: seconds})
}

func (c *client) voidBattle(ctx context.Context, battle string) answer {
	return c.do(ctx, check.VoidBattle, call.Command{Battle: battle}, &battlev1.VoidBattleRequest{BattleId: battle, Reason: c.info()})
}

// info is a text that is passed on, or none.
func (c *client) info() string {
	if c.chance(50) {
		return ""
	}
	return fmt.Sprintf("says %d", c.rng.IntN(1000))
}
