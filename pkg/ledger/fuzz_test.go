package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// words is a machine that takes any bytes for an event.
type words struct{}

func (words) Decide(time.Time, []byte) ([][]byte, error) { return nil, nil }
func (words) Evolve(es.Place, []byte)                    {}
func (words) Due(time.Time) [][]byte                     { return nil }
func (words) NextDue() (time.Time, bool)                 { return time.Time{}, false }
func (words) Commit()                                    {}
func (words) Discard()                                   {}

// wordCodec refuses an event or a command that begins with 0xff.
type wordCodec struct{}

var errWord = errors.New("begins with 0xff")

func (wordCodec) EncodeEvent(e []byte) ([]byte, error)   { return e, nil }
func (wordCodec) EncodeCommand(c []byte) ([]byte, error) { return c, nil }
func (wordCodec) DecodeCommand(b []byte) ([]byte, error) { return wordCodec{}.DecodeEvent(b) }
func (wordCodec) DecodeEvent(b []byte) ([]byte, error) {
	if bytes.HasPrefix(b, []byte{0xff}) {
		return nil, errWord
	}
	return bytes.Clone(b), nil
}

// self is a lease of nobody; it only has a name.
type self struct{ Lease }

func (self) Self() string { return "self" }

// wire is a peer that answers a forwarded command with the same bytes always.
type wire []byte

func (wire) Serve(context.Context, string, string, func(context.Context, []byte) []byte) error {
	return nil
}

func (w wire) Forward(context.Context, string, string, []byte) ([]byte, error) { return w, nil }

func newWords(peers Peers, commit func(Group[[]byte])) *Ledger[[]byte, []byte] {
	return New(Config[[]byte, []byte]{Name: "TEST", Store: Store{Lease: self{}, Peers: peers}, Machine: words{}, Codec: wordCodec{}, OnCommit: commit})
}

func marshalled(f *testing.F, m proto.Message) []byte {
	f.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzGroup: a replica's fold and a feed read the same from any two messages of a log, or neither reads them; what they
// read is all that is there, in its places.
func FuzzGroup(f *testing.F) {
	first := marshalled(f, &ledgerv1.Group{Version: groupVersion, Writer: "w", Decisions: []*ledgerv1.Decision{
		{CommandId: "c", PayloadHash: 7, AtMs: 1_800_000_000_000, Entries: [][]byte{[]byte("a"), {}}}, {AtMs: -1, Entries: [][]byte{[]byte("b")}},
	}})
	sum := sha256.Sum256(first)
	second := &ledgerv1.Group{Version: groupVersion, Previous: sum[:], Decisions: []*ledgerv1.Decision{{CommandId: "c", Entries: [][]byte{[]byte("d")}}}}
	f.Add(first, marshalled(f, second))
	second.Previous = sum[:31]
	f.Add(first, marshalled(f, second))
	f.Add(first, marshalled(f, &ledgerv1.Group{Version: 2, Previous: sum[:]}))
	f.Add(first, marshalled(f, &ledgerv1.Group{Version: groupVersion, Previous: sum[:], Decisions: []*ledgerv1.Decision{{Entries: [][]byte{{0xff}}}}}))
	f.Add(first, marshalled(f, &ledgerv1.Group{Version: groupVersion, Previous: sum[:], Decisions: []*ledgerv1.Decision{{}}}))
	refusal := &ledgerv1.Decision_Refusal{Reason: "FULL", Detail: "no"}
	f.Add(first, marshalled(f, &ledgerv1.Group{Version: groupVersion, Previous: sum[:], Decisions: []*ledgerv1.Decision{{CommandId: "d", Refusal: refusal}, {CommandId: "e"}}}))
	f.Add(first, marshalled(f, &ledgerv1.Group{Version: groupVersion, Previous: sum[:], Decisions: []*ledgerv1.Decision{{CommandId: "d", Refusal: refusal, Entries: [][]byte{{}}}}}))
	f.Add(first, first)
	f.Add([]byte{}, []byte{0x0a})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var folded []Group[[]byte]
		l := newWords(nil, func(g Group[[]byte]) { folded = append(folded, g) })
		c := new(chain)
		for i, raw := range [][]byte{first, second} {
			before, had := c.hash, len(folded)
			read, ok, err := readGroup(c, uint64(i+1), raw, wordCodec{}.DecodeEvent)
			fault := l.fold.apply(uint64(i+1), raw)
			if (err == nil) != (fault == nil) {
				t.Fatalf("group %d: a feed says %v, the fold %v", i+1, err, fault)
			}
			if err != nil {
				if !errors.Is(err, ErrLog) || !errors.Is(fault, ErrLog) {
					t.Fatalf("group %d: %v, %v", i+1, err, fault)
				}
				return
			}
			if ok != (len(folded) == had+1) || c.hash != l.fold.chain {
				t.Fatalf("group %d: for a feed it is valid: %v, and the fold read %d", i+1, ok, len(folded)-had)
			}
			if !ok {
				continue
			}
			g := new(ledgerv1.Group)
			if err := proto.Unmarshal(raw, g); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, d := range g.GetDecisions() {
				for _, b := range d.GetEntries() {
					want := es.Place{Seq: uint64(i + 1), Index: uint32(n), At: time.UnixMilli(d.GetAtMs()).UTC(), Chain: before}
					for _, e := range []Placed[[]byte]{read.Events[n], folded[had].Events[n]} {
						if e.Place != want || !bytes.Equal(e.Event, b) {
							t.Fatalf("read %+v, want %q at %+v", e, b, want)
						}
					}
					n++
				}
			}
			if n != len(read.Events) || n != len(folded[had].Events) {
				t.Fatalf("%d events, and %d, of %d", len(read.Events), len(folded[had].Events), n)
			}
		}
	})
}

