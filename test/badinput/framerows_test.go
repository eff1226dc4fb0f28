package badinput

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/rpc"
	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// entrance is a call of every kind at every door: answered by the gateway itself, passed on by it, and at the service.
type entrance struct {
	door, method string
	streams      bool // it takes any number of messages, even none
}

// addr is where an entrance is.
func (e entrance) addr(s *stack) string {
	if e.door == "gateway" {
		return s.grpc
	}
	return s.services[e.door]
}

var entrances = []entrance{
	{door: "gateway", method: gatewayv1.GatewayService_WatchLive_FullMethodName},
	{door: "gateway", method: cohostv1.CohostService_CreateLive_FullMethodName},
	{door: "gateway", method: battlev1.BattleService_WatchLive_FullMethodName},
	{door: "gateway", method: scorev1.ScoreService_StreamGifts_FullMethodName, streams: true},
	{door: "cohost", method: cohostv1.CohostService_CreateLive_FullMethodName},
	{door: "cohost", method: cohostv1.CohostService_WatchLive_FullMethodName},
	{door: "battle", method: battlev1.BattleService_RequestBattle_FullMethodName},
	{door: "score", method: scorev1.ScoreService_SendGifts_FullMethodName},
	{door: "score", method: scorev1.ScoreService_StreamGifts_FullMethodName, streams: true},
}

