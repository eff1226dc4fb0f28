package gift

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

func good() *scorev1.GiftEvent {
	return &scorev1.GiftEvent{
		EventId: "e.1:a-b_c", LiveId: "live-1", Sender: &userv1.User{UserId: "u@x+1", UserName: "Ünal", AvatarUrl: "https://example.org/a.png"},
		GiftId: "rose", Category: scorev1.GiftEvent_BASIC, UnitValue: 10, Count: 3, SentAt: &timestamppb.Timestamp{Seconds: 1_800_000_000, Nanos: 123_999_999},
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	g, err := Parse(good())
	if err != nil {
		t.Fatal(err)
	}
	want := Gift{LiveID: "live-1", Gift: score.Gift{
		EventID: "e.1:a-b_c", Sender: score.User{ID: "u@x+1", Name: "Ünal", AvatarURL: "https://example.org/a.png"}, GiftID: "rose",
		Category: score.Basic, UnitValue: 10, Count: 3, SentAt: time.UnixMilli(1_800_000_000_123).UTC(), Hash: g.Hash,
	}}
	if g != want || g.Hash == 0 {
		t.Errorf("got %+v, want %+v", g, want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, field string
		change      func(*scorev1.GiftEvent)
	}{
		{"no event id", "event_id", func(e *scorev1.GiftEvent) { e.EventId = "" }},
		{"long event id", "event_id", func(e *scorev1.GiftEvent) { e.EventId = strings.Repeat("x", 65) }},
		{"event id with a slash", "event_id", func(e *scorev1.GiftEvent) { e.EventId = "a/b" }},
		{"no live", "live_id", func(e *scorev1.GiftEvent) { e.LiveId = "" }},
		{"live with a dot", "live_id", func(e *scorev1.GiftEvent) { e.LiveId = "a.b" }},
		{"long live", "live_id", func(e *scorev1.GiftEvent) { e.LiveId = strings.Repeat("x", 49) }},
		{"no sender", "sender.user_id", func(e *scorev1.GiftEvent) { e.Sender = nil }},
		{"sender with a space", "sender.user_id", func(e *scorev1.GiftEvent) { e.Sender.UserId = "a b" }},
		{"long name", "sender.user_name", func(e *scorev1.GiftEvent) { e.Sender.UserName = strings.Repeat("ü", 65) }},
		{"heavy name", "sender.user_name", func(e *scorev1.GiftEvent) { e.Sender.UserName = strings.Repeat("𝄞", 65) }},
		{"script as picture", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "javascript:alert(1)" }},
		{"picture with a password", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "https://a@b/c" }},
		{"picture by http", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "http://example.org/a.png" }},
		{"picture that ends its quotes", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "https://example.org/\" onerror=\"x" }},
		{"name with a line break", "sender.user_name", func(e *scorev1.GiftEvent) { e.Sender.UserName = "a\nb" }},
		{"name that turns around", "sender.user_name", func(e *scorev1.GiftEvent) { e.Sender.UserName = "\u202e" }},
		{"sender that is a field of ours", "sender.user_id", func(e *scorev1.GiftEvent) { e.Sender.UserId = "_seq" }},
		{"picture without a host", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "https://" }},
		{"long picture", "sender.avatar_url", func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "https://" + strings.Repeat("x", 505) }},
		{"no gift id", "gift_id", func(e *scorev1.GiftEvent) { e.GiftId = "" }},
		{"no category", "category", func(e *scorev1.GiftEvent) { e.Category = 0 }},
		{"unknown category", "category", func(e *scorev1.GiftEvent) { e.Category = 6 }},
		{"negative category", "category", func(e *scorev1.GiftEvent) { e.Category = -1 }},
		{"no value", "unit_value", func(e *scorev1.GiftEvent) { e.UnitValue = 0 }},
		{"negative value", "unit_value", func(e *scorev1.GiftEvent) { e.UnitValue = -1 }},
		{"negative value of a special", "unit_value", func(e *scorev1.GiftEvent) { e.Category, e.FixedScore, e.UnitValue = scorev1.GiftEvent_SPECIAL, 1, -1 }},
		{"huge value", "unit_value", func(e *scorev1.GiftEvent) { e.UnitValue = MaxValue + 1 }},
		{"negative count", "count", func(e *scorev1.GiftEvent) { e.Count = -1 }},
		{"huge count", "count", func(e *scorev1.GiftEvent) { e.Count = math.MaxInt64 }},
		{"fixed score of a basic", "fixed_score", func(e *scorev1.GiftEvent) { e.FixedScore = 1 }},
		{"special without a fixed score", "fixed_score", func(e *scorev1.GiftEvent) { e.Category = scorev1.GiftEvent_SPECIAL }},
		{"negative fixed score", "fixed_score", func(e *scorev1.GiftEvent) { e.Category, e.FixedScore = scorev1.GiftEvent_SPECIAL, -5 }},
		{"huge fixed score", "fixed_score", func(e *scorev1.GiftEvent) { e.Category, e.FixedScore = scorev1.GiftEvent_SPECIAL, MaxValue+1 }},
		{"no sent_at", "sent_at", func(e *scorev1.GiftEvent) { e.SentAt = nil }},
		{"sent_at that is none", "sent_at", func(e *scorev1.GiftEvent) { e.SentAt = &timestamppb.Timestamp{Nanos: -1} }},
		{"sent_at in year 10000", "sent_at", func(e *scorev1.GiftEvent) { e.SentAt = &timestamppb.Timestamp{Seconds: 253_402_300_800} }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := good()
			row.change(e)
			check(t, func() error { _, err := Parse(e); return err }, row.field)
			check(t, func() error { _, err := ParseAll([]*scorev1.GiftEvent{good(), good(), good(), e}); return err }, "gifts[3]."+row.field)
		})
	}
	check(t, func() error { _, err := ParseAll(nil); return err }, "gifts")
	check(t, func() error { _, err := ParseAll(make([]*scorev1.GiftEvent, MaxGifts+1)); return err }, "gifts")
}

