package ledgertest

import (
	"context"
	"errors"
	"sync"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// errLost is what a writer sees of a publish whose answer was lost.
var errLost = errors.New("no answer")

// Faulty is a log whose Append can be made to misbehave.
type Faulty struct {
	ledger.Log

	mu        sync.Mutex
	onNext    func(ctx context.Context, after uint64, group []byte) error
	lostReads int
}

// Append implements ledger.Log.
func (f *Faulty) Append(ctx context.Context, after uint64, group []byte) error {
	f.mu.Lock()
	next := f.onNext
	f.onNext = nil
	f.mu.Unlock()
	if next != nil {
		return next(ctx, after, group)
	}
	return f.Log.Append(ctx, after, group)
}

// Read implements ledger.Log.
func (f *Faulty) Read(ctx context.Context, seq uint64) ([]byte, error) {
	f.mu.Lock()
	lost := f.lostReads > 0
	f.lostReads = max(f.lostReads-1, 0)
	f.mu.Unlock()
	if lost {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.Log.Read(ctx, seq)
}

// LoseReads makes the next n calls of Read get no reply.
func (f *Faulty) LoseReads(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lostReads = n
}

// Next makes the next Append, and only it, do something else.
func (f *Faulty) Next(do func(ctx context.Context, after uint64, group []byte) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onNext = do
}

// LoseAnswer stores the group and says that it is not known.
func (f *Faulty) LoseAnswer(ctx context.Context, after uint64, group []byte) error {
	return errors.Join(errLost, f.Log.Append(ctx, after, group))
}

// LoseRequest does not store the group and says that it is not known.
func (f *Faulty) LoseRequest(context.Context, uint64, []byte) error {
	return errLost
}
