package jetstream

import "context"

// Seal takes the step after a last group alone: its stream is sealed.
func (l *Log) Seal(ctx context.Context) error {
	if _, err := l.Head(ctx); err != nil {
		return err
	}
	_, err := l.seal(ctx, l.newest())
	return err
}

// GoOn takes all steps: the next stream is created.
func (l *Log) GoOn(ctx context.Context) error {
	if _, err := l.Head(ctx); err != nil {
		return err
	}
	return l.goOn(ctx, l.newest())
}

// GoOnUnsealed creates the next stream although the one before is not sealed: so it looks to a server that has not heard
// of the seal yet.
func (l *Log) GoOnUnsealed(ctx context.Context) (subject string, err error) {
	last, err := l.Head(ctx)
	if err != nil {
		return "", err
	}
	next := named(l.name, l.subject, l.newest().Number+1)
	next.First = last + 1
	_, err = openStream(ctx, l.js, next.config(StreamConfig("", "", 1)))
	return next.Subject, err
}
