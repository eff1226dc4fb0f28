package partition

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// MaxPartitions is what the names of the logs have room for.
const MaxPartitions = 100

// BattleLog is the name of the battle service's log.
const BattleLog = "BATTLE_00"

// Open opens, or creates, the logs of all partitions.
func (s *Set) Open(ctx context.Context, stores ledger.Stores) error {
	if err := CheckCount(ctx, stores, len(s.partitions)); err != nil {
		return err
	}
	battle := stores.Other(BattleLog)
	opened := make([]ledger.Store, len(s.partitions))
	faults := make([]error, len(s.partitions))
	var opening sync.WaitGroup
	for i := range s.partitions {
		opening.Go(func() { opened[i], faults[i] = stores.Open(ctx, LogName(i), Subject(i)) })
	}
	opening.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for i, p := range s.partitions {
		p.Bind(opened[i], battle)
	}
	return nil
}

// CheckCount refuses to run with another number of partitions than the logs were created with: lives would be looked for
// in partitions that they are not in. Nothing is written before all logs are there, so a log with entries next to one
// that is not there tells.
func CheckCount(ctx context.Context, stores ledger.Stores, count int) error {
	written, missing := "", ""
	for i := range count {
		head, exists, err := stores.Stat(ctx, LogName(i))
		switch {
		case err != nil:
			return err
		case !exists:
			missing = LogName(i)
		case head > 0:
			written = LogName(i)
		}
	}
	if written != "" && missing != "" {
		return fmt.Errorf("log %s has entries and log %s does not exist, so the logs were created with fewer partitions than %d; their number cannot be changed", written, missing, count)
	}
	if _, exists, err := stores.Stat(ctx, LogName(count)); err != nil || !exists {
		return err
	}
	return fmt.Errorf("log %s exists, so the logs were created with more partitions than %d; their number cannot be changed", LogName(count), count)
}
