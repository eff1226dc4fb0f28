package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// firstMessage bounds the wait for the first message of a stream: a snapshot or an event that is there already.
	firstMessage = 5 * time.Second
	// A stream that breaks is opened again after a wait that doubles from the shortest to the longest.
	shortestWait = 50 * time.Millisecond
	longestWait  = 2 * time.Second
)

// feed follows one live in one context, across breaks of its stream.
type feed struct {
	name string
	live string
	open opener

	// last is the number of the last event that the caller has, or has in a snapshot.
	last    int64
	receive stream
	close   context.CancelFunc
	ahead   *update // received already, and not yet returned by next
}

// errBehind says that a replica has not read as far as the caller.
var errBehind = errors.New("the replica does not know of the event yet")

// resume opens the stream so that next goes on after an event; -1 is for no event. It returns the present snapshot, and
// whether all events after that one follow; if not, they follow after the snapshot. With errBehind they do, too, but the
// snapshot is from before the event.
//
// A stream that is asked to go on after an event says nothing until there is another one. To know at once where the
// caller stands, the snapshot is asked for first: it tells the number of the last event.
func (f *feed) resume(ctx context.Context, after int64) (snapshot update, recovered bool, err error) {
	snapshot, err = f.begin(ctx, -1)
	if err != nil {
		return update{}, false, err
	}
	if !snapshot.snapshot {
		return update{}, false, fmt.Errorf("%s sent event %d where a snapshot was asked for", f.name, snapshot.number)
	}
	f.last = snapshot.number
	switch {
	case after < 0 || after == snapshot.number:
		return snapshot, after == snapshot.number, nil
	case after > snapshot.number:
		return snapshot, false, errBehind
	}
	first, err := f.begin(ctx, after)
	if err != nil {
		return update{}, false, err
	}
	if first.snapshot {
		f.last = first.number
		return first, false, nil
	}
	f.last, f.ahead = after, &first
	return snapshot, true, nil
}

// begin opens a stream in place of the one before, and returns its first message.
func (f *feed) begin(ctx context.Context, after int64) (first update, err error) {
	f.end()
	ctx, cancel := context.WithCancel(ctx)
	f.close, f.ahead = cancel, nil
	limit := time.AfterFunc(firstMessage, cancel)
	if f.receive, err = f.open(ctx, f.live, after); err == nil {
		first, err = f.receive()
	}
	if !limit.Stop() && err != nil {
		err = status.Errorf(codes.Unavailable, "%s says nothing", f.name)
	}
	return first, err
}

func (f *feed) end() {
	if f.close != nil {
		f.close()
	}
}

// next returns the event after the last one.
func (f *feed) next() (update, error) {
	for {
		var u update
		if f.ahead != nil {
			u, f.ahead = *f.ahead, nil
		} else {
			var err error
			if u, err = f.receive(); err != nil {
				return update{}, err
			}
		}
		switch {
		case u.snapshot:
			return update{}, fmt.Errorf("%s sent a snapshot among events", f.name)
		case u.number <= f.last:
			continue // part of a snapshot
		case u.number > f.last+1:
			return update{}, fmt.Errorf("%s went from event %d to %d", f.name, f.last, u.number)
		}
		f.last = u.number
		return u, nil
	}
}

// persist calls try until it succeeds, fails for good, or ctx ends; and if limit is not 0, no longer than that.
func persist(ctx context.Context, limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for wait := shortestWait; ; wait = min(2*wait, longestWait) {
		err := try()
		switch {
		case err == nil, forGood(err):
			return err
		case limit > 0 && time.Now().After(deadline):
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// forGood tells if a stream would end in the same way however often it were opened.
func forGood(err error) bool {
	switch status.Code(err) {
	case codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.Unimplemented:
		return true
	}
	return errors.Is(err, errStartAnew)
}

// pause waits for half to all of d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
