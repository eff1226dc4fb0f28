//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Link is the way by which one part reaches another: a proxy in the harness that can be made to harm what passes.
type Link struct {
	From, To string

	proxy *toxiproxy.Proxy
	mu    sync.Mutex
	cuts  int
}

// toxicTime bounds every change of a link; one takes microseconds unless the proxy hangs.
const toxicTime = 10 * time.Second

// newLinks returns a maker of links.
func newLinks() func(from, to, listen, upstream string) (*Link, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	return func(from, to, listen, upstream string) (*Link, error) {
		l := &Link{From: from, To: to, proxy: toxiproxy.NewProxy(server, from+" "+to, listen, upstream)}
		return l, l.within(l.listen)
	}
}

// Address is where From reaches To.
func (l *Link) Address() string { return l.proxy.Listen }

// Cut closes the connections of the link and refuses new ones, until the returned function is called.
func (l *Link) Cut() (heal func() error, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts++
	if l.cuts == 1 {
		l.proxy.Stop()
	}
	return func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cuts--
		if l.cuts > 0 {
			return nil
		}
		return l.within(l.listen)
	}, nil
}

// listen starts the proxy. A process that is being started right now has a copy of the closed listener until it runs its program.
func (l *Link) listen(ctx context.Context) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := l.proxy.Start()
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Drop loses what is sent in both directions, without a word to either side, until the returned function is called. Connections that have lost something are closed then.
func (l *Link) Drop() (heal func() error, err error) {
	return l.poison(`{"type": "timeout", "stream": "upstream"}`, `{"type": "timeout", "stream": "downstream"}`)
}

// DropAnswers loses what comes back: To gets and does what is asked, From never hears of it.
func (l *Link) DropAnswers() (heal func() error, err error) {
	return l.poison(`{"type": "timeout", "stream": "downstream"}`)
}

// Reset ends each connection in the middle of what is being sent.
func (l *Link) Reset() (heal func() error, err error) {
	return l.poison(`{"type": "reset_peer", "stream": "upstream"}`, `{"type": "reset_peer", "stream": "downstream"}`)
}

// Delay delays both directions, each by about half of d.
func (l *Link) Delay(d time.Duration) (heal func() error, err error) {
	half := d.Milliseconds() / 2
	const toxic = `{"type": "latency", "stream": %q, "attributes": {"latency": %d, "jitter": %d}}`
	return l.poison(fmt.Sprintf(toxic, "upstream", half, half/4), fmt.Sprintf(toxic, "downstream", half, half/4))
}

// toxicNames makes names of toxics, which one link may have several of.
var toxicNames atomic.Uint64

func (l *Link) poison(toxics ...string) (heal func() error, err error) {
	var names []string
	heal = func() error {
		return l.within(func(ctx context.Context) error {
			for _, name := range names {
				if err := l.proxy.Toxics.RemoveToxic(ctx, name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = l.within(func(context.Context) error {
		for _, toxic := range toxics {
			name := fmt.Sprintf("%d", toxicNames.Add(1))
			toxic = fmt.Sprintf(`{"name": %q, %s`, name, strings.TrimPrefix(toxic, "{"))
			if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	return heal, err
}

func (l *Link) within(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), toxicTime)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("link %s to %s: %w", l.From, l.To, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the proxy from %s to %s hangs", l.From, l.To)
	}
}
