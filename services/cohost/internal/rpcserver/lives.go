package rpcserver

import (
	"context"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// pageSize is used when a list request names none.
const pageSize = 100

// CreateLive opens a live. A host may open the live of its token, for itself.
func (s *Server) CreateLive(ctx context.Context, r *cohostv1.CreateLiveRequest) (*cohostv1.CreateLiveResponse, error) {
	_, result, err := s.submit(ctx, "CreateLive", r, cohost.CreateLive{
		LiveID: r.GetLiveId(), Kind: cohost.Kind(r.GetKind()), Host: codec.User(r.GetHost()),
	})
	if err != nil {
		return nil, err
	}
	response := new(cohostv1.CreateLiveResponse)
	for _, e := range result.Events {
		if created, ok := e.Event.(cohost.LiveCreated); ok {
			response.Live = liveMessage(cohost.Live{ID: created.LiveID, Kind: created.Kind, Host: created.Host, CreatedAt: e.At})
		}
	}
	return response, nil
}

// GetLive returns a live, active or lately ended.
func (s *Server) GetLive(_ context.Context, r *cohostv1.GetLiveRequest) (*cohostv1.GetLiveResponse, error) {
	p, err := s.partition()
	if err != nil {
		return nil, err
	}
	live, ok := p.Live(r.GetLiveId())
	if !ok {
		return nil, liveNotFound(r.GetLiveId())
	}
	return &cohostv1.GetLiveResponse{Live: liveMessage(live)}, nil
}

// UpdateLive changes how the host of a live is shown.
func (s *Server) UpdateLive(ctx context.Context, r *cohostv1.UpdateLiveRequest) (*cohostv1.UpdateLiveResponse, error) {
	host := r.GetHost()
	p, _, err := s.submit(ctx, "UpdateLive", r, cohost.UpdateLive{
		LiveID: r.GetLiveId(), UserID: host.GetUserId(), Name: host.UserName, AvatarURL: host.AvatarUrl,
	})
	if err != nil {
		return nil, err
	}
	live, ok := p.Live(r.GetLiveId())
	if !ok {
		return nil, liveNotFound(r.GetLiveId())
	}
	return &cohostv1.UpdateLiveResponse{Live: liveMessage(live)}, nil
}

// ListLives lists active lives, or the candidates of one. The token of a page is the last live_id of the page before.
func (s *Server) ListLives(_ context.Context, r *cohostv1.ListLivesRequest) (*cohostv1.ListLivesResponse, error) {
	if live := r.GetCandidatesFor(); live != "" {
		lives, next, err := s.candidates(live, r)
		return &cohostv1.ListLivesResponse{Lives: lives, NextPageToken: next}, err
	}
	p, err := s.partition()
	if err != nil {
		return nil, err
	}
	lives, next, err := page(r, func(after string, limit int) ([]cohost.Live, bool) { return p.Lives(after, limit) })
	return &cohostv1.ListLivesResponse{Lives: lives, NextPageToken: next}, err
}

// ListCandidates lists the lives that a live can invite.
func (s *Server) ListCandidates(_ context.Context, r *cohostv1.ListCandidatesRequest) (*cohostv1.ListCandidatesResponse, error) {
	lives, next, err := s.candidates(r.GetLiveId(), r)
	return &cohostv1.ListCandidatesResponse{Candidates: lives, NextPageToken: next}, err
}

func (s *Server) candidates(live string, r paged) (lives []*cohostv1.Live, next string, err error) {
	p, err := s.partition()
	if err != nil {
		return nil, "", err
	}
	found := false
	lives, next, err = page(r, func(after string, limit int) (lives []cohost.Live, more bool) {
		lives, more, found = p.Candidates(live, after, limit)
		return lives, more
	})
	if err == nil && !found {
		err = liveNotFound(live)
	}
	return lives, next, err
}

// paged is a request for a page.
type paged interface {
	GetPageSize() int32
	GetPageToken() string
}

// page answers with up to limit lives behind the id that the request's token is.
func page(r paged, list func(after string, limit int) (lives []cohost.Live, more bool)) (messages []*cohostv1.Live, next string, err error) {
	after := r.GetPageToken()
	if after != "" {
		if err := ids.Live("page_token", after); err != nil {
			return nil, "", err
		}
	}
	limit := int(r.GetPageSize())
	if limit == 0 {
		limit = pageSize
	}
	lives, more := list(after, limit)
	for _, live := range lives {
		messages = append(messages, liveMessage(live))
	}
	if more {
		next = lives[len(lives)-1].ID
	}
	return messages, next, nil
}

// EndLive ends a live. Battle is not asked first: it reads from the log that the live has gone, and why.
func (s *Server) EndLive(ctx context.Context, r *cohostv1.EndLiveRequest) (*cohostv1.EndLiveResponse, error) {
	c, err := s.begin(ctx, "EndLive", r)
	if err != nil {
		return nil, err
	}
	result, err := c.submit(ctx, cohost.EndLive{LiveID: r.GetLiveId()})
	if err != nil {
		return nil, err
	}
	live, ok := c.p.EndedLive(r.GetLiveId())
	if !ok {
		return nil, liveNotFound(r.GetLiveId())
	}
	response := &cohostv1.EndLiveResponse{Live: liveMessage(live)}
	for _, e := range result.Events {
		if left, ok := e.Event.(cohost.MemberLeft); ok && left.LiveID == live.ID {
			response.LeftConnectionId = left.ConnectionID
		}
	}
	return response, nil
}
