package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ids"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
)

// answer is what a REST call came to.
type answer struct {
	status int
	body   []byte
}

func (a actor) ask(t testing.TB, method, path string, body any) answer {
	t.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	status, got := a.rest(t, method, path, "", string(data))
	return answer{status, got}
}

type object = map[string]any

func (p *side) cohost(t testing.TB, verb string, body object) answer {
	t.Helper()
	return p.host.ask(t, http.MethodPost, "/v1/lives/"+p.live+"/cohost:"+verb, body)
}

func (p *side) asks(t testing.TB, others ...*side) answer {
	t.Helper()
	return p.cohost(t, "request", object{"target_live_ids": livesOf(others)})
}

func (p *side) challenges(t testing.TB, config object, others ...*side) answer {
	t.Helper()
	return p.host.ask(t, http.MethodPost, "/v1/battles", object{"inviter_live_id": p.live, "target_live_ids": livesOf(others), "config": config})
}

func (p *side) battle(t testing.TB, id, verb string) answer {
	t.Helper()
	return p.host.ask(t, http.MethodPost, "/v1/battles/"+id+":"+verb, object{"live_id": p.live})
}

func livesOf(sides []*side) (lives []string) {
	for _, p := range sides {
		lives = append(lives, p.live)
	}
	return lives
}

