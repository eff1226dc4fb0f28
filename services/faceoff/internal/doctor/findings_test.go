package doctor

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

var (
	looked = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	asked  = looked.Add(2 * time.Second)
)

// healthy is a stack in which all is well: two replicas of battle, one of score.
func healthy() Facts {
	partition := func(log, replica string, writes bool, readers ...*diagnosticsv1.Reader) *diagnosticsv1.Partition {
		return &diagnosticsv1.Partition{
			Log: log, Replica: replica, Applied: 10, Writes: writes, Now: timestamppb.New(asked),
			ClockAhead: durationpb.New(-time.Second), Storing: durationpb.New(storeLate), Readers: readers,
		}
	}
	return Facts{
		At: asked, HeadsAt: looked,
		Logs: []Log{
			{Name: "BATTLE_00", Service: "battle", Exists: true, Head: 10, Holder: "b1"},
			{Name: "SCORE_00", Service: "score", Exists: true, Head: 10, Holder: "s1"},
		},
		Streams: []Stream{{Name: "BATTLE_00", Bytes: 899, MaxBytes: 1000}},
		Replicas: []*diagnosticsv1.Diagnosis{
			{Service: "battle", ServerId: "N", ClientId: 1, Partitions: []*diagnosticsv1.Partition{partition("BATTLE_00", "b1", true)}},
			{Service: "battle", ServerId: "N", ClientId: 2, Partitions: []*diagnosticsv1.Partition{partition("BATTLE_00", "b2", false)}},
			{Service: "score", ServerId: "N", ClientId: 3, Partitions: []*diagnosticsv1.Partition{
				partition("SCORE_00", "s1", true, &diagnosticsv1.Reader{Into: "SCORE_00", Log: "BATTLE_00", Read: 10}),
			}},
		},
		Servers: []Server{{URL: "http://n", Connections: []natsd.Connected{
			{ServerID: "N", ClientID: 1, Name: "battle"},
			{ServerID: "N", ClientID: 2, Name: "battle"},
			{ServerID: "N", ClientID: 3, Name: "score"},
			{ServerID: "N", ClientID: 4, Name: "somebody else's"},
		}}},
	}
}

// partition is what a replica says of its first log.
func (f Facts) partition(replica int) *diagnosticsv1.Partition {
	return f.Replicas[replica].Partitions[0]
}

// wait has a replica say that something was due so long before it was asked.
func (f Facts) wait(replica int, kind diagnosticsv1.Waiting_Kind, id string, ago time.Duration) {
	p := f.partition(replica)
	p.Waiting = append(p.Waiting, &diagnosticsv1.Waiting{Kind: kind, Id: id, Since: timestamppb.New(asked.Add(-ago)), Calls: 3})
}

