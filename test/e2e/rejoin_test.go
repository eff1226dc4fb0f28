package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// awayAtMost is how long a host's process is away, in renewals: 60 s with the times of production.
const awayAtMost = 20

// TestRejoinAfterKill: the process of a host is killed in mid-battle and comes back after 0 to 20 renewals, on another device. Lost or
// not, it is in its battle again, its gifts count on, the result has all of them and is counted again from the log; what
// both processes were told is what the stream EVENTS holds; and the older device can do nothing any more.
func TestRejoinAfterKill(t *testing.T) {
	t.Parallel()
	s := shared
	rounds, atOnce := size(3, 100), make(chan struct{}, 10)
	settings, err := s.cohost.GetPresenceSettings(s.backend(t).ctx(t), &cohostv1.GetPresenceSettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var took []time.Duration
	lost, counted, events := 0, int64(0), 0
	t.Run("hosts", func(t *testing.T) {
		for i := range rounds {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				atOnce <- struct{}{}
				defer func() { <-atOnce }()
				r := rejoinRound(t, s, settings.GetSettings(), i)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, r.took)
				counted, events = counted+r.gifts, events+r.events
				if r.lost {
					lost++
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	figures(t, "rejoin", map[string]any{
		"hosts": rounds, "lost": lost, "renew_ms": settings.GetSettings().GetRenewMs(), "gifts": counted, "events": events, "back_in_battle_ms": spread(took),
	})
}

type rejoined struct {
	lost   bool
	gifts  int64 // that counted for it
	events int   // that it was told
	took   time.Duration
}

func rejoinRound(t *testing.T, s *stack, settings *cohostv1.PresenceSettings, i int) (r rejoined) {
	t.Helper()
	renew := time.Duration(settings.GetRenewMs()) * time.Millisecond
	three := together(t, s, 3)
	ann, ben := three[i%3], three[(i+1)%3]
	door := []string{host.REST, host.GRPC, host.NATS}[i/3%3]
	for _, p := range three {
		p.view = watch(t, p.host, p.live, "")
	}
	first := startClient(t, ann, "phone", door, settings)
	first.await(t, patience)
	seconds := int((awayAtMost+40)*renew/time.Second) + 10 // longer than all that follows
	id := three[0].challenges(t, object{"duration_seconds": seconds}, three[1], three[2]).battleID(t)
	started(t, ben, id)
	send := func() scorev1.GiftVerdict_Verdict {
		v := give(t, s, gift(ann.live))[0].GetVerdict()
		if v == scorev1.GiftVerdict_COUNTED {
			r.gifts++
		}
		return v
	}
	if v := send(); v != scorev1.GiftVerdict_COUNTED {
		t.Fatalf("a gift in the battle is %s", v)
	}
	<-time.After(rand.N(2 * renew))
	first.kill()
	killed, away := time.Now(), rand.N(awayAtMost*renew)
	for back := time.After(away); ; {
		select {
		case <-time.After(renew):
			send()
			continue
		case <-back:
		}
		break
	}
	second, again := startClient(t, ann, "desk", door, settings), time.Now()
	second.await(t, patience)
	r.took = time.Since(again)
	if v := send(); v != scorev1.GiftVerdict_COUNTED {
		t.Errorf("away for %v of silence, back, and a gift is %s", again.Sub(killed), v)
	}
	for _, verb := range []string{"exit", "rejoin"} {
		older(t, ann, "/v1/battles/"+id+":"+verb, object{"live_id": ann.live})
	}
	older(t, ann, "/v1/lives/"+ann.live+"/cohost:exit", object{})
	older(t, ann, "/v1/lives/"+ann.live+":heartbeat", object{"session_id": "phone"})
	send()
	s.backend(t).call(t, http.MethodPost, "/v1/battles/"+id+":end", "{}", nil)
	e := ended(t, ben, id)
	await(t, ann.view, "the end", func(m *message) (bool, bool) {
		return true, m.GetBattle().GetBattleEnded().GetBattle().GetBattleId() == id
	})
	if l := result(t, e.GetResult(), ann); l.GetExited() || l.GetScore() != r.gifts*giftPoints || l.GetProof().GetGifts() != r.gifts || l.GetRank() != 1 {
		t.Errorf("away for %v: %d gifts have counted, and it has reached %v", again.Sub(killed), r.gifts, l)
	}
	replay, err := s.score.ReplayBattle(s.backend(t).ctx(t), &scorev1.ReplayBattleRequest{BattleId: id})
	if err != nil || !replay.GetEqual() {
		t.Errorf("counted again: %v, %v", replay.GetDifferences(), err)
	}
	for _, m := range ann.view.all() {
		r.lost = r.lost || m.GetCohost().GetHostLost() != nil
	}
	// The second process was told the end as well; then all that both were told is compared.
	for end := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		told := second.all()
		if len(told) > 0 && told[len(told)-1].GetBattle().GetBattleEnded() != nil || time.Now().After(end) {
			break
		}
	}
	second.kill()
	r.events = equalsLog(t, s, ann.live, first.all()) + equalsLog(t, s, ann.live, second.all())
	if told := second.all(); !hasEnd(told, id) {
		t.Errorf("the process that came back was not told the end: %d messages", len(told))
	}
	return r
}

func hasEnd(told []*message, battle string) bool {
	for _, m := range told {
		if m.GetBattle().GetBattleEnded().GetBattle().GetBattleId() == battle {
			return true
		}
	}
	return false
}

// older checks that the device before can do nothing.
func older(t testing.TB, p *side, path string, body object) {
	t.Helper()
	device := p.host
	device.session = "phone"
	device.ask(t, http.MethodPost, path, body).is(t, errorsv1.Reason_SUPERSEDED)
}

// equalsLog checks that what was told of a live is what the stream EVENTS holds from the snapshot on, without a gap, and returns how
// many events that were.
func equalsLog(t testing.TB, s *stack, live string, told []*message) (n int) {
	t.Helper()
	js, err := jetstream.New(s.nats)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.OrderedConsumer(t.Context(), "EVENTS", jetstream.OrderedConsumerConfig{FilterSubjects: []string{"events.*.*." + live}})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	stored := make(map[string][][]byte) // by context
	next := make(map[string]int64)
	for _, m := range told {
		var context string
		var number int64
		var event proto.Message
		switch {
		case m.GetConnected() != nil && !m.GetConnected().GetRecovered():
			next["cohost"], next["battle"] = m.GetConnected().GetCohost().GetNumber(), m.GetConnected().GetBattle().GetNumber()
			continue
		case m.GetCohost() != nil:
			context, number, event = "cohost", m.GetCohost().GetNumber(), m.GetCohost()
		case m.GetBattle() != nil:
			context, number, event = "battle", m.GetBattle().GetNumber(), m.GetBattle()
		default:
			continue
		}
		for int64(len(stored[context])) < number {
			m, err := messages.Next(jetstream.NextMaxWait(patience))
			if err != nil {
				t.Fatalf("event %d of %s, that %s was told, is not stored: %v", number, context, live, err)
			}
			of := strings.Split(m.Subject(), ".")[1]
			stored[of] = append(stored[of], m.Data())
		}
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if next[context]++; number != next[context] || !bytes.Equal(raw, stored[context][number-1]) {
			t.Errorf("%s was told as event %d of %s what is not in the log: %v", live, number, context, m)
		}
		n++
	}
	return n
}

// TestRejoinNeedsTheConnection: by gRPC, and in its order.
func TestRejoinNeedsTheConnection(t *testing.T) {
	t.Parallel()
	s := shared
	three := together(t, s, 3)
	three[0].view = watch(t, three[0].host, three[0].live, "")
	id := three[0].challenges(t, object{"duration_seconds": int(lossPatience.Seconds()) + long}, three[1], three[2]).battleID(t)
	started(t, three[0], id)
	ann := three[1]
	if _, err := s.cohost.Heartbeat(ann.host.ctx(t), &cohostv1.HeartbeatRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	awaitFor(t, three[0].view, lossPatience, "CoHostUserLeft", func(m *message) (bool, bool) {
		return true, m.GetCohost().GetCoHostUserLeft().GetMember().GetLiveId() == ann.live
	})
	rejoin := func() error {
		_, err := s.battle.RejoinBattle(ann.host.ctx(t), &battlev1.RejoinBattleRequest{BattleId: id, LiveId: ann.live})
		return err
	}
	again := func() error {
		_, err := s.cohost.RejoinHostConnection(ann.host.ctx(t), &cohostv1.RejoinHostConnectionRequest{LiveId: ann.live})
		return err
	}
	refused(t, rejoin(), "CONNECTION_NOT_FOUND")
	refused(t, again(), "HOST_LOST")
	if _, err := s.cohost.Heartbeat(ann.host.ctx(t), &cohostv1.HeartbeatRequest{LiveId: ann.live}); err != nil {
		t.Fatal(err)
	}
	for _, call := range []func() error{again, rejoin, again, rejoin} { // the second time they change nothing
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	joined := await(t, three[0].view, "UserJoinBattle", func(m *message) (*battlev1.UserJoinBattle, bool) {
		e := m.GetBattle().GetUserJoinBattle()
		return e, e.GetUser().GetLiveId() == ann.live
	})
	if !joined.GetRejoined() || joined.GetUser().GetState() != battlev1.BattleUser_JOINED {
		t.Errorf("the others are told %v", joined)
	}
}