// FuzzHead: a saved head that is read is complete, and the same when it is saved again.
func FuzzHead(f *testing.F) {
	f.Add(marshalled(f, &ledgerv1.Head{Version: headVersion, Log: "TEST", Seq: 9, Chain: make([]byte, 32), Writer: "w"}))
	f.Add(marshalled(f, &ledgerv1.Head{Version: 2, Log: "TEST", Seq: 9, Chain: make([]byte, 32)}))
	f.Add(marshalled(f, &ledgerv1.Head{Version: headVersion, Log: "OTHER", Seq: 9, Chain: make([]byte, 32)}))
	f.Add(marshalled(f, &ledgerv1.Head{Version: headVersion, Log: "TEST", Chain: make([]byte, 32)}))
	f.Add(marshalled(f, &ledgerv1.Head{Version: headVersion, Log: "TEST", Seq: 9, Chain: make([]byte, 33)}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if raw == nil {
			return // nothing is saved
		}
		got, err := decodeHead("TEST", raw)
		if err != nil {
			if !errors.Is(err, ErrLog) {
				t.Fatal(err)
			}
			return
		}
		if got.seq == 0 {
			t.Fatalf("% x is taken for nothing", raw)
		}
		again, err := got.encode("TEST", "w")
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeHead("TEST", again); err != nil || back != got {
			t.Fatalf("%+v, and again %+v, %v", got, back, err)
		}
	})
}

// FuzzForwarded: whatever another replica sends gets a reply that it can read. A replica that does not write decides
// nothing: a command that can be read is unavailable, any other is malformed.
func FuzzForwarded(f *testing.F) {
	f.Add(marshalled(f, &ledgerv1.ForwardRequest{CommandId: "c", PayloadHash: 1, NotAfterMs: 1_800_000_000_000, Command: []byte("x")}))
	f.Add(marshalled(f, &ledgerv1.ForwardRequest{NotAfterMs: -1 << 63, Command: []byte{0xff}}))
	f.Add([]byte{0x0a})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := newWords(nil, nil)
		reply := new(ledgerv1.ForwardReply)
		if err := proto.Unmarshal(l.serveForwarded(t.Context(), raw), reply); err != nil {
			t.Fatal(err)
		}
		request := new(ledgerv1.ForwardRequest)
		readable := proto.Unmarshal(raw, request) == nil && !bytes.HasPrefix(request.GetCommand(), []byte{0xff})
		switch {
		case readable && reply.GetUnavailable() != nil:
		case !readable && reply.GetRefused().GetReason() == es.ReasonInvalidArgument && reply.GetRefused().GetField() == "command":
		default:
			t.Fatalf("% x, which can be read: %v, got %v", raw, readable, reply)
		}
	})
}

