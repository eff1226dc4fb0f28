package codec

import (
	"fmt"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/rules"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// BenchmarkGifts decides, encodes, applies and commits groups of 512 gifts, each a command of its own, by 1000 senders.
func BenchmarkGifts(b *testing.B) {
	const group = 512
	m := score.New(score.Settings{
		Partitions: 1, MaxAge: 24 * time.Hour, MaxAhead: 5 * time.Minute, LateWindow: 10 * time.Second, MaxIDs: 1 << 40,
		KeepBoards: time.Hour, Rules: rules.Book,
	})
	now := t0
	m.Evolve(es.Place{Seq: 1, At: now}, score.LiveOpened{BattleID: "battle-1", LiveID: "live-1", StartsAt: now, EndsAt: now.Add(24 * time.Hour), RuleSet: rules.Default, Participants: people})
	m.Commit()
	commands := make([]score.Command, group)
	b.ReportAllocs()
	seq := uint64(1)
	for n := 0; n < b.N; n += group {
		b.StopTimer()
		for i := range commands {
			commands[i] = score.CountGifts{LiveID: "live-1", Gifts: []score.Gift{{
				EventID: fmt.Sprintf("gift-%012d", n+i), Sender: score.User{ID: fmt.Sprintf("user-%03d", (n+i)%1000), Name: "Somebody"},
				GiftID: "rose", Category: score.Basic, UnitValue: 10, Count: 1, SentAt: now, Hash: uint64(n + i),
			}}}
		}
		b.StartTimer()
		seq++
		index := uint32(0)
		for _, c := range commands {
			events, err := m.Decide(now, c)
			if err != nil || len(events) != 1 {
				b.Fatal(events, err)
			}
			if _, err := (Codec{}).EncodeEvent(events[0]); err != nil {
				b.Fatal(err)
			}
			m.Evolve(es.Place{Seq: seq, Index: index, At: now}, events[0])
			index++
		}
		m.Commit()
	}
}
