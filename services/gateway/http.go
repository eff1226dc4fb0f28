package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
)

// Limits of the REST listener.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 15 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 8 << 10
	// stopTimeout is for calls under way when the gateway stops.
	stopTimeout = 10 * time.Second
)

// serveHTTP is the REST listener.
func (s *Service) serveHTTP() lifecycle.Component {
	return lifecycle.Component{Name: "http", Run: func(ctx context.Context, ready func()) error {
		server := &http.Server{
			Handler:           strict(s.rest),
			ConnContext:       withConn,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			// OPTIONS * is answered by Handler like any other request, so that none is missed.
			DisableGeneralOptionsHandler: true,
			ErrorLog:                     slog.NewLogLogger(s.d.Log.Handler(), slog.LevelDebug),
		}
		stopped := make(chan error, 1)
		cancelled := context.AfterFunc(ctx, func() {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			err := server.Shutdown(limited)
			if err != nil {
				err = server.Close()
			}
			stopped <- err
		})
		ready()
		err := server.Serve(limitConnections(s.d.HTTP, s.cfg.MaxConnections))
		if cancelled() {
			return err // it failed by itself
		}
		if !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return <-stopped
	}}
}

// limitConnections closes connections above a number as they come, so that those who are connected are served on, and
// those who come are not left waiting.
func limitConnections(lis net.Listener, most int) net.Listener {
	return &limited{Listener: lis, taken: make(chan struct{}, most)}
}

type limited struct {
	net.Listener
	taken chan struct{} // one token per open connection
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.taken <- struct{}{}:
			return &conn{Conn: accepted, release: sync.OnceFunc(func() { <-l.taken })}, nil
		default:
			_ = accepted.Close()
		}
	}
}