// FuzzReply: what another replica replies is an answer, or the outcome is not known.
func FuzzReply(f *testing.F) {
	f.Add(marshalled(f, &ledgerv1.ForwardReply{NowMs: 1_800_000_000_000, Answer: &ledgerv1.ForwardReply_Accepted_{Accepted: &ledgerv1.ForwardReply_Accepted{
		Entries: []*ledgerv1.ForwardReply_PlacedEntry{{Seq: 1, Index: 2, AtMs: 3, Chain: make([]byte, 32), Entry: []byte("x")}},
	}}}))
	f.Add(marshalled(f, &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Accepted_{Accepted: &ledgerv1.ForwardReply_Accepted{
		Entries: []*ledgerv1.ForwardReply_PlacedEntry{{Chain: make([]byte, 31), Entry: []byte{0xff}}},
	}}}))
	f.Add(marshalled(f, &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Accepted_{Accepted: &ledgerv1.ForwardReply_Accepted{Seq: 1}}}))
	f.Add(marshalled(f, refused(0, es.Invalid("f", "d"))))
	f.Add(marshalled(f, unavailable(errWord)))
	f.Add(marshalled(f, &ledgerv1.ForwardReply{Answer: &ledgerv1.ForwardReply_Later_{}}))
	f.Add([]byte{})
	f.Add([]byte{0x0a})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := newWords(wire(raw), nil)
		l.fold.applied.end() // nothing is read any more: what rests on a later state is not waited for
		res, err := l.forward(t.Context(), "other", &pending[[]byte, []byte]{id: "c", notAfter: time.Now()})
		reply := new(ledgerv1.ForwardReply)
		if proto.Unmarshal(raw, reply) != nil {
			reply.Reset()
		}
		var refusal *es.Refusal
		switch a := reply.GetAnswer().(type) {
		case *ledgerv1.ForwardReply_Accepted_:
			if err != nil {
				if !errors.Is(err, ErrUnavailable) {
					t.Fatalf("%v: %v", reply, err)
				}
				return
			}
			if res.Seq > l.Applied() || len(res.Events) != len(a.Accepted.GetEntries()) {
				t.Fatalf("%v: %+v", reply, res)
			}
			for i, e := range a.Accepted.GetEntries() {
				at := es.Place{Seq: e.GetSeq(), Index: e.GetIndex(), At: time.UnixMilli(e.GetAtMs()).UTC()}
				copy(at.Chain[:], e.GetChain())
				if res.Events[i].Place != at || !bytes.Equal(res.Events[i].Event, e.GetEntry()) || len(e.GetChain()) != len(at.Chain) {
					t.Fatalf("%v: %+v", e, res.Events[i])
				}
			}
		case *ledgerv1.ForwardReply_Refused_:
			if a.Refused.GetSeq() > l.Applied() { // it is not known yet what it rests on
				if !errors.Is(err, ErrUnavailable) {
					t.Fatalf("%v: %v", reply, err)
				}
				return
			}
			if !errors.As(err, &refusal) || refusal.Reason != a.Refused.GetReason() || refusal.Field != a.Refused.GetField() {
				t.Fatalf("%v: %v", reply, err)
			}
		case *ledgerv1.ForwardReply_Later_:
			if !errors.Is(err, es.ErrLater) {
				t.Fatalf("%v: %v", reply, err)
			}
		default:
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("%v: %v", reply, err)
			}
		}
	})
}

// snapshotOf is a sound snapshot of group 7 of the log TEST.
func snapshotOf(f *testing.F) []byte {
	f.Helper()
	var out bytes.Buffer
	w := newSnapshotWriter(f.Context(), &out)
	for _, r := range []*ledgerv1.SnapshotRecord{
		{Record: &ledgerv1.SnapshotRecord_Header{Header: &ledgerv1.SnapshotHeader{Version: snapshotVersion, Log: "TEST", Seq: 7, Chain: make([]byte, sha256.Size)}}},
		{Record: &ledgerv1.SnapshotRecord_Part{Part: &ledgerv1.AnswersPart{StartMs: 1, LastMs: 2, Size: 2}}},
		{Record: &ledgerv1.SnapshotRecord_Answer{Answer: &ledgerv1.Answer{CommandId: "a", PayloadHash: 3, Accepted: &ledgerv1.ForwardReply_Accepted{Seq: 5}}}},
		{Record: &ledgerv1.SnapshotRecord_Answer{Answer: &ledgerv1.Answer{CommandId: "b", Refusal: &ledgerv1.Decision_Refusal{Reason: "LIVE_NOT_FOUND"}}}},
		{Record: &ledgerv1.SnapshotRecord_State{State: []byte("state")}},
	} {
		if err := w.put(r); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}

// readSnapshot reads a snapshot as a replica does that starts.
func readSnapshot(raw []byte) error {
	r := newSnapshotReader(bytes.NewReader(raw))
	if _, err := r.header("TEST", 7); err != nil {
		return err
	}
	if _, err := readAnswers(r, wordCodec{}.DecodeEvent); err != nil {
		return err
	}
	for {
		if _, err := r.state(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// FuzzSnapshot: whatever bytes are kept for a snapshot, reading them ends, and takes no more memory than they account for;
// if they are sound, they are not once any bit of them is another.
func FuzzSnapshot(f *testing.F) {
	sound := snapshotOf(f)
	if err := readSnapshot(sound); err != nil {
		f.Fatal(err)
	}
	for at := range sound {
		f.Add(sound, uint(at), byte(at%8))
	}
	f.Add(sound[:len(sound)-1], uint(0), byte(0))
	f.Fuzz(func(t *testing.T, raw []byte, at uint, bit byte) {
		if readSnapshot(raw) != nil || len(raw) == 0 {
			return
		}
		other := bytes.Clone(raw)
		other[at%uint(len(raw))] ^= 1 << (bit % 8)
		if readSnapshot(other) == nil {
			t.Errorf("bit %d of byte %d is another, and the snapshot is taken for sound", bit%8, at%uint(len(raw)))
		}
	})
}
