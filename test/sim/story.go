package sim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

// journal keeps what happens to replicas and what they log, for the story of a run that fails.
type journal struct {
	start time.Time

	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) note(who, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(&j.lines, "%10.4f %-12s ", time.Since(j.start).Seconds(), who)
	fmt.Fprintf(&j.lines, format, args...)
	j.lines.WriteByte('\n')
}

// logger is a replica's logger. Errors are findings as well, but for those that faults bring.
type logger struct {
	w    *world
	who  string
	log  string // that it is about
	with string
}

func (l *logger) Enabled(_ context.Context, at slog.Level) bool { return at >= slog.LevelInfo }
func (l *logger) WithGroup(string) slog.Handler                 { return l }

func (l *logger) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *l
	for _, a := range attrs {
		if a.Key == "log" {
			c.log = a.Value.String()
		}
		c.with += " " + a.String()
	}
	return &c
}

func (l *logger) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message + l.with)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(" " + a.String())
		return true
	})
	l.w.journal.note(l.who, "%s", b.String())
	if r.Message == "writing" { // as the ledger says it
		l.w.takeovers.began(l.log, l.who)
	}
	if r.Level >= slog.LevelError && !strings.Contains(r.Message, "waits for its settlement") && !strings.Contains(r.Message, "clock is off") {
		l.w.found("%s logs: %s", l.who, b.String())
	}
	return nil
}

// stacks are those of all goroutines of the run.
func stacks() string {
	b := make([]byte, 4<<20)
	var ours []string
	for s := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(s[:strings.IndexByte(s, '\n')+1], "synctest bubble") {
			ours = append(ours, s)
		}
	}
	return strings.Join(ours, "\n\n")
}

// story is all that is known of a run.
func (w *world) story(h *history, findings check.Findings, stacks string) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s\n", f.Class, f.Text)
	}
	fmt.Fprintf(&b, "\nReplicas\n\n%s\nCommands\n\n", w.journal.lines.Bytes())
	for _, o := range h.ops {
		fmt.Fprintf(&b, "%+v\n", o)
	}
	b.WriteString("\nGifts\n\n")
	for _, g := range h.gifts {
		fmt.Fprintf(&b, "%+v\n", g)
	}
	for name, groups := range w.groups() {
		fmt.Fprintf(&b, "\n%s\n\n", name)
		for i, raw := range groups {
			tellGroup(&b, name, i+1, raw)
		}
	}
	fmt.Fprintf(&b, "\nGoroutines when it was stuck\n\n%s\n", stacks)
	return b.String()
}

func tellGroup(b *strings.Builder, name string, seq int, raw []byte) {
	g := new(ledgerv1.Group)
	if err := proto.Unmarshal(raw, g); err != nil {
		fmt.Fprintf(b, "%d %v\n", seq, err)
		return
	}
	fmt.Fprintf(b, "%d by %s\n", seq, g.GetWriter())
	for _, d := range g.GetDecisions() {
		fmt.Fprintf(b, "\t%d %s %v\n", d.GetAtMs(), d.GetCommandId(), d.GetRefusal())
		for _, raw := range d.GetEntries() {
			var e proto.Message = new(scorev1.Entry)
			switch name {
			case cohostLog:
				e = new(cohostv1.Entry)
			case battleLog:
				e = new(battlev1.Entry)
			}
			err := proto.Unmarshal(raw, e)
			fmt.Fprintf(b, "\t\t%s %v\n", prototext.MarshalOptions{}.Format(e), err)
		}
	}
}
