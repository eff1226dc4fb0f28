package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Connect connects to a server and stays connected: it tries for ever. While there is no connection a publish fails at
// once; nothing is buffered, so nothing is sent that its caller has given up on. onClosed, if not nil, is told when the
// connection is closed for good, with the reason if it was not the program itself that closed it.
func Connect(url, name string, log *slog.Logger, onClosed func(error), more ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect(url, append(clientOptions(name, log, onClosed), more...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", url, err)
	}
	return nc, nil
}

func clientOptions(name string, log *slog.Logger, onClosed func(error)) []nats.Option {
	log = log.With("connection", name)
	return []nats.Option{
		nats.Name(name),
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("disconnected from NATS", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("connected to NATS again", "server", nc.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Error("error on the NATS connection", "subject", subject, "error", err)
		}),
		nats.ClosedHandler(func(nc *nats.Conn) {
			if onClosed != nil {
				onClosed(nc.LastError())
			}
		}),
	}
}

// ErrNotSynced says that a server acknowledges messages before they are on disk.
var ErrNotSynced = errors.New("the NATS server acknowledges messages before they are on disk, so a power cut loses what was acknowledged: " +
	"set `jetstream { sync_interval: always }` in its configuration, or pass --unsafe-no-fsync to accept the loss")
