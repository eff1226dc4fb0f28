package jetstream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/ledgertest"
	"github.com/faceoff-live/faceoff/pkg/natstest"
)

// TestDamagedReplica harms what one server of three has of a log: after an orderly end, and after kill -9. Whoever leads
// then, readers see all that was acknowledged, or are told that the log is damaged.
func TestDamagedReplica(t *testing.T) {
	t.Parallel()
	const damaged = 2
	rows := []struct {
		name string
		damage
	}{
		{"none", damage{"", blocks, 0, cut(0)}},
		{"one bit in the first block", damage{"", blocks, 0, flip(0.5)}},
		{"one bit in the last block", damage{"", blocks, -1, flip(0.5)}},
		{"one bit at the end of the last block", damage{"", blocks, -1, flip(1)}},
		{"the last 37 bytes are gone", damage{"", blocks, -1, cut(37)}},
		{"the last page is zero", damage{"", blocks, -1, zeroLastPage}},
		{"the last block is gone", damage{"", blocks, -1, nil}},
		{"the first block is gone", damage{"", blocks, 0, nil}},
		{"all blocks are gone", damage{"", "msgs", 0, nil}},
		{"garbage for an index", damage{"", index, 0, garble}},
		{"one bit of the stream's configuration", damage{"", "meta.inf", 0, flip(0.5)}},
		{"the stream is gone", damage{"", "", 0, nil}},
	}
	for _, end := range []struct {
		name string
		stop func(*natstest.Processes)
	}{
		{"after an orderly end", func(c *natstest.Processes) { c.Stop(damaged) }},
		{"after kill -9", func(c *natstest.Processes) { c.Kill(damaged) }},
	} {
		t.Run(end.name, func(t *testing.T) {
			servers := natstest.StartProcesses(t, 3)
			nc := servers.Connect(0)
			s := &site{dir: servers.Dir(damaged)}
			stream := func(i int) string { return fmt.Sprintf("TEST_%02d", i) }
			for i := range rows {
				config := jetstream.StreamConfig(stream(i), "log.test_"+stream(i)[5:], 3)
				config.MaxBytes = smallBlocks
				_, err := streamsOf(t, nc).CreateStream(t.Context(), config)
				must(t, err)
				ledgertest.Fill(t, openSoon(t, nc, stream(i)), savedCommands)
			}
			end.stop(servers)
			for i, row := range rows {
				row.stream = stream(i)
				row.harm(t, s)
			}
			servers.Start(damaged)
			for i, row := range rows {
				t.Run(row.name, func(t *testing.T) {
					awaitFollowers(t, nc, stream(i))
					store := openSoon(t, nc, stream(i))
					wantWholeOrStopped(t, "before", store, savedCommands)
					before, errBefore := readAll(t, store.Log)
					lead(t, nc, stream(i), servers.Name(damaged))
					after, errAfter := readAll(t, store.Log)
					if errBefore == nil && errAfter == nil && len(after) < len(before) {
						t.Errorf("%d groups, and by the damaged server %d", len(before), len(after))
					}
					for n := range min(len(before), len(after)) {
						if !bytes.Equal(before[n], after[n]) {
							t.Errorf("group %d is another by the damaged server", n+1)
						}
					}
					wantWholeOrStopped(t, "by the damaged server", store, savedCommands)
				})
			}
		})
	}
}

// TestReplicaFromAnOlderCopy puts an older copy of all that one server of three keeps in its place.
func TestReplicaFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	const damaged = 2
	servers := natstest.StartProcesses(t, 3)
	nc := servers.Connect(0)
	fill := func(n int) {
		awaitFollowers(t, nc, "TEST_00")
		ledgertest.Fill(t, openSoon(t, nc, "TEST_00"), n)
	}
	openSoon(t, nc, "TEST_00")
	fill(savedCommands)
	servers.Kill(damaged)
	older := copySite(t, servers.Dir(damaged))
	servers.Start(damaged)
	fill(unsavedCommands)
	servers.Kill(damaged)
	must(t, os.RemoveAll(servers.Dir(damaged)))
	must(t, os.CopyFS(servers.Dir(damaged), os.DirFS(older.dir)))
	servers.Start(damaged)
	awaitFollowers(t, nc, "TEST_00")
	store := openSoon(t, nc, "TEST_00")
	wantWholeOrStopped(t, "before", store, allCommands)
	lead(t, nc, "TEST_00", servers.Name(damaged))
	wantWholeOrStopped(t, "by the server with the older copy", store, allCommands)
}

// wantWholeOrStopped starts a replica: it must know n commands, or stop.
func wantWholeOrStopped(t *testing.T, when string, s ledger.Store, n int) {
	t.Helper()
	if known, err := ledgertest.Recover(t, s); !errors.Is(err, ledger.ErrLog) && (err != nil || known != n) {
		t.Errorf("%s: %d of %d, %v", when, known, n, err)
	}
}

// readAll reads a log as a feed does.
func readAll(t *testing.T, log ledger.Log) (groups [][]byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	head, err := log.Head(ctx)
	must(t, err)
	errEnd := errors.New("end")
	err = log.Tail(ctx, 1, func(seq uint64, group []byte) error {
		if groups = append(groups, group); seq >= head {
			return errEnd
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnd):
		return groups, nil
	case errors.Is(err, ledger.ErrLog):
		return groups, err
	}
	t.Fatalf("after %d groups of %d: %v", len(groups), head, err)
	return nil, nil
}

// awaitFollowers waits until a stream's leader takes all its followers for current.
func awaitFollowers(t *testing.T, nc *nats.Conn, name string) {
	t.Helper()
	await(t, name+" has its followers", func(ctx context.Context) bool {
		stream, err := streamsOf(t, nc).Stream(ctx, name)
		if err != nil || stream.CachedInfo().Cluster == nil {
			return false
		}
		for _, r := range stream.CachedInfo().Cluster.Replicas {
			if !r.Current || r.Offline {
				return false
			}
		}
		return stream.CachedInfo().Cluster.Leader != ""
	})
}

// lead has a server lead a stream.
func lead(t *testing.T, nc *nats.Conn, name, server string) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"placement": map[string]any{"preferred": server}})
	must(t, err)
	var asked time.Time
	await(t, server+" leads "+name, func(ctx context.Context) bool {
		stream, err := streamsOf(t, nc).Stream(ctx, name)
		if err == nil && stream.CachedInfo().Cluster != nil && stream.CachedInfo().Cluster.Leader == server {
			return true
		}
		if time.Since(asked) > 3*time.Second { // an election takes its time
			asked = time.Now()
			asking, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, _ = nc.RequestWithContext(asking, "$JS.API.STREAM.LEADER.STEPDOWN."+name, request) // asked again
		}
		return false
	})
}

// openSoon opens a log and what is kept beside it, as soon as all of that has a leader.
func openSoon(t *testing.T, nc *nats.Conn, name string) (store ledger.Store) {
	t.Helper()
	stores, err := jetstream.NewStores(nc, 3)
	must(t, err)
	await(t, name+" is open", func(ctx context.Context) bool {
		store, err = stores.Open(ctx, name, "log."+strings.ToLower(name))
		return err == nil
	})
	return store
}

// await asks again until it is so.
func await(t *testing.T, what string, so func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		once, done := context.WithTimeout(ctx, 2*time.Second) // while nobody leads, what asks for a leader gets no answer
		ok := so(once)
		done()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it does not come: %s", what)
		}
	}
}
