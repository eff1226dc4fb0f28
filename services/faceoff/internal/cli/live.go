package cli

import (
	"context"
	"io"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type liveCommands struct {
	List   liveList   `cmd:"" help:"List active lives."`
	Get    liveGet    `cmd:"" help:"Show a live."`
	Create liveCreate `cmd:"" help:"Open a live."`
	Update liveUpdate `cmd:"" help:"Change how the host of a live is shown."`
	End    liveEnd    `cmd:"" help:"End a live."`
}

const liveHeader = "LIVE,KIND,HOST,STATUS,CONNECTION,CREATED,ENDED"

func liveRow(l *cohostv1.Live) []any {
	return []any{l.GetLiveId(), l.GetKind(), l.GetHost().GetUserId(), l.GetStatus(), l.GetConnectionId(), l.GetCreatedAt(), l.GetEndedAt()}
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

type liveEnd struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// Run ends the live and prints it.
func (c liveEnd) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Cohost.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, liveHeader, liveRow(r.GetLive()))
	})
}