// together returns n connected lives.
func together(t testing.TB, s *stack, n int) []*side {
	t.Helper()
	all := []*side{createLive(t, s, "host", cohostv1.Live_VIDEO)}
	for len(all) < n {
		p := createLive(t, s, "host", cohostv1.Live_VIDEO)
		last := all[len(all)-1]
		if a := last.asks(t, p); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := p.cohost(t, "accept", object{"from_live_id": last.live}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		all = append(all, p)
	}
	return all
}

// tooOften repeats a call until it is refused, as one that is made too often is in the end.
func tooOften(t testing.TB, call func() answer) (last answer) {
	t.Helper()
	const callers = 8
	var mu sync.Mutex
	var all sync.WaitGroup
	end := time.Now().Add(patience)
	for range callers {
		all.Go(func() {
			for time.Now().Before(end) {
				a := call()
				mu.Lock()
				done := last.status != 0
				if a.status != http.StatusOK && !done {
					last, done = a, true
				}
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	return last
}

func aGift(live string, change object) object {
	g := object{
		"event_id": ids.New(), "live_id": live, "sender": object{"user_id": "fan"}, "gift_id": "rose", "category": "BASIC",
		"unit_value": 10, "count": 1, "sent_at": time.Now().UTC().Format(time.RFC3339Nano),
	}
	maps.Copy(g, change)
	return object{"gifts": []object{g}}
}

// refusals has, for every reason that a caller can be given, a call that is refused for it.
var refusals = map[errorsv1.Reason]func(testing.TB, *stack) answer{
	errorsv1.Reason_INVALID_ARGUMENT: func(t testing.TB, s *stack) answer {
		t.Helper()
		return s.backend(t).ask(t, http.MethodPost, "/v1/lives", object{"live_id": "no spaces", "kind": "VIDEO", "host": object{"user_id": "ann"}})
	},
	errorsv1.Reason_LIVE_EXISTS: func(t testing.TB, s *stack) answer {
		t.Helper()
		p := createLive(t, s, "ann", cohostv1.Live_VIDEO)
		return p.host.ask(t, http.MethodPost, "/v1/lives", object{"live_id": p.live, "kind": "VIDEO", "host": object{"user_id": p.user}})
	},
	errorsv1.Reason_LIVE_NOT_FOUND: func(t testing.TB, s *stack) answer {
		t.Helper()
		return s.backend(t).ask(t, http.MethodGet, "/v1/lives/nobody", nil)
	},
	errorsv1.Reason_PERMISSION_DENIED: func(t testing.TB, s *stack) answer {
		t.Helper()
		ann, ben := createLive(t, s, "ann", cohostv1.Live_VIDEO), createLive(t, s, "ben", cohostv1.Live_VIDEO)
		return ann.host.ask(t, http.MethodDelete, "/v1/lives/"+ben.live, nil)
	},
	errorsv1.Reason_UNAUTHENTICATED: func(t testing.TB, s *stack) answer {
		t.Helper()
		return actor{s: s}.ask(t, http.MethodGet, "/v1/lives", nil)
	},
	errorsv1.Reason_RATE_LIMITED: func(t testing.TB, s *stack) answer {
		t.Helper()
		p := createLive(t, s, "ann", cohostv1.Live_VIDEO)
		fan := s.actor(t, "fan-"+ids.New()[:10], p.live, auth.Audience)
		return tooOften(t, func() answer { return fan.ask(t, http.MethodGet, "/v1/lives/"+p.live, nil) })
	},
	errorsv1.Reason_CONNECTION_NOT_FOUND: func(t testing.TB, s *stack) answer {
		t.Helper()
		return createLive(t, s, "ann", cohostv1.Live_VIDEO).cohost(t, "exit", object{})
	},
	errorsv1.Reason_ALREADY_CONNECTED: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		return both[0].asks(t, both[1])
	},
	errorsv1.Reason_INVITATION_PENDING: func(t testing.TB, s *stack) answer {
		t.Helper()
		ann, ben := createLive(t, s, "ann", cohostv1.Live_VIDEO), createLive(t, s, "ben", cohostv1.Live_VIDEO)
		ann.asks(t, ben)
		return ann.asks(t, ben)
	},
	errorsv1.Reason_CONNECTED_WITH_OTHERS: func(t testing.TB, s *stack) answer {
		t.Helper()
		return createLive(t, s, "ann", cohostv1.Live_VIDEO).asks(t, together(t, s, 2)[0])
	},
	errorsv1.Reason_CONNECTION_FULL: func(t testing.TB, s *stack) answer {
		t.Helper()
		return together(t, s, 9)[4].asks(t, createLive(t, s, "tenth", cohostv1.Live_VIDEO))
	},
	errorsv1.Reason_CONNECTION_RATE_LIMITED: func(t testing.TB, s *stack) answer {
		t.Helper()
		ann, ben := createLive(t, s, "ann", cohostv1.Live_VIDEO), createLive(t, s, "ben", cohostv1.Live_VIDEO)
		for range 1000 {
			if a := ann.asks(t, ben); a.status != http.StatusOK {
				return a
			}
			ann.cohost(t, "cancel", object{"to_live_id": ben.live})
		}
		return answer{}
	},
	errorsv1.Reason_INVITATION_ENDED: func(t testing.TB, s *stack) answer {
		t.Helper()
		ann, ben := createLive(t, s, "ann", cohostv1.Live_VIDEO), createLive(t, s, "ben", cohostv1.Live_VIDEO)
		ann.asks(t, ben)
		ben.cohost(t, "reject", object{"from_live_id": ann.live})
		return ben.cohost(t, "accept", object{"from_live_id": ann.live})
	},
	errorsv1.Reason_LIVE_KIND_MISMATCH: func(t testing.TB, s *stack) answer {
		t.Helper()
		return createLive(t, s, "ann", cohostv1.Live_VIDEO).asks(t, createLive(t, s, "ben", cohostv1.Live_VOICE))
	},
	errorsv1.Reason_BATTLE_NOT_FOUND: func(t testing.TB, s *stack) answer {
		t.Helper()
		return s.backend(t).ask(t, http.MethodGet, "/v1/battles/never", nil)
	},
	errorsv1.Reason_NO_VALID_TARGET: func(t testing.TB, s *stack) answer {
		t.Helper()
		return together(t, s, 2)[0].challenges(t, nil, createLive(t, s, "eve", cohostv1.Live_VIDEO))
	},
	errorsv1.Reason_BATTLE_RATE_LIMITED: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		for range 1000 {
			a := both[0].challenges(t, object{"need_response": true}, both[1])
			if a.status != http.StatusOK {
				return a
			}
			both[0].battle(t, a.battleID(t), "cancel")
		}
		return answer{}
	},
	errorsv1.Reason_NOT_IN_BATTLE: func(t testing.TB, s *stack) answer {
		t.Helper()
		three := together(t, s, 3)
		return three[2].battle(t, three[0].challenges(t, nil, three[1]).battleID(t), "exit")
	},
	errorsv1.Reason_IN_OTHER_BATTLE: func(t testing.TB, s *stack) answer {
		t.Helper()
		three := together(t, s, 3)
		three[0].challenges(t, nil, three[1])
		return three[2].challenges(t, nil, three[1])
	},
	errorsv1.Reason_BATTLE_REQUEST_PENDING: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		both[0].challenges(t, object{"need_response": true}, both[1])
		return both[1].challenges(t, nil, both[0])
	},
	errorsv1.Reason_BATTLE_NOT_STARTED_BY_LIVE: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		return both[1].battle(t, both[0].challenges(t, object{"need_response": true}, both[1]).battleID(t), "cancel")
	},
	errorsv1.Reason_BATTLE_ALREADY_RUNNING: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		return both[0].battle(t, both[0].challenges(t, nil, both[1]).battleID(t), "cancel")
	},
	errorsv1.Reason_BATTLE_NOT_STARTED: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		return both[1].battle(t, both[0].challenges(t, object{"need_response": true}, both[1]).battleID(t), "exit")
	},
	errorsv1.Reason_BATTLE_ENDED: func(t testing.TB, s *stack) answer {
		t.Helper()
		both := together(t, s, 2)
		id := both[0].challenges(t, object{"need_response": true}, both[1]).battleID(t)
		both[1].battle(t, id, "reject")
		return both[1].battle(t, id, "accept")
	},
	errorsv1.Reason_PAYLOAD_MISMATCH: func(t testing.TB, s *stack) answer {
		t.Helper()
		id, live := ids.New(), "room-"+ids.New()[:10]
		body := `{"live_id":"` + live + `","kind":"VIDEO","host":{"user_id":"ann"}}`
		s.backend(t).rest(t, http.MethodPost, "/v1/lives", id, body)
		status, data := s.backend(t).rest(t, http.MethodPost, "/v1/lives", id, strings.Replace(body, "ann", "ben", 1))
		return answer{status, data}
	},
	errorsv1.Reason_SUPERSEDED: func(t testing.TB, s *stack) answer {
		t.Helper()
		p := createLive(t, s, "ann", cohostv1.Live_VIDEO)
		path := "/v1/lives/" + p.live + ":heartbeat"
		s.backend(t).ask(t, http.MethodPost, path, object{"session_id": "phone"})
		s.backend(t).ask(t, http.MethodPost, path, object{"session_id": "desk"})
		return s.backend(t).ask(t, http.MethodPost, path, object{"session_id": "phone"})
	},
	errorsv1.Reason_HOST_LOST: func(t testing.TB, s *stack) answer {
		t.Helper()
		ann, ben := openLives(t, s)
		ann.host.ask(t, http.MethodPost, "/v1/lives/"+ann.live+":heartbeat", object{})
		awaitFor(t, ann.view, lossPatience, "HostLost", func(m *message) (bool, bool) { return true, m.GetCohost().GetHostLost() != nil })
		return ann.asks(t, ben)
	},
	errorsv1.Reason_GIFT_NOT_FOUND: func(t testing.TB, s *stack) answer {
		t.Helper()
		p := createLive(t, s, "ann", cohostv1.Live_VIDEO)
		return s.backend(t).ask(t, http.MethodGet, "/v1/lives/"+p.live+"/gifts/never", nil)
	},
}