func check(t *testing.T, parse func() error, field string) {
	t.Helper()
	var r *es.Refusal
	if err := parse(); !errors.As(err, &r) || r.Reason != es.ReasonInvalidArgument || r.Field != field {
		t.Errorf("got %v; want INVALID_ARGUMENT of %s", err, field)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	hash := func(change func(*scorev1.GiftEvent)) uint64 {
		e := good()
		change(e)
		g, err := Parse(e)
		if err != nil {
			t.Fatal(err)
		}
		return g.Hash
	}
	first := hash(func(*scorev1.GiftEvent) {})
	for name, change := range map[string]func(*scorev1.GiftEvent){
		"name":         func(e *scorev1.GiftEvent) { e.Sender.UserName = "other" },
		"picture":      func(e *scorev1.GiftEvent) { e.Sender.AvatarUrl = "" },
		"microseconds": func(e *scorev1.GiftEvent) { e.SentAt.Nanos = 123_000_000 },
	} {
		if hash(change) != first {
			t.Errorf("another %s makes another gift", name)
		}
	}
	for name, change := range map[string]func(*scorev1.GiftEvent){
		"event":    func(e *scorev1.GiftEvent) { e.EventId = "e2" },
		"live":     func(e *scorev1.GiftEvent) { e.LiveId = "live-2" },
		"sender":   func(e *scorev1.GiftEvent) { e.Sender.UserId = "v" },
		"gift":     func(e *scorev1.GiftEvent) { e.GiftId = "car" },
		"category": func(e *scorev1.GiftEvent) { e.Category = scorev1.GiftEvent_LIKE },
		"value":    func(e *scorev1.GiftEvent) { e.UnitValue = 11 },
		"count":    func(e *scorev1.GiftEvent) { e.Count = 4 },
		"sent_at":  func(e *scorev1.GiftEvent) { e.SentAt.Nanos = 124_000_000 },
		"shifted":  func(e *scorev1.GiftEvent) { e.Sender.UserId, e.GiftId = "u@x+1r", "ose" },
	} {
		if hash(change) == first {
			t.Errorf("another %s makes the same gift", name)
		}
	}
	if hash(func(e *scorev1.GiftEvent) { e.Count = 0 }) != hash(func(e *scorev1.GiftEvent) { e.Count = 1 }) {
		t.Error("a count of 0 does not stand for 1")
	}
}

// FuzzParse reads arbitrary bytes as a gift event: whatever passes is within all bounds.
func FuzzParse(f *testing.F) {
	b, err := proto.Marshal(good())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := new(scorev1.GiftEvent)
		if proto.Unmarshal(b, e) != nil {
			return
		}
		g, err := Parse(e)
		if err != nil {
			var r *es.Refusal
			if !errors.As(err, &r) || r.Field == "" {
				t.Fatalf("refused without naming a field: %v", err)
			}
			return
		}
		special := g.Category == score.Special
		switch {
		case g.EventID == "" || g.LiveID == "" || g.GiftID == "" || g.Sender.ID == "",
			g.Count < 1 || g.Count > MaxCount,
			g.UnitValue < 0 || g.UnitValue > MaxValue || g.UnitValue == 0 && !special,
			g.FixedScore < 0 || g.FixedScore > MaxValue || (g.FixedScore > 0) != special,
			g.Category < score.Basic || g.Category > score.Like,
			g.SentAt.Nanosecond()%1e6 != 0:
			t.Fatalf("passed: %+v", g)
		}
		if again, err := Parse(e); err != nil || again != g {
			t.Fatalf("parsed again it is %+v, %v; was %+v", again, err, g)
		}
	})
}
