package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// refold has new replicas, which know nothing but the logs, fold them on one processor and on two: they must say the same,
// byte for byte, as the stack that has decided it all.
func (r *record) refold(t testing.TB, found map[string]any, battles []string) {
	t.Helper()
	whole := r.s.conn
	want := r.told(t, battles, whole, whole, whole)
	differ := 0
	for _, procs := range []int{1, 2} {
		dir := t.TempDir()
		cohost := r.replica(t, dir, procs, "cohost", "--battle", "dns:///127.0.0.1:1")
		battle, score := cohost, cohost // not asked
		if len(battles) > 0 {
			battle = r.replica(t, dir, procs, "battle")
			score = r.replica(t, dir, procs, "score", "--battle", battle.Target(), "--redis-url", "redis://127.0.0.1:1")
		}
		if got := r.told(t, battles, cohost, battle, score); !bytes.Equal(got, want) {
			differ++
			t.Errorf("folded again on %d processors: %s", procs, difference(want, got))
		}
	}
	found["refolded_bytes"], found["refolds_that_differ"] = len(want), differ
}

// told is all that services say of what was recorded, in one canonical form.
func (r *record) told(t testing.TB, battles []string, cohost, battle, score *grpc.ClientConn) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.s.backend(t).in(t.Context()), 4*patience)
	defer cancel()
	var out bytes.Buffer
	say := func(what string, m proto.Message, err error) {
		if err != nil && unknown(err) {
			t.Fatalf("%s: %v", what, err)
		}
		if refusal, ok := rpc.Refusal(err); ok {
			fmt.Fprintf(&out, "%s: %s\n", what, refusal.Reason)
			return
		}
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		fmt.Fprintf(&out, "%s: %x %v\n", what, raw, err)
	}
	for _, live := range r.lives() {
		l, err := cohostv1.NewCohostServiceClient(cohost).GetLive(ctx, &cohostv1.GetLiveRequest{LiveId: live})
		say("live "+live, l, err)
		s, err := cohostv1.NewCohostServiceClient(cohost).GetCoHostState(ctx, &cohostv1.GetCoHostStateRequest{LiveId: live})
		if err == nil {
			s.State.ServerNow = nil
		}
		say("state of "+live, s, err)
	}
	for _, id := range battles {
		b, err := battlev1.NewBattleServiceClient(battle).GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: id})
		if err == nil {
			b.Battle.ServerNow = nil
		}
		say("battle "+id, b, err)
		s, err := scorev1.NewScoreServiceClient(score).GetBattleScores(ctx, &scorev1.GetBattleScoresRequest{BattleId: id})
		if err == nil {
			s.Scores.ServerNow, s.Scores.Seq = nil, ""
		}
		say("scores of "+id, s, err)
		p, err := scorev1.NewScoreServiceClient(score).ReplayBattle(ctx, &scorev1.ReplayBattleRequest{BattleId: id})
		say("replay of "+id, p, err)
	}
	seen := make(map[check.GiftID]bool)
	for _, g := range r.gifts {
		if seen[g.GiftID] || len(seen) == 10_000 { // totals hold the others
			continue
		}
		seen[g.GiftID] = true
		v, err := scorev1.NewScoreServiceClient(score).GetGift(ctx, &scorev1.GetGiftRequest{LiveId: g.Live, EventId: g.Event})
		say("gift "+g.Live+" "+g.Event, v, err)
	}
	return out.Bytes()
}

// lives that commands were for, in the order of their first.
func (r *record) lives() (lives []string) {
	seen := make(map[string]bool)
	for _, o := range r.ops {
		if !seen[o.Live] {
			seen[o.Live] = true
			lives = append(lives, o.Live)
		}
	}
	return lives
}

// difference is the first line that is not the same.
func difference(want, got []byte) string {
	w, g := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := range min(len(w), len(g)) {
		if !bytes.Equal(w[i], g[i]) {
			return fmt.Sprintf("%.300s | %.300s", w[i], g[i])
		}
	}
	return "one says more"
}

// replica runs one more replica of a service until the test ends, once it has folded the logs.
func (r *record) replica(t testing.TB, dir string, procs int, service string, args ...string) *grpc.ClientConn {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := lis.Addr().String()
	if err := lis.Close(); err != nil {
		t.Fatal(err)
	}
	log := new(tail)
	cmd := exec.Command(binary, append([]string{
		service, "--grpc", addr, "--nats-url", r.s.NATS, "--unsafe-no-fsync", "--keys", r.s.Key + "=" + r.s.Secret,
	}, args...)...)
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			if strings.HasPrefix(scanner.Text(), "ready ") {
				close(ready)
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
			t.Errorf("%s does not stop: %s", service, log)
		}
	})
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("%s ended: %s", service, log)
	case <-time.After(patience):
		t.Fatalf("%s is not ready: %s", service, log)
	}
	conn, err := rpc.Dial(addr, rpc.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