// rejections has, for every reason that a gift can be rejected for, a gift that is.
var rejections = map[errorsv1.Reason]object{
	errorsv1.Reason_TOO_OLD:  {"sent_at": time.Now().Add(-25 * time.Hour).UTC().Format(time.RFC3339Nano)},
	errorsv1.Reason_OVERFLOW: {"category": "ADVANCED", "unit_value": 1_000_000_000_000, "count": 1_000_000},
}

// notRefusals are reasons that no call earns by what it asks: a fault, no writer, no time. What becomes of callers then is
// tested where writers are killed.
var notRefusals = []errorsv1.Reason{
	errorsv1.Reason_REASON_UNSPECIFIED, errorsv1.Reason_INTERNAL, errorsv1.Reason_UNAVAILABLE, errorsv1.Reason_DEADLINE_EXCEEDED,
}

// Every reason is given through the public API, with its number and its status.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := shared
	for number := range errorsv1.Reason_name {
		reason := errorsv1.Reason(number)
		provoke, refusal := refusals[reason]
		change, rejection := rejections[reason]
		switch {
		case refusal:
			t.Run(reason.String(), func(t *testing.T) {
				t.Parallel()
				provoke(t, s).is(t, reason)
			})
		case rejection:
			t.Run(reason.String(), func(t *testing.T) {
				t.Parallel()
				both := together(t, s, 2)
				b := both[0].challenges(t, nil, both[1])
				started(t, &side{live: both[0].live, view: watch(t, both[0].host, both[0].live, "")}, b.battleID(t))
				a := s.backend(t).ask(t, http.MethodPost, "/v1/gifts", aGift(both[0].live, change))
				if want := fmt.Sprintf(`"reason":%q`, reason); a.status != http.StatusOK || !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), `"REJECTED"`) {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		default:
			if !slices.Contains(notRefusals, reason) {
				t.Errorf("no call here is refused for %s", reason)
			}
		}
	}
}

// is checks that a call was refused for a reason, as a problem of RFC 9457 with the number of the reference product.
func (a answer) is(t testing.TB, reason errorsv1.Reason) {
	t.Helper()
	var p struct {
		Status int    `json:"status"`
		Reason string `json:"reason"`
		Code   int32  `json:"code"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	options := protoreflect.Enum(reason).Descriptor().Values().ByNumber(reason.Number()).Options()
	number := proto.GetExtension(options, errorsv1.E_ReferenceNumber).(int32)
	code := proto.GetExtension(options, errorsv1.E_GrpcCode).(int32)
	status := runtime.HTTPStatusFromCode(codes.Code(code))
	if p.Reason != reason.String() || p.Code != number || p.Status != status || a.status != status || p.Detail == "" {
		t.Errorf("status %d: %s; want %s, code %d, status %d", a.status, a.body, reason, number, status)
	}
}

func (a answer) battleID(t testing.TB) string {
	t.Helper()
	var r struct {
		Battle struct {
			BattleID string `json:"battle_id"`
		} `json:"battle"`
	}
	if err := json.Unmarshal(a.body, &r); err != nil || r.Battle.BattleID == "" {
		t.Fatalf("no battle: %d %s", a.status, a.body)
	}
	return r.Battle.BattleID
}
