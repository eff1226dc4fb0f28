//go:build linux

package hosts

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// platform is the backend of a platform. It makes each call until it knows what came of it.
type platform struct {
	key, secret, token string
	gateways           []*grpc.ClientConn
}

const tokenLife = 12 * time.Hour

func newPlatform(d cluster.Doors) (*platform, error) {
	p := &platform{key: d.Key, secret: d.Secret}
	var err error
	if p.token, err = auth.Sign(d.Key, d.Secret, auth.Principal{User: "platform", Live: auth.EveryLive, Role: auth.Service}, tokenLife, time.Now()); err != nil {
		return nil, err
	}
	for _, address := range d.GRPC {
		conn, err := rpc.Dial(address, rpc.DialOptions{})
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.gateways = append(p.gateways, conn)
	}
	return p, nil
}

func (p *platform) close() error {
	var errs []error
	for _, g := range p.gateways {
		errs = append(errs, g.Close())
	}
	return errors.Join(errs...)
}

// tryTime bounds one try of a call.
const tryTime = 3 * time.Second

func (p *platform) do(ctx context.Context, method string, request, response proto.Message) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+p.token)
	ctx = rpc.WithCommandID(ctx, ids.New())
	for try := 0; ; try++ {
		attempt, cancel := context.WithTimeout(ctx, tryTime)
		err := p.gateways[try%len(p.gateways)].Invoke(attempt, method, request, response)
		cancel()
		if !unknown(err) || !wait(ctx, 50*time.Millisecond) {
			return err
		}
	}
}

// unknown tells that the outcome of a call is not known.
func unknown(err error) bool {
	if r, ok := rpc.Refusal(err); ok {
		return r.Reason == "UNAVAILABLE" || r.Reason == "DEADLINE_EXCEEDED"
	}
	return err != nil
}

func hostOf(live string) string { return "host-of-" + live }

func (p *platform) hostToken(live string) (string, error) {
	return auth.Sign(p.key, p.secret, auth.Principal{User: hostOf(live), Live: live, Role: auth.Host}, tokenLife, time.Now())
}

func (p *platform) settings(ctx context.Context) (presence.Times, error) {
	var r cohostv1.GetPresenceSettingsResponse
	err := p.do(ctx, cohostv1.CohostService_GetPresenceSettings_FullMethodName, &cohostv1.GetPresenceSettingsRequest{}, &r)
	t := r.GetSettings()
	return presence.Times{
		Renew: int64(t.GetRenewMs()), Unreachable: int64(t.GetUnreachableAfterMs()), Grace: int64(t.GetGraceMs()), End: int64(t.GetEndAfterMs()),
		Rejoin: int64(t.GetRejoinWithinMs()),
	}, err
}

func (p *platform) create(ctx context.Context, live string) error {
	return p.do(ctx, cohostv1.CohostService_CreateLive_FullMethodName,
		&cohostv1.CreateLiveRequest{LiveId: live, Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: hostOf(live)}}, new(cohostv1.CreateLiveResponse))
}

// invite has a live invite others, and these accept. Who cannot is left out.
func (p *platform) connect(ctx context.Context, live string, others []string) error {
	var r cohostv1.RequestHostConnectionResponse
	if err := p.do(ctx, cohostv1.CohostService_RequestHostConnection_FullMethodName,
		&cohostv1.RequestHostConnectionRequest{LiveId: live, TargetLiveIds: others}, &r); err != nil {
		return err
	}
	var errs []error
	for _, other := range others {
		if x := r.GetResults()[other]; !x.GetOk() {
			errs = append(errs, errors.New(other+": "+x.GetReason()))
			continue
		}
		err := p.do(ctx, cohostv1.CohostService_AcceptHostConnection_FullMethodName,
			&cohostv1.AcceptHostConnectionRequest{LiveId: other, FromLiveId: live}, new(cohostv1.AcceptHostConnectionResponse))
		if refusal, ok := rpc.Refusal(err); ok && refusal.Reason == "INVITATION_ENDED" && p.connected(ctx, live, other) {
			err = nil // the other had invited this one before: an invitation each way connects
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// connected reports whether two lives are in the same connection.
func (p *platform) connected(ctx context.Context, live, other string) bool {
	one, err := p.last(ctx, live)
	two, otherErr := p.last(ctx, other)
	return err == nil && otherErr == nil && one.Connection != "" && one.Connection == two.Connection
}

func (p *platform) exit(ctx context.Context, live string) error {
	return p.do(ctx, cohostv1.CohostService_ExitHostConnection_FullMethodName,
		&cohostv1.ExitHostConnectionRequest{LiveId: live}, new(cohostv1.ExitHostConnectionResponse))
}

func (p *platform) battle(ctx context.Context, live string, others []string, seconds int) error {
	return p.do(ctx, battlev1.BattleService_RequestBattle_FullMethodName, &battlev1.RequestBattleRequest{
		InviterLiveId: live, TargetLiveIds: others, Config: &battlev1.BattleConfig{DurationSeconds: int32(seconds)},
	}, new(battlev1.RequestBattleResponse))
}

// last asks what there is to be said of a live.
func (p *platform) last(ctx context.Context, live string) (presence.Last, error) {
	var r cohostv1.GetLiveResponse
	if err := p.do(ctx, cohostv1.CohostService_GetLive_FullMethodName, &cohostv1.GetLiveRequest{LiveId: live}, &r); err != nil {
		return presence.Last{}, err
	}
	l := r.GetLive()
	var list battlev1.ListBattlesResponse
	err := p.do(ctx, battlev1.BattleService_ListBattles_FullMethodName,
		&battlev1.ListBattlesRequest{LiveId: live, Status: battlev1.Battle_RUNNING}, &list)
	last := presence.Last{
		Active: l.GetStatus() == cohostv1.Live_ACTIVE, Connection: l.GetConnectionId(), State: int32(l.GetPresence().GetState()),
	}
	for _, b := range list.GetBattles() {
		for _, u := range b.GetUsers() {
			if u.GetLiveId() == live && u.GetState() == battlev1.BattleUser_JOINED {
				last.Battles++
			}
		}
	}
	return last, err
}
