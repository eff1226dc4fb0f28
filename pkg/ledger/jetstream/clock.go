package jetstream

import (
	"context"
	"fmt"
	"time"
)

// Time implements ledger.Clock: the time of the server that answers for the log's stream.
func (l *Log) Time(ctx context.Context) (time.Time, error) {
	stream, err := l.js.Stream(ctx, l.name)
	if err != nil {
		return time.Time{}, err
	}
	at := stream.CachedInfo().TimeStamp
	if at.IsZero() {
		return time.Time{}, fmt.Errorf("stream %s: the server does not say what time it is", l.name)
	}
	return at, nil
}
