package partition

import (
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
	"github.com/faceoff-live/faceoff/services/score/internal/view"
)

// Viewed is the view of a partition in Redis as an effect of the partition.
type Viewed struct{ *view.View }

// NewViewed makes the view of a partition; see view.New.
func NewViewed(p *Partition, client redis.UniversalClient, expire time.Duration, log *slog.Logger) Viewed {
	return Viewed{view.New(client, p.Number(), rows{p}, expire, log)}
}

// Committed implements Effect: it marks what has changed.
func (v Viewed) Committed(g ledger.Group[score.Event]) {
	for _, e := range g.Events {
		battle, live, ok := Concerns(e.Event)
		if !ok {
			continue
		}
		user := ""
		if d, ok := e.Event.(score.GiftDecided); ok {
			user = d.Gift.Sender.ID
		}
		v.Mark(view.Key{BattleID: battle, LiveID: live}, user)
	}
}

// rows is a partition as a view.Source.
type rows struct{ p *Partition }

// Rows implements view.Source.
func (r rows) Rows() (keys []view.Key) {
	r.p.View(func(s *score.State, _ Place) {
		for b := range s.Unfinished() {
			keys = appendKeys(keys, b)
		}
		for b := range s.Recent() {
			keys = appendKeys(keys, b)
		}
	})
	return keys
}

// Open implements view.Source.
func (r rows) Open(most int) (keys []view.Key) {
	r.p.View(func(s *score.State, _ Place) {
		for b := range s.Unfinished() { // in no order
			for _, room := range b.Rooms {
				if len(keys) == most {
					return
				}
				if room.Phase == score.Open {
					keys = append(keys, view.Key{BattleID: room.BattleID, LiveID: room.LiveID})
				}
			}
		}
	})
	return keys
}

func appendKeys(keys []view.Key, b *score.Battle) []view.Key {
	for _, r := range b.Rooms {
		keys = append(keys, view.Key{BattleID: r.BattleID, LiveID: r.LiveID})
	}
	return keys
}

// Row implements view.Source.
func (r rows) Row(k view.Key, users map[string]struct{}) (row view.Row, ok bool) {
	r.p.View(func(s *score.State, at Place) {
		room := s.Battle(k.BattleID).Room(k.LiveID)
		if room == nil || room.Phase == score.Tombstoned {
			return
		}
		row = view.Row{
			Key: k, UserID: room.Host().ID, Partition: r.p.Number(), Seq: at.Seq, Index: at.Index,
			Total: s.Tally(room).Total, Status: lifeStatus(room.Phase), Running: r.running(room),
			Gifters: make(map[string]int64),
		}
		for _, p := range room.Participants {
			row.Lives = append(row.Lives, p.LiveID)
		}
		if users == nil {
			for g := range s.Gifters(room) {
				row.Gifters[g.User.ID] = g.Points
			}
		}
		for u := range users {
			if g, ok := s.Gifter(room, u); ok {
				row.Gifters[u] = g.Points
			}
		}
		ok = true
	})
	return row, ok
}

// running is the battle's status while not all of its lives are closed.
func (r rows) running(room *score.Room) string {
	now := r.p.bound().Now()
	switch {
	case !now.Before(room.EndsAt):
		return "SETTLING"
	case room.Started || !now.Before(room.StartsAt):
		return "RUNNING"
	default:
		return "STARTING"
	}
}

func lifeStatus(p score.Phase) string {
	switch p {
	case score.Closed:
		return "CLOSED"
	case score.Void:
		return "VOID"
	default:
		return "OPEN"
	}
}
