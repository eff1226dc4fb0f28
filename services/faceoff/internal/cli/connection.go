package cli

import (
	"context"
	"io"
	"slices"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type connectionCommands struct {
	Get        connectionGet        `cmd:"" help:"Show a live's connection and its pending invitations."`
	Candidates connectionCandidates `cmd:"" help:"List the lives that a live can invite."`
	Layout     connectionLayout     `cmd:"" help:"Change the layout of a live's connection."`
	Mute       connectionMute       `cmd:"" help:"Mute another member for a live and its audience, or let it be heard again."`
	Exit       connectionExit       `cmd:"" help:"Have a live leave its connection."`
	Rejoin     connectionRejoin     `cmd:"" help:"Take a live whose host was lost and is back into the connection that it was lost from."`
}

const memberHeader = "CONNECTION,LIVE,HOST,IS,SINCE"

// memberRows lists who is in the connection of a live and whether it has muted them, whom it has invited, and who has invited it.
func memberRows(s *cohostv1.CoHostState) [][]any {
	var rows [][]any
	for _, m := range s.GetConnected() {
		is := "member"
		if slices.Contains(s.GetMutedLiveIds(), m.GetLiveId()) {
			is = "muted"
		}
		rows = append(rows, []any{s.GetConnectionId(), m.GetLiveId(), m.GetHost().GetUserId(), is, m.GetJoinedAt()})
	}
	for _, i := range s.GetInvitees() {
		rows = append(rows, []any{"", i.GetInvitee().GetLiveId(), i.GetInvitee().GetHost().GetUserId(), "invited", i.GetCreatedAt()})
	}
	for _, i := range s.GetApplicants() {
		rows = append(rows, []any{"", i.GetInviter().GetLiveId(), i.GetInviter().GetHost().GetUserId(), "inviting", i.GetCreatedAt()})
	}
	return rows
}

type connectionGet struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run prints the state.
func (c connectionGet) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, memberHeader, memberRows(r.GetState())...)
	})
}

type connectionCandidates struct {
	Live      string `arg:"" name:"live-id" help:"The live that wants to invite."`
	PageSize  int32  `help:"How many, 1 to 1000." default:"100"`
	PageToken string `help:"next_page_token of the page before."`
	target
}

// Run prints one page.
func (c connectionCandidates) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.ListCandidates(ctx, &cohostv1.ListCandidatesRequest{LiveId: c.Live, PageSize: c.PageSize, PageToken: c.PageToken})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRows(r.GetCandidates(), r.GetNextPageToken())...)
	})
}

type connectionLayout struct {
	Live     string `arg:"" name:"live-id" help:"A member of the connection."`
	Template string `arg:"" help:"hostDynamicGrid, hostDynamic1v6, HostVideoLandscapeFixed2Seats, hostDynamicFloat, hostFixedFloat or hostVoiceConnection."`
	target
}

// Run changes the layout and prints the state after it.
func (c connectionLayout) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.SetLayoutTemplate(ctx, &cohostv1.SetLayoutTemplateRequest{LiveId: c.Live, LayoutTemplate: c.Template})
		if err != nil {
			return err
		}
		return c.show(out, r, memberHeader, memberRows(r.GetState())...)
	})
}

type connectionMute struct {
	Live   string `arg:"" name:"live-id" help:"The live that does not want to hear."`
	Target string `arg:"" name:"target-live-id" help:"The member to be muted."`
	Off    bool   `help:"Let it be heard again."`
	target
}

// Run mutes the member and prints the state after it.
func (c connectionMute) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.MuteRemoteHostAudio(ctx, &cohostv1.MuteRemoteHostAudioRequest{LiveId: c.Live, TargetLiveId: c.Target, Muted: !c.Off})
		if err != nil {
			return err
		}
		return c.show(out, r, memberHeader, memberRows(r.GetState())...)
	})
}

type connectionExit struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run leaves the connection and prints the state after it.
func (c connectionExit) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.ExitHostConnection(ctx, &cohostv1.ExitHostConnectionRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, memberHeader, memberRows(r.GetState())...)
	})
}

type connectionRejoin struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run rejoins the connection and prints the state after it.
func (c connectionRejoin) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.RejoinHostConnection(ctx, &cohostv1.RejoinHostConnectionRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, memberHeader, memberRows(r.GetState())...)
	})
}
