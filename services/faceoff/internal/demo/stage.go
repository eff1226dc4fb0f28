package demo

import (
	"context"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// stage is what a scenario is played on.
type stage struct {
	*notes
	c        *client.Client
	redis    *redis.Client
	duration time.Duration

	run     string // tells this play's names from those of others
	service string // token of the platform's backend
	hosts   []*host
}

// host is one side: a host, its live, and who watches it.
type host struct {
	user, live string
	token      string
	viewer     *viewer
}

func newStage(c *client.Client, o Options) (*stage, error) {
	s := &stage{notes: newNotes(o), c: c, duration: o.Duration, run: ids.New()[:10]}
	var err error
	s.service, err = c.Token("demo-backend", auth.EveryLive, auth.Service)
	return s, err
}

// newHost adds a host whose live is watched with a token of the given role: its own, or one of its audience.
func (s *stage) newHost(name string, watcher auth.Role) (*host, error) {
	h := &host{user: name + "-" + s.run, live: "live-" + name + "-" + s.run}
	var err error
	if h.token, err = s.c.Token(h.user, h.live, auth.Host); err != nil {
		return nil, err
	}
	watching := h.token
	if watcher == auth.Audience {
		if watching, err = s.c.Token("viewer-"+s.run, h.live, auth.Audience); err != nil {
			return nil, err
		}
	}
	h.viewer = newViewer(s.c, h.live, watching)
	s.hosts = append(s.hosts, h)
	s.report.Lives = append(s.report.Lives, h.live)
	return h, nil
}

// perform plays act after act; the first that cannot go on ends the play. stop ends the watching.
func (s *stage) perform(ctx context.Context, stop func(), acts []act) *Report {
	for _, a := range acts {
		if err := a.play(ctx); err != nil {
			s.check("the play goes on: "+a.name, false, "%v", err)
			break
		}
	}
	stop()
	for _, h := range s.hosts {
		h.viewer.wait()
		gap := h.viewer.gap()
		s.check("the events of "+h.live+" are numbered without a gap", gap == "", "%s", gap)
	}
	return s.finish()
}

// post makes a command by REST, under an id of its own, until its outcome is known.
func (s *stage) post(ctx context.Context, token, path string, in, out proto.Message) error {
	return s.command(ctx, token, http.MethodPost, path, in, out)
}

func (s *stage) command(ctx context.Context, token, method, path string, in, out proto.Message) error {
	id := ids.New()
	_, err := client.Repeat(ctx, func(ctx context.Context) error { return s.c.REST(ctx, token, id, method, path, in, out) })
	return err
}

// get asks by REST.
func (s *stage) get(ctx context.Context, token, path string, out proto.Message) error {
	_, err := client.Repeat(ctx, func(ctx context.Context) error {
		return s.c.REST(ctx, token, "", http.MethodGet, path, nil, out)
	})
	return err
}