func TestFindings(t *testing.T) {
	t.Parallel()
	type found struct{ check, what string }
	found1 := func(check, what string) []found { return []found{{check, what}} }
	const b1, b2, s1 = 0, 1, 2 // replicas
	seen := make(map[string]bool)
	for name, row := range map[string]struct {
		change func(f *Facts)
		want   []found
	}{
		"all is well":             {func(*Facts) {}, nil},
		"a server does not sync":  {func(f *Facts) { f.Servers[0].Fault = "it does not" }, found1("nats-server", "http://n")},
		"a log cannot be read":    {func(f *Facts) { f.Logs[0].Fault = "no leader" }, found1("log-unreadable", "BATTLE_00")},
		"a log is missing":        {func(f *Facts) { f.Logs[0].Exists, f.Logs[0].Holder = false, "" }, found1("log-missing", "BATTLE_00")},
		"a service is not there":  {func(f *Facts) { f.Replicas = f.Replicas[:s1]; f.Servers = nil }, []found{{"no-replica", "score"}, {"no-writer", "SCORE_00"}}},
		"a replica is silent":     {func(f *Facts) { f.Replicas = append(f.Replicas[:b2:b2], f.Replicas[s1]) }, found1("silent-replica", "battle, NATS client 2")},
		"one server knows less":   {func(f *Facts) { f.Servers = append(f.Servers, Server{URL: "http://m"}) }, nil},
		"a token is not accepted": {func(f *Facts) { f.Replicas[b2].Partitions, f.Replicas[b2].Refusal = nil, "expired" }, found1("silent-replica", "battle, NATS client 2")},
		"a lease is free":         {func(f *Facts) { f.Logs[1].Holder = "" }, found1("no-writer", "SCORE_00")},
		"a holder is not there":   {func(f *Facts) { f.Logs[1].Holder = "ghost" }, found1("no-writer", "SCORE_00")},
		"a holder does not write": {func(f *Facts) { f.Logs[0].Holder = "b2" }, found1("no-writer", "BATTLE_00")},
		"a group is not stored": {
			func(f *Facts) { f.partition(s1).Storing = durationpb.New(storeLate + 1) }, found1("not-stored", "SCORE_00"),
		},
		"a stream is nearly full": {func(f *Facts) { f.Streams[0].Bytes = 900 }, found1("stream-full", "BATTLE_00")},
		"no limit is never full":  {func(f *Facts) { f.Streams[0].Bytes, f.Streams[0].MaxBytes = 900, 0 }, nil},
		"a clock is ahead": {
			func(f *Facts) { f.partition(b2).ClockAhead = durationpb.New(time.Second + 1) }, found1("clock", "battle b2"),
		},
		"a clock is behind": {
			func(f *Facts) { f.partition(b2).ClockAhead = durationpb.New(-time.Second - 1) }, found1("clock", "battle b2"),
		},
		"a follower is behind":    {func(f *Facts) { f.partition(b2).Applied = 9 }, found1("replica-behind", "BATTLE_00 at b2")},
		"a follower is ahead":     {func(f *Facts) { f.partition(b2).Applied = 11 }, nil},
		"a reader is behind":      {func(f *Facts) { f.partition(s1).Readers[0].Read = 9 }, found1("reader-behind", "SCORE_00 of BATTLE_00")},
		"behind an unknown head":  {func(f *Facts) { f.Logs[0].Fault = "?"; f.partition(s1).Readers[0].Read = 9 }, found1("log-unreadable", "BATTLE_00")},
		"an invitation is late":   {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_INVITATION, "i", late+1) }, found1("invitation", "i")},
		"a host is silent":        {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_HOST, "l", late+1) }, found1("host", "l")},
		"a lost live stays":       {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_DEPARTURE, "l", late+1) }, found1("departure", "l")},
		"an invitation is due":    {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_INVITATION, "i", late) }, nil},
		"a request is late":       {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_BATTLE_REQUEST, "b", late+1) }, found1("battle-request", "b")},
		"a start is late":         {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_BATTLE_START, "b", late+1) }, found1("battle-start", "b")},
		"an end is late":          {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_BATTLE_END, "b", late+1) }, found1("battle-end", "b")},
		"a follow-up is late":     {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_BATTLE_FOLLOW_UP, "b", late+1) }, found1("battle-follow-up", "b")},
		"a settlement takes 5 s":  {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_SETTLEMENT, "b", 5*time.Second) }, nil},
		"a settlement takes more": {func(f *Facts) { f.wait(b1, diagnosticsv1.Waiting_SETTLEMENT, "b", 5*time.Second+1) }, found1("settlement", "b")},
		"both replicas tell of it": {func(f *Facts) {
			f.wait(b1, diagnosticsv1.Waiting_SETTLEMENT, "b", late+1)
			f.wait(b2, diagnosticsv1.Waiting_SETTLEMENT, "b", late+1)
		}, found1("settlement", "b")},
		"one behind is not asked": {func(f *Facts) {
			f.partition(b2).Applied = 9
			f.wait(b2, diagnosticsv1.Waiting_SETTLEMENT, "b", late+1)
		}, found1("replica-behind", "BATTLE_00 at b2")},
		"gifts wait":      {func(f *Facts) { f.wait(s1, diagnosticsv1.Waiting_GIFTS, "l", late+1) }, found1("parked-gifts", "l at s1")},
		"gifts begin to":  {func(f *Facts) { f.wait(s1, diagnosticsv1.Waiting_GIFTS, "l", late) }, nil},
		"Redis is away":   {func(f *Facts) { f.wait(s1, diagnosticsv1.Waiting_SCORES, "", redisLate+1) }, found1("redis", "score s1")},
		"Redis hesitates": {func(f *Facts) { f.wait(s1, diagnosticsv1.Waiting_SCORES, "", redisLate) }, nil},
	} {
		f := healthy()
		row.change(&f)
		var got []found
		for _, x := range Findings(f) {
			got = append(got, found{x.Check, x.What})
			seen[x.Check] = true
			if x.Detail == "" && x.Seconds == 0 {
				t.Errorf("%s: %+v says nothing", name, x)
			}
		}
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: found %v, want %v", name, got, row.want)
		}
	}
	for _, c := range checks {
		if !seen[c.name] {
			t.Errorf("no row for the check %s", c.name)
		}
	}
}

// What is found once is not reported, and what is says for how long it has been so at least.
func TestLasting(t *testing.T) {
	t.Parallel()
	x := Finding{Check: "a", What: "x"}
	old := Finding{Check: "a", What: "old"}.took(asked.Add(-time.Hour), asked)
	got := Lasting([]Finding{x, old, {Check: "b", What: "gone"}}, []Finding{x, old, {Check: "b", What: "x"}}, asked, 2*time.Second)
	want := []Finding{{Check: "a", What: "x", Since: looked, Seconds: 2}, {Check: "a", What: "old", Since: asked.Add(-time.Hour), Seconds: 3600}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("lasting: %+v", got)
	}
}

// Every finding has a page that says what to do.
func TestRunbooks(t *testing.T) {
	t.Parallel()
	for _, c := range checks {
		path := filepath.Join("..", "..", "..", "..", "docs", "runbooks", c.runbook+".md")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
