package cli

import (
	"context"
	"io"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type connectionCommands struct {
	Get  connectionGet  `cmd:"" help:"Show a live's connection and its pending invitations."`
	Exit connectionExit `cmd:"" help:"Have a live leave its connection."`
}

const memberHeader = "CONNECTION,LIVE,HOST,IS,SINCE"

// memberRows lists who is in the connection of a live, whom it has invited, and who has invited it.
func memberRows(s *cohostv1.CoHostState) [][]any {
	var rows [][]any
	for _, m := range s.GetConnected() {
		rows = append(rows, []any{s.GetConnectionId(), m.GetLiveId(), m.GetHost().GetUserId(), "member", m.GetJoinedAt()})
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