// frameRows are calls that are hardly gRPC, frame by frame, at every entrance.
func frameRows() (all []row) {
	badVarint := []byte{0x0a, 0xff}
	zeroField := []byte{0x02, 0x00}
	badText := []byte{0x0a, 0x01, 0xff} // field 1, of one byte
	giftText := []byte{0x0a, 0x03, 0x0a, 0x01, 0xff}
	watch := func(b []byte) func(f *frames, e entrance) {
		return func(f *frames, e entrance) {
			if bytes.Equal(b, badText) && strings.Contains(e.method, "Gifts") {
				b = giftText
			}
			f.data(1, true, message(0, b))
		}
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 2<<20))
	_ = z.Close()

	for _, r := range []struct {
		id, name string
		headers  []string
		end      bool // with the headers
		body     func(f *frames, e entrance)
		want     []codes.Code
		http     string // 200 if empty
		other    string // what happens instead of an answer
		ours     bool   // with a reason that is ours
	}{
		{id: "G01", name: "a broken varint", body: watch(badVarint), want: []codes.Code{codes.InvalidArgument}, ours: true},
		{id: "G02", name: "text that is not UTF-8", body: watch(badText), want: []codes.Code{codes.InvalidArgument}, ours: true},
		{id: "G04", name: "field 0", body: watch(zeroField), want: []codes.Code{codes.InvalidArgument}, ours: true},
		{id: "G05", name: "one byte of nine", body: func(f *frames, _ entrance) { f.data(1, true, []byte{0, 0, 0, 0, 9, 1}) }, want: []codes.Code{codes.Internal}},
		{id: "G05", name: "half a prefix", body: func(f *frames, _ entrance) { f.data(1, true, []byte{0, 0}) }, want: []codes.Code{codes.Internal}},
		{id: "G08", name: "a message of 512 KiB and a byte", body: func(f *frames, _ entrance) { f.data(1, true, []byte{0, 0, 8, 0, 1}) }, want: []codes.Code{codes.ResourceExhausted}},
		{id: "G09", name: "a message of 4 GiB", body: func(f *frames, _ entrance) { f.data(1, true, []byte{0, 255, 255, 255, 255}) }, want: []codes.Code{codes.ResourceExhausted}},
		{id: "G10", name: "2 KiB that unpack to 2 MiB", headers: []string{"grpc-encoding", "gzip"}, body: func(f *frames, _ entrance) { f.data(1, true, message(1, bomb.Bytes())) }, want: []codes.Code{codes.ResourceExhausted, codes.Unimplemented}},
		{id: "G11", name: "gzip that is none", headers: []string{"grpc-encoding", "gzip"}, body: func(f *frames, _ entrance) { f.data(1, true, message(1, []byte("xx"))) }, want: []codes.Code{codes.Internal, codes.Unimplemented}},
		{id: "G12", name: "unknown encoding", headers: []string{"grpc-encoding", "zzz"}, body: watch(nil), want: []codes.Code{codes.Unimplemented}},
		{id: "G13", name: "compressed by nothing", body: func(f *frames, _ entrance) { f.data(1, true, message(1, nil)) }, want: []codes.Code{codes.Internal}},
		{name: "a compressed flag of 2", body: func(f *frames, _ entrance) { f.data(1, true, message(2, nil)) }, want: []codes.Code{codes.Internal}},
		{id: "G15", name: "a timeout that is none", headers: []string{"grpc-timeout", "99999999999x"}, end: true, want: []codes.Code{codes.Internal}, http: "400"},
		{id: "G22", name: "GET", headers: []string{":method", "GET"}, end: true, want: []codes.Code{codes.Internal}, http: "405"},
		{id: "G25", name: "base64 that is none", headers: []string{"x-bin", "!!!"}, end: true, want: []codes.Code{codes.Internal}, http: "400"},
		{id: "G26", name: "an upper-case header", headers: []string{"X-Note", "a"}, end: true, other: "RST_STREAM PROTOCOL_ERROR"},
		{id: "G27", name: "a connection header", headers: []string{"connection", "keep-alive"}, end: true, other: "RST_STREAM PROTOCOL_ERROR"},
		{name: "JSON", headers: []string{"content-type", "application/json"}, end: true, want: []codes.Code{codes.InvalidArgument}, http: "415"},
		{name: "JSON in gRPC", headers: []string{"content-type", "application/grpc+json"}, body: watch([]byte(`{"live_id":"a"}`)), want: []codes.Code{codes.InvalidArgument}, ours: true},
		{name: "no authority", headers: []string{":authority", ""}, end: true, want: []codes.Code{codes.Internal}, http: "400"},
	} {
		all = append(all, row{id: r.id, name: r.name, send: func(t *testing.T, s *scene) {
			for _, e := range entrances {
				f := connect(t, e.addr(s.stack))
				f.must(f.headers(1, r.end, e.method, backend(t), r.headers...))
				if !r.end {
					r.body(f, e)
				}
				o := f.outcome(1)
				switch {
				case r.other != "":
					if o.String() != r.other {
						t.Errorf("%s %s: %s, want %s", e.door, e.method, o, r.other)
					}
				case !slices.Contains(r.want, o.code) || o.reset != notReset || o.closed || o.goAway != "" || o.http != cmp.Or(r.http, "200"):
					t.Errorf("%s %s: %s, want %v", e.door, e.method, o, r.want)
				case r.ours:
					if why, ok := rpc.Refusal(o.status.Err()); !ok || why.Reason != "INVALID_ARGUMENT" {
						t.Errorf("%s %s: %s has no reason of ours", e.door, e.method, o)
					}
				}
				_ = f.conn.Close()
			}
		}})
	}
	return append(all, countRows()...)
}

