package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// Services are frozen, killed and cut off from what they need: each is found, and nothing is once it is mended.
func TestDoctorFindsWhatIsHarmed(t *testing.T) {
	t.Parallel()
	p := newProcesses(t)
	writer := p.startBattle(p.battleAddr)
	follower := p.startBattle(freeAddr(t))
	p.startCohost()
	score := p.startScore()
	p.recovers()
	p.connect("red", "blue")

	follower.freeze()
	if r := p.awaits([]string{"silent-replica"}); len(r.Findings) != 1 || !strings.Contains(r.Findings[0].What, "battle") {
		t.Errorf("a frozen replica: %+v", r)
	}
	follower.thaw()
	p.recovers()

	b := p.fight("red", "blue", &battlev1.BattleConfig{DurationSeconds: 2}, 0)
	p.reaches(b, battlev1.Battle_RUNNING)
	score.kill()
	r := p.awaits([]string{"settlement", "no-replica", "no-writer"})
	if s := r.of("settlement"); len(s) != 1 || s[0].What != b || s[0].Seconds <= 5 {
		t.Errorf("the settlement: %+v", s)
	}
	if len(r.of("no-writer")) != partitions {
		t.Errorf("logs without a writer: %+v", r.of("no-writer"))
	}
	p.startScore()
	p.reaches(b, battlev1.Battle_ENDED)
	p.recovers()

	p.redis.Close()
	p.awaits([]string{"redis"})
	if err := p.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	p.recovers()

	p.narrow("SCORE_00", func(c *natsjs.StreamConfig, s natsjs.StreamState) { c.MaxBytes = int64(s.Bytes) * 100 / 95 })
	if r := p.awaits([]string{"stream-full"}); r.Findings[0].What != "SCORE_00" {
		t.Errorf("a stream that is nearly full: %+v", r)
	}
	p.narrow("SCORE_00", func(c *natsjs.StreamConfig, _ natsjs.StreamState) { c.MaxBytes = 16 << 20 })
	p.recovers()

	// Nobody takes what is published to the log.
	p.narrow("COHOST_00", func(c *natsjs.StreamConfig, _ natsjs.StreamState) { c.Subjects = []string{"elsewhere"} })
	opened := make(chan error, 1)
	go func() {
		_, err := p.cohost.CreateLive(t.Context(), &cohostv1.CreateLiveRequest{LiveId: "late", Kind: cohostv1.Live_VIDEO, Host: &userv1.User{UserId: "late"}})
		opened <- err
	}()
	p.awaits([]string{"not-stored"})
	p.narrow("COHOST_00", func(c *natsjs.StreamConfig, _ natsjs.StreamState) { c.Subjects = []string{"log.cohost.00"} })
	if err := <-opened; err != nil {
		t.Errorf("a live that was opened meanwhile: %v", err)
	}
	p.recovers()

	b = p.fight("red", "blue", &battlev1.BattleConfig{DurationSeconds: 1}, 0)
	p.reaches(b, battlev1.Battle_RUNNING)
	writer.freeze()
	follower.freeze()
	stop := p.gifts("red")
	r = p.awaits([]string{"parked-gifts", "no-replica", "no-writer", "silent-replica"})
	if g := r.of("parked-gifts"); len(g) != 1 || !strings.HasPrefix(g[0].What, "red at ") || !strings.Contains(g[0].Detail, b) {
		t.Errorf("gifts that wait: %+v", g)
	}
	writer.thaw()
	follower.thaw()
	stop()
	p.reaches(b, battlev1.Battle_ENDED)
	p.recovers()
}

// narrow changes a stream.
func (p *processes) narrow(name string, change func(*natsjs.StreamConfig, natsjs.StreamState)) {
	p.t.Helper()
	s, err := p.js.Stream(p.t.Context(), name)
	if err == nil {
		c := s.CachedInfo().Config
		change(&c, s.CachedInfo().State)
		_, err = p.js.UpdateStream(p.t.Context(), c)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// gift sends a live a gift by NATS, and returns when there is a verdict, or ctx ends.
func (p *processes) gift(ctx context.Context, live string) error {
	data, err := protojson.Marshal(&scorev1.GiftEvent{
		EventId: ids.New(), Sender: &userv1.User{UserId: "fan"}, GiftId: "rose",
		Category: scorev1.GiftEvent_BASIC, UnitValue: 1, Count: 1, SentAt: timestamppb.Now(),
	})
	if err != nil {
		return err
	}
	m := nats.NewMsg("gifts." + live)
	m.Data = data
	m.Header.Set("Content-Type", "application/json")
	_, err = p.nc.RequestMsgWithContext(ctx, m)
	return err
}

// gifts sends gifts, one after another, until stop is called.
func (p *processes) gifts(live string) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = p.gift(ctx, live)
		}
	}()
	return func() { cancel(); <-done }
}

