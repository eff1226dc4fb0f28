package cli

import (
	"context"
	"io"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type liveCommands struct {
	List      liveList      `cmd:"" help:"List active lives."`
	Get       liveGet       `cmd:"" help:"Show a live."`
	State     liveState     `cmd:"" help:"Show all that a live takes part in: its connection, invitations, battle and scores."`
	Create    liveCreate    `cmd:"" help:"Open a live."`
	Update    liveUpdate    `cmd:"" help:"Change how the host of a live is shown."`
	Heartbeat liveHeartbeat `cmd:"" help:"Give one sign of life for a host. The first lets presence begin: from then on a silent host is lost, and its live ends."`
	End       liveEnd       `cmd:"" help:"End a live, whoever its host is and whether it answers; it leaves its battle and its connection. One that has ended stays as it is."`
}

const liveHeader = "LIVE,KIND,HOST,PRESENCE,STATUS,CONNECTION,CREATED,ENDED"

func liveRow(l *cohostv1.Live) []any {
	presence := "" // a backend drives it
	if p := l.GetPresence(); p != nil {
		presence = p.GetState().String()
	}
	return []any{l.GetLiveId(), l.GetKind(), l.GetHost().GetUserId(), presence, l.GetStatus(), l.GetConnectionId(), l.GetCreatedAt(), l.GetEndedAt()}
}

// liveRows is a page of lives.
func liveRows(lives []*cohostv1.Live, next string) [][]any {
	var rows [][]any
	for _, l := range lives {
		rows = append(rows, liveRow(l))
	}
	if next != "" {
		rows = append(rows, []any{"more: --page-token " + next})
	}
	return rows
}

type liveList struct {
	PageSize  int32  `help:"How many, 1 to 1000." default:"100"`
	PageToken string `help:"next_page_token of the page before."`
	target
}

// Run prints one page.
func (c liveList) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.ListLives(ctx, &cohostv1.ListLivesRequest{PageSize: c.PageSize, PageToken: c.PageToken})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRows(r.GetLives(), r.GetNextPageToken())...)
	})
}

type liveGet struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run prints the live.
func (c liveGet) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRow(r.GetLive()))
	})
}

type liveState struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run prints the state.
func (c liveState) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Gateway.GetLiveState(ctx, &gatewayv1.GetLiveStateRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, "WHAT,LIVE,HOST,STATUS,SCORE,SINCE,UNTIL", stateRows(r)...)
	})
}

// stateRows has a row for the live, and for each member, invitation and host in its battle.
func stateRows(r *gatewayv1.GetLiveStateResponse) [][]any {
	live, state, battle := r.GetCohost().GetLive(), r.GetCohost().GetState(), r.GetBattle().GetBattle()
	rows := [][]any{{"live", live.GetLiveId(), live.GetHost().GetUserId(), live.GetStatus(), "", live.GetCreatedAt(), live.GetEndedAt()}}
	for _, m := range state.GetConnected() {
		rows = append(rows, []any{"connected", m.GetLiveId(), m.GetHost().GetUserId(), state.GetStatus(), "", m.GetJoinedAt(), ""})
	}
	for _, i := range state.GetInvitees() {
		rows = append(rows, []any{"invited", i.GetInvitee().GetLiveId(), i.GetInvitee().GetHost().GetUserId(), "", "", i.GetCreatedAt(), i.GetExpiresAt()})
	}
	for _, i := range state.GetApplicants() {
		rows = append(rows, []any{"invited by", i.GetInviter().GetLiveId(), i.GetInviter().GetHost().GetUserId(), "", "", i.GetCreatedAt(), i.GetExpiresAt()})
	}
	if battle == nil {
		return rows
	}
	rows = append(rows, []any{"battle " + battle.GetBattleId(), "", "", battle.GetStatus(), "", battle.GetStartsAt(), battle.GetEndsAt()})
	for _, u := range battle.GetUsers() {
		var score any = ""
		if points, ok := r.GetScores().GetScores()[u.GetUserId()]; ok {
			score = points
		}
		rows = append(rows, []any{"in the battle", u.GetLiveId(), u.GetUserId(), u.GetState(), score, "", ""})
	}
	return rows
}

type liveCreate struct {
	Live     string `arg:"" name:"live-id" help:"The live."`
	Host     string `help:"user_id of the host." required:""`
	HostName string `help:"Name of the host."`
	Kind     string `help:"VIDEO or VOICE." enum:"VIDEO,VOICE" default:"VIDEO"`
	target
}

// Run opens the live and prints it.
func (c liveCreate) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.CreateLive(ctx, &cohostv1.CreateLiveRequest{
			LiveId: c.Live, Kind: cohostv1.Live_Kind(cohostv1.Live_Kind_value[c.Kind]),
			Host: &userv1.User{UserId: c.Host, UserName: c.HostName},
		})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRow(r.GetLive()))
	})
}

type liveUpdate struct {
	Live     string  `arg:"" name:"live-id" help:"The live."`
	HostName *string `help:"Name of the host; as it is if not given."`
	Avatar   *string `help:"https URL of the host's picture; as it is if not given."`
	target
}

// Run changes the host and prints the live.
func (c liveUpdate) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.UpdateLive(ctx, &cohostv1.UpdateLiveRequest{
			LiveId: c.Live, Host: &cohostv1.UpdateLiveRequest_HostProfile{UserName: c.HostName, AvatarUrl: c.Avatar},
		})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRow(r.GetLive()))
	})
}

type liveHeartbeat struct {
	Live    string `arg:"" name:"live-id" help:"The live."`
	Session string `help:"session_id of the device; a new one takes the live over from those before it."`
	target
}

// Run gives the sign and prints what is known of the host after it.
func (c liveHeartbeat) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.Heartbeat(ctx, &cohostv1.HeartbeatRequest{LiveId: c.Live, SessionId: c.Session})
		if err != nil {
			return err
		}
		p := r.GetPresence()
		return c.show(out, r, "PRESENCE,SINCE,FENCE,REJOIN,UNTIL",
			[]any{p.GetState(), p.GetSince(), p.GetFence(), p.GetRejoinConnectionId(), p.GetRejoinUntil()})
	})
}