// countRows have too few messages, too many, or too little time.
func countRows() []row {
	return []row{
		{id: "G06", name: "no message", send: func(t *testing.T, s *scene) {
			for _, e := range entrances {
				f := connect(t, e.addr(s.stack))
				f.must(f.headers(1, true, e.method, backend(t)))
				o := f.outcome(1)
				if good := o.code == codes.OK; good != e.streams || !good && o.code != codes.Internal && o.code != codes.InvalidArgument {
					t.Errorf("%s %s: %s", e.door, e.method, o)
				}
				_ = f.conn.Close()
			}
		}},
		{id: "G07", name: "two messages", send: func(t *testing.T, s *scene) {
			for _, e := range entrances {
				if e.streams {
					continue
				}
				f := connect(t, e.addr(s.stack))
				f.must(f.headers(1, false, e.method, backend(t)))
				f.data(1, false, message(0, nil))
				f.data(1, true, message(0, nil))
				if o := f.outcome(1); o.code != codes.Internal && o.code != codes.InvalidArgument {
					t.Errorf("%s %s: %s", e.door, e.method, o)
				}
				_ = f.conn.Close()
			}
		}},
		{id: "G16", name: "1 ns to answer, then again", writes: true, send: func(t *testing.T, s *scene) {
			g := gift("red")
			g.EventId = "g16-" + ids.New()
			body, err := proto.Marshal(&scorev1.SendGiftsRequest{Gifts: []*scorev1.GiftEvent{g}})
			if err != nil {
				t.Fatal(err)
			}
			for _, addr := range []string{s.grpc, s.services["score"]} {
				f := connect(t, addr)
				f.must(f.headers(1, false, scorev1.ScoreService_SendGifts_FullMethodName, backend(t), "grpc-timeout", "1n"))
				f.data(1, true, message(0, body))
				if o := f.outcome(1); o.code != codes.DeadlineExceeded {
					t.Errorf("%s", o)
				}
				_ = f.conn.Close()
			}
			s.give(t, g, scorev1.GiftVerdict_COUNTED)
			if v := s.give(t, g, scorev1.GiftVerdict_COUNTED); !v.GetDuplicate() {
				t.Errorf("%v", v)
			}
		}},
		{id: "G24", name: "headers of 20 KiB", send: func(t *testing.T, s *scene) {
			for _, e := range entrances {
				f := connect(t, e.addr(s.stack))
				_ = f.headers(1, true, e.method, backend(t), "x-note", strings.Repeat("x", 20<<10))
				if o := f.outcome(1); !o.closed && o.goAway == "" && o.reset == notReset {
					t.Errorf("%s %s: %s", e.door, e.method, o)
				}
				_ = f.conn.Close()
			}
		}},
		{id: "G32", name: "10 000 calls opened and reset", send: func(t *testing.T, s *scene) {
			for _, e := range entrances[:2] {
				f := connect(t, e.addr(s.stack))
				answered := make(chan string, 1)
				go func() { answered <- f.outcome(1 << 30).String() }()
				token := backend(t)
				for i := range uint32(10_000) {
					if f.headers(2*i+1, false, e.method, token) != nil || f.framer.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
						break // the server has had enough
					}
				}
				before := time.Now()
				if _, err := s.cohost.GetLive(ctx(t), &cohostv1.GetLiveRequest{LiveId: "red"}); err != nil || time.Since(before) > 5*time.Second {
					t.Errorf("another caller is answered with %v after %v", err, time.Since(before))
				}
				_ = f.conn.Close()
				<-answered
			}
		}},
		{id: "G33", name: "pings without end", send: func(t *testing.T, s *scene) {
			for _, e := range []entrance{entrances[0], entrances[4], entrances[6], entrances[7]} {
				f := connect(t, e.addr(s.stack))
				go func() {
					for f.framer.WritePing(false, [8]byte{}) == nil {
					}
				}()
				if o := f.outcome(1); !strings.HasPrefix(o.goAway, http2.ErrCodeEnhanceYourCalm.String()) {
					t.Errorf("%s: %s", e.door, o)
				}
				_ = f.conn.Close()
			}
		}},
		{name: "a frame larger than allowed", send: func(t *testing.T, s *scene) {
			for _, e := range entrances[:1] {
				f := connect(t, e.addr(s.stack))
				_ = f.framer.WriteData(1, true, make([]byte, 17<<10))
				if o := f.outcome(1); !o.closed && o.goAway == "" {
					t.Errorf("%s: %s", e.door, o)
				}
				_ = f.conn.Close()
			}
		}},
		{name: "more calls at once than allowed", send: moreCalls},
	}
}

// moreCalls: of the calls of one connection 128 are served, and the others are refused.
func moreCalls(t *testing.T, s *scene) {
	f := connect(t, s.grpc)
	for i := range uint32(200) {
		f.must(f.headers(2*i+1, false, gatewayv1.GatewayService_WatchLive_FullMethodName, backend(t)))
	}
	if o := f.outcome(2*128 + 1); o.reset != http2.ErrCodeRefusedStream {
		t.Errorf("%s", o)
	}
	for i := range uint32(128) {
		f.data(2*i+1, true, message(0, []byte{0x0a, 0x01, '*'}))
	}
	if o := f.outcome(2*127 + 1); o.code != codes.InvalidArgument {
		t.Errorf("%s", o)
	}
	_ = f.conn.Close()
}