// A replica that is not there holds the leases, so that nobody decides what is due: each kind of it is found.
func TestDoctorFindsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	p := newProcesses(t)
	p.startBattle(p.battleAddr)
	p.startCohost()
	score := p.startScore()
	for _, pair := range []string{"a", "b", "c", "d"} {
		p.connect(pair+"1", pair+"2")
	}
	p.lives("red", "blue")
	p.recovers()

	call(p, p.cohost.RequestHostConnection, &cohostv1.RequestHostConnectionRequest{LiveId: "red", TargetLiveIds: []string{"blue"}, TimeoutSeconds: 4})
	stop := p.haunt("COHOST_00")
	r := p.awaits([]string{"no-writer", "invitation"})
	if i := r.of("invitation"); len(i) != 1 || i[0].Detail != "from live red to live blue" || i[0].Seconds <= 5 {
		t.Errorf("the invitation: %+v", i)
	}
	stop()
	p.recovers()

	after := p.fight("a1", "a2", &battlev1.BattleConfig{DurationSeconds: 1, PunishmentSeconds: 10}, 0)
	p.reaches(after, battlev1.Battle_RUNNING)
	if err := p.gift(t.Context(), "a1"); err != nil { // so that somebody wins, and somebody is punished
		t.Fatal(err)
	}
	p.reaches(after, battlev1.Battle_ENDED)
	running := p.fight("b1", "b2", &battlev1.BattleConfig{DurationSeconds: 6}, 0)
	p.reaches(running, battlev1.Battle_RUNNING)
	score.freeze()
	starting := p.fight("c1", "c2", &battlev1.BattleConfig{DurationSeconds: 6}, 0)
	requested := p.fight("d1", "d2", &battlev1.BattleConfig{DurationSeconds: 6, NeedResponse: true}, 4)
	stop = p.haunt("BATTLE_00")
	r = p.awaits([]string{"battle-request", "battle-start", "battle-end", "battle-follow-up", "no-writer", "no-replica", "silent-replica"})
	for check, id := range map[string]string{"battle-request": requested, "battle-start": starting, "battle-end": running, "battle-follow-up": after} {
		if x := r.of(check); len(x) != 1 || x[0].What != id {
			t.Errorf("%s: %+v, want %s", check, x, id)
		}
	}
	score.thaw()
	stop()
	p.recovers()
}

// haunt has a ghost hold a log's lease until stop is called.
func (p *processes) haunt(log string) (stop func()) {
	p.t.Helper()
	leases, err := p.js.KeyValue(p.t.Context(), "LEASES")
	if err != nil {
		p.t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			_, _ = leases.Put(p.t.Context(), log, []byte("ghost"))
			select {
			case <-again.C:
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// Without services, and with a server that does not do what it must, everything is told; without a server nothing can be.
func TestDoctorLooksAtServers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tune func(*server.Options)
		want []string
	}{
		"nothing has ever run":    {func(*server.Options) {}, []string{"log-missing", "no-replica"}},
		"it does not sync":        {func(o *server.Options) { o.SyncAlways = false }, []string{"nats-server", "log-missing", "no-replica"}},
		"it has no JetStream":     {func(o *server.Options) { o.JetStream = false }, []string{"nats-server", "log-unreadable", "no-replica"}},
		"its monitor is not told": {nil, []string{"log-missing", "no-replica"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := natsd.Start(natsd.Options{Dir: t.TempDir(), MonitorAddr: "127.0.0.1:0", Tune: row.tune})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Shutdown)
			line := "doctor --json --nats-url " + s.ClientURL()
			if row.tune != nil {
				line += " --nats-monitor-url " + s.MonitorURL()
			}
			code, out, complaints := execute(strings.Fields(line)...)
			var report doctorReport
			if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitFailed {
				t.Fatalf("exit code %d, %v: %s%s", code, err, out, complaints)
			}
			for _, check := range row.want {
				if len(report.of(check)) == 0 {
					t.Errorf("%s is not found: %s", check, out)
				}
			}
		})
	}
	for line, why := range map[string]string{
		"doctor --nats-url nats://127.0.0.1:1":   "connect to NATS",
		"doctor --partitions 0":                  "--partitions",
		"doctor --nats-url nats://10.1.2.3:4222": "--key and --secret are needed",
	} {
		if code, _, complaints := execute(strings.Fields(line)...); code != exitBlind || !strings.Contains(complaints, why) {
			t.Errorf("%s: exit code %d: %s", line, code, complaints)
		}
	}
}

// On a stack in which all is well nothing is found, also right after battles; and a host is told nothing.
func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	a := stack(t)
	for range 2 {
		if code, out, complaints := execute("demo", "--url", a.HTTP, "--grpc", a.GRPC, "--nats", a.NATS, "--duration", "1"); code != 0 {
			t.Fatalf("demo: exit code %d: %s%s", code, out, complaints)
		}
		if code, out, complaints := execute("doctor", "--nats-url", a.NATS); code != 0 || out != "nothing looks stuck\n" {
			t.Fatalf("exit code %d: %s%s", code, out, complaints)
		}
	}
	_, token, _ := execute("token", "create", "--key", a.Key, "--secret", a.Secret, "--user", "ann", "--live", "red", "--role", "host")
	if code, _, complaints := execute("doctor", "--nats-url", a.NATS, "--token", strings.TrimSpace(token)); code != exitBlind || !strings.Contains(complaints, "PERMISSION_DENIED") {
		t.Errorf("a host: exit code %d: %s", code, complaints)
	}
}
