package view

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// FuzzPageToken: a token that is taken is written as a call writes it, and leads to the battles before that place; any
// other is refused.
func FuzzPageToken(f *testing.F) {
	for _, s := range []string{
		"", "1.0", "2.1", "zz.zz", "1", ".", "1.", ".1", "0.0", "01.0", "1.00", "A.0", "+1.0", "1.-0", "1_0.0", "3w5e11264sgsf.1z141z3", "3w5e11264sgsg.0", "1.1z141z4",
		"1.0 ", "1.0.0", "１.0",
	} {
		f.Add(s)
	}
	battles := New(time.Hour, 256)
	var places []es.Place
	for seq := uint64(1); seq <= 50; seq++ {
		g := ledger.Group[battle.Event]{Seq: seq}
		for index := range uint32(2) {
			at := es.Place{Seq: seq, Index: index}
			g.Events = append(g.Events, ledger.Placed[battle.Event]{Place: at, Event: battle.BattleRequested{BattleID: fmt.Sprint(at.Seq, at.Index)}})
			places = append(places, at)
		}
		battles.Apply(g)
	}
	f.Fuzz(func(t *testing.T, token string) {
		l, err := NewListing(Filter{}, len(places), token)
		if err != nil {
			var refusal *es.Refusal
			if !errors.As(err, &refusal) || refusal.Field != "page_token" {
				t.Fatalf("%q: %v", token, err)
			}
			return
		}
		before := l.before
		if token == "" {
			before.Seq = 1 << 63
		} else if tokenOf(before) != token || before.Seq == 0 {
			t.Fatalf("%q passes as %+v", token, before)
		}
		for !battles.Step(l) {
		}
		page, next := l.Page()
		var want []string
		for _, at := range slices.Backward(places) {
			if at.Before(before) {
				want = append(want, fmt.Sprint(at.Seq, at.Index))
			}
		}
		got := make([]string, 0, len(page))
		for _, b := range page {
			got = append(got, b.ID)
		}
		if !slices.Equal(got, want) || next != "" {
			t.Fatalf("%q: %v and then %q, want %v", token, got, next, want)
		}
	})
}
