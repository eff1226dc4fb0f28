package badinput

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/faceoff-live/faceoff/pkg/ids"
)

// restRows are requests that are HTTP, but not what the API speaks.
func restRows() (all []row) {
	good := live(`"user_name":"U"`)
	get := func(path string, headers ...string) call {
		return call{method: http.MethodGet, path: path, headers: headers}
	}
	post := func(body string, headers ...string) call {
		return call{path: "/v1/lives", body: body, headers: headers}
	}
	gifts := func(value string) call { return call{path: "/v1/gifts", body: give("e1", `"unit_value":`+value)} }
	host := func(fields string) call { return post(live(fields)) }
	hs256 := jwt.SigningMethodHS256
	for _, r := range []struct {
		id, name string
		call     call
		status   int
		field    string // that the answer names
		reason   string // that of the status if empty
	}{
		{id: "R04", name: "an array", call: post(`[]`), status: 400},
		{id: "R05", name: "a word after the document", call: post(good + ` trailing`), status: 400},
		{id: "R05", name: "a letter after the document", call: post(`{}x`), status: 400},
		{id: "R06", name: "two documents", call: post(good + good), status: 400},
		{id: "R09", name: "unknown field", call: post(`{"live_id":"new","isAdmin":true}`), status: 400, field: "isAdmin"},
		{id: "R09", name: "unknown field, nested", call: host(`"role":"admin"`), status: 400, field: "host.role"},
		{id: "R10", name: "20 000 brackets", call: post(strings.Repeat("[", 20_000)), status: 400},
		{id: "R11", name: "5 000 objects", call: post(strings.Repeat(`{"host":`, 5_000) + "1" + strings.Repeat("}", 5_000)), status: 400},
		{id: "R12", name: "64 KiB and a byte", call: post(`{"live_id":"new"` + strings.Repeat(" ", 64<<10-15) + `}`), status: 413},
		{id: "R12", name: "1 MiB", call: post(`{"live_id":"` + strings.Repeat("a", 1<<20) + `"}`), status: 413},
		{id: "R12", name: "1 MiB of gifts", call: call{path: "/v1/gifts", body: `{"gifts":[` + strings.Repeat(" ", 1<<20) + `]}`}, status: 413},
		{id: "R15", name: "content encoding", call: post(good, "Content-Encoding: gzip"), status: 415},
		{id: "R16", name: "text/plain", call: post(good, "Content-Type: text/plain"), status: 415},
		{id: "R16", name: "a form", call: post("live_id=a", "Content-Type: application/x-www-form-urlencoded"), status: 415},
		{id: "R16", name: "no content type", call: post(good, "Content-Type: "), status: 415},
		{id: "R17", name: "UTF-16", call: post(good, "Content-Type: application/json; charset=utf-16"), status: 415},
		{id: "R18", name: "byte order mark", call: post("\ufeff" + good), status: 400},
		{name: "bad UTF-8", call: post("{\"live_id\":\"\xff\"}"), status: 400},
		{name: "half a surrogate pair", call: host(`"user_name":"\ud800"`), status: 400},
		{name: "null", call: post(`null`), status: 400},
		{name: "nothing", call: post(``), status: 400, field: "live_id"},
		{name: "the same field twice", call: post(`{"live_id":"new","liveId":"b"}`), status: 400, field: "liveId"},
		{name: "unknown enum value", call: post(`{"live_id":"new","kind":"HOLOGRAM"}`), status: 400, field: "kind"},
		{name: "body against path", call: call{path: "/v1/lives/red/cohost:accept", body: `{"live_id":"b","from_live_id":"c"}`}, status: 400, field: "live_id"},
		{name: "a GET with a body", call: call{method: "GET", path: "/v1/lives/red", body: `{}`}, status: 400},

		{id: "R25", name: "2^63", call: gifts(`9223372036854775808`), status: 400, field: "gifts[0].unit_value"},
		{name: "a fraction", call: gifts(`1.5`), status: 400, field: "gifts[0].unit_value"},
		{id: "R30", name: "true", call: gifts(`true`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "hexadecimal", call: gifts(`"0x10"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "underscore", call: gifts(`"1_000"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "blank", call: gifts(`" 1"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "plus", call: gifts(`"+1"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "leading zero", call: gifts(`"01"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R31", name: "Arabic digits", call: gifts(`"١٢"`), status: 400, field: "gifts[0].unit_value"},
		{id: "R32", name: "no event id", call: call{path: "/v1/gifts", body: give("", `"unit_value":1`)}, status: 400, field: "gifts[0].event_id"},

		{id: "R37", name: "long key", call: post(good, "Idempotency-Key: "+strings.Repeat("k", 256)), status: 400, field: "Idempotency-Key"},
		{name: "a key with a blank", call: post(good, "Idempotency-Key: a b"), status: 400, field: "Idempotency-Key"},

		{id: "R39", name: "escaped slashes", call: get("/v1/battles/..%2f..%2fadmin"), status: 400, field: "battle_id"},
		{id: "R39", name: "escaped dots", call: get("/v1/battles/%2e%2e"), status: 400, field: "battle_id"},
		{id: "R39", name: "escaped twice", call: get("/v1/battles/a%252fb"), status: 400, field: "battle_id"},
		{id: "R40", name: "NUL", call: get("/v1/battles/%00"), status: 400, field: "battle_id"},
		{id: "R40", name: "not UTF-8", call: get("/v1/battles/%ff"), status: 404},
		{id: "R40", name: "a parameter that is not UTF-8", call: get("/v1/battles?live_id=%ff"), status: 400},
		{id: "R41", name: "blank", call: get("/v1/battles/a%20b"), status: 400, field: "battle_id"},
		{id: "R42", name: "wildcard", call: get("/v1/battles/*"), status: 400, field: "battle_id"},
		{id: "R42", name: "tail wildcard", call: get("/v1/battles/%3E"), status: 400, field: "battle_id"},
		{id: "R43", name: "doubled slashes", call: get("//v1//battles/x"), status: 404},
		{id: "R43", name: "trailing slash", call: get("/v1/battles/"), status: 404},
		{id: "R43", name: "dots", call: get("/v1/battles/x/../y"), status: 404},
		{id: "R44", name: "PUT", call: call{method: "PUT", path: "/v1/lives", body: good}, status: 405},
		{name: "method override", call: call{path: "/v1/lives/red", headers: []string{"X-HTTP-Method-Override: DELETE"}}, status: 405},
		{name: "unknown parameter", call: get("/v1/lives?page_sice=3"), status: 400, field: "page_sice"},
		{name: "a parameter of a POST", call: call{path: "/v1/lives?live_id=a", body: good}, status: 400, field: "live_id"},
		{name: "parameter against path", call: get("/v1/lives/red?live_id=b"), status: 400, field: "live_id"},
		{name: "no number", call: get("/v1/lives?page_size=abc"), status: 400, field: "page_size"},
		{name: "a parameter twice", call: get("/v1/lives?page_size=1&page_size=2"), status: 400, field: "page_size"},
		{name: "out of range", call: get("/v1/lives?page_size=1001"), status: 400, field: "page_size"},
		{name: "no such live", call: get("/v1/lives/never-was"), status: 404, reason: "LIVE_NOT_FOUND"},
		{name: "no such battle", call: get("/v1/battles/never-was"), status: 404, reason: "BATTLE_NOT_FOUND"},
		{name: "no such gift", call: get("/v1/lives/never-was/gifts/g"), status: 404, reason: "GIFT_NOT_FOUND"},
		{name: "malformed query", call: get("/v1/lives?a=%zz"), status: 400},
		{name: "a page token of lives that nobody gave", call: get("/v1/lives?page_token=a.b"), status: 400, field: "page_token"},
		{name: "a page token of battles that nobody gave", call: get("/v1/battles?page_token=-1.z"), status: 400, field: "page_token"},

		{id: "R58", name: "no token", call: get("/v1/lives/red", "Authorization: "), status: 401},
		{id: "R58", name: "no token and a bad body", call: post(`[`, "Authorization: "), status: 401},
		{id: "R59", name: "Basic", call: get("/v1/lives/red", "Authorization: Basic dTpw"), status: 401},
		{id: "R61", name: "no signature", call: get("/v1/lives/red", forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil)), status: 401},
		{id: "R61", name: "HS512", call: get("/v1/lives/red", forge(jwt.SigningMethodHS512, []byte(secret), nil, nil)), status: 401},
		{id: "R62", name: "kid is a path", call: get("/v1/lives/red", forge(hs256, []byte("x"), map[string]any{"kid": "../../dev/null"}, nil)), status: 401},
		{id: "R62", name: "kid is SQL", call: get("/v1/lives/red", forge(hs256, []byte("x"), map[string]any{"kid": "' OR 1=1"}, nil)), status: 401},
		{id: "R64", name: "no exp", call: get("/v1/lives/red", forge(hs256, []byte(secret), nil, jwt.MapClaims{"exp": nil})), status: 401},
		{id: "R65", name: "exp in the year 9999", call: get("/v1/lives/red", forge(hs256, []byte(secret), nil, jwt.MapClaims{"exp": 253402300799})), status: 401},
		{id: "R66", name: "nbf ahead", call: get("/v1/lives/red", forge(hs256, []byte(secret), nil, jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})), status: 401},
		{id: "R68", name: "five parts", call: get("/v1/lives/red", "Authorization: Bearer a.b.c.d.e"), status: 401},
		{id: "R68", name: "two parts", call: get("/v1/lives/red", "Authorization: Bearer a.b"), status: 401},
		{id: "R74", name: "preflight", call: call{method: "OPTIONS", path: "/v1/lives", headers: []string{"Origin: https://evil.example", "Access-Control-Request-Method: POST"}}, status: 405},

		{id: "R76", name: "300 characters", call: host(`"user_name":"` + strings.Repeat("ä", 300) + `"`), status: 400, field: "host.user_name"},
		{id: "R76", name: "65 characters", call: host(`"user_name":"` + strings.Repeat("x", 65) + `"`), status: 400, field: "host.user_name"},
		{id: "R78", name: "javascript", call: host(`"avatar_url":"javascript:alert(1)"`), status: 400, field: "host.avatar_url"},
		{id: "R79", name: "data", call: host(`"avatar_url":"data:text/html,x"`), status: 400, field: "host.avatar_url"},
		{name: "a name with NUL", call: host(`"user_name":"a\u0000b"`), status: 400, field: "host.user_name"},
		{name: "a name with a line break", call: host(`"user_name":"a\nb"`), status: 400, field: "host.user_name"},
		{name: "a name with U+0085", call: host(`"user_name":"a\u0085b"`), status: 400, field: "host.user_name"},
		{name: "a name with U+202E", call: host(`"user_name":"a\u202eb"`), status: 400, field: "host.user_name"},
		{name: "a name with U+2066", call: host(`"user_name":"a\u2066b"`), status: 400, field: "host.user_name"},
		{name: "a name with U+2028", call: host(`"user_name":"a\u2028b"`), status: 400, field: "host.user_name"},
		{name: "an avatar by http", call: host(`"avatar_url":"http://example.org/a.png"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar with a password", call: host(`"avatar_url":"https://u:p@example.org/a.png"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar without a host", call: host(`"avatar_url":"https:///a.png"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar with a quote", call: host(`"avatar_url":"https://example.org/a.png\" onerror=\"x"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar with NUL", call: host(`"avatar_url":"https://example.org/\u0000"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar with U+202E", call: host(`"avatar_url":"https://example.org/\u202egnp.exe"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar with a line break", call: host(`"avatar_url":"https://example.org/a\n"`), status: 400, field: "host.avatar_url"},
		{name: "an avatar of 513 bytes", call: host(`"avatar_url":"https://example.org/` + strings.Repeat("a", 493) + `"`), status: 400, field: "host.avatar_url"},
		{
			name: "a sender's name with U+202E", status: 400, field: "gifts[0].sender.user_name",
			call: call{path: "/v1/gifts", body: strings.Replace(give("e1", `"unit_value":1`), `"fan"`, `"fan","user_name":"\u202e"`, 1)},
		},
		{
			name: "a reason with a line break", status: 400, field: "reason",
			call: call{path: "/v1/lives/red/cohost:reject", body: `{"from_live_id":"green","reason":"a\nlevel=ERROR"}`},
		},
		{
			name: "a reject code that there is not", status: 400, field: "reason_code",
			call: call{path: "/v1/lives/red/cohost:reject", body: `{"from_live_id":"green","reason_code":"NEVER"}`},
		},
		{
			name: "2049 bytes with a yes", status: 400, field: "extension_info",
			call: call{path: "/v1/lives/red/cohost:accept", body: `{"from_live_id":"green","extension_info":"` + strings.Repeat("x", 2049) + `"}`},
		},
		{name: "a layout that there is not", call: call{path: "/v1/lives/red/cohost:layout", body: `{"layout_template":"hostFoo"}`}, status: 400, field: "layout_template"},
		{name: "a layout by number", call: call{path: "/v1/lives/red/cohost:layout", body: `{"layout_template":600}`}, status: 400, field: "layout_template"},
		{name: "no layout", call: call{path: "/v1/lives/red/cohost:layout", body: `{}`}, status: 400, field: "layout_template"},
		{name: "mute nobody", call: call{path: "/v1/lives/red/cohost:mute", body: `{"muted":true}`}, status: 400, field: "target_live_id"},
		{name: "mute oneself", call: call{path: "/v1/lives/red/cohost:mute", body: `{"target_live_id":"red","muted":true}`}, status: 400, field: "target_live_id"},
		{name: "a mute that is a word", call: call{path: "/v1/lives/red/cohost:mute", body: `{"target_live_id":"blue","muted":"yes"}`}, status: 400, field: "muted"},
		{name: "an update of nothing", call: call{method: "PATCH", path: "/v1/lives/red", body: `{}`}, status: 400, field: "host"},
		{name: "an update of the kind", call: call{method: "PATCH", path: "/v1/lives/red", body: `{"kind":"VOICE"}`}, status: 400, field: "kind"},
		{name: "an update with U+202E", call: call{method: "PATCH", path: "/v1/lives/red", body: `{"host":{"user_name":"\u202e"}}`}, status: 400, field: "host.user_name"},
		{name: "an update to javascript", call: call{method: "PATCH", path: "/v1/lives/red", body: `{"host":{"avatar_url":"javascript:alert(1)"}}`}, status: 400, field: "host.avatar_url"},
		{name: "a live's state with a parameter", call: get("/v1/lives/red/state?offset=c1.b1"), status: 400, field: "offset"},
		{name: "the state of what never was", call: get("/v1/lives/never-was/state"), status: 404, reason: "LIVE_NOT_FOUND"},
		{name: "the state of no id", call: get("/v1/lives/a%20b/state"), status: 400, field: "live_id"},
		{name: "candidates for no id", call: get("/v1/lives?candidates_for=a%20b"), status: 400, field: "candidates_for"},
		{name: "candidates for what never was", call: get("/v1/lives?candidates_for=never-was"), status: 404, reason: "LIVE_NOT_FOUND"},

		{id: "R99", name: "XML wanted", call: get("/v1/lives/red", "Accept: application/xml"), status: 406},
		{id: "R99", name: "JSON not wanted", call: get("/v1/lives/red", "Accept: application/json;q=0"), status: 406},
		{id: "R100", name: "pprof", call: get("/debug/pprof/"), status: 404},
		{id: "R100", name: "metrics", call: get("/metrics"), status: 404},
		{id: "R100", name: "a service not for outside", call: call{path: "/faceoff.battle.v1.BattleCoordinationService/LeaveBattle", body: `{}`}, status: 404},
	} {
		all = append(all, row{id: r.id, name: r.name, send: func(t *testing.T, s *scene) {
			r.call.send(t, s.stack).refused(t, r.status, r.reason, r.field)
		}})
	}
	return append(all,
		row{id: "R22", name: "a number as text", writes: true, send: func(t *testing.T, s *scene) {
			for id, value := range map[string]string{"r22-text": `"5"`, "r22-number": `5`} {
				a := call{path: "/v1/gifts", body: give(id, `"unit_value":`+value)}.send(t, s.stack).accepted(t)
				if v := verdict(t, a); v.Verdict != "COUNTED" || v.Points != "25" {
					t.Errorf("%s: %+v", value, v)
				}
			}
		}},
		row{id: "R34", name: "a gift twice", writes: true, send: func(t *testing.T, s *scene) {
			c := call{path: "/v1/gifts", body: give("r34", `"unit_value":10`)}
			first, again := verdict(t, c.send(t, s.stack).accepted(t)), verdict(t, c.send(t, s.stack).accepted(t))
			first.Duplicate = true
			if again != first || again.Verdict != "COUNTED" {
				t.Errorf("first %+v, then %+v", first, again)
			}
		}},
		row{id: "R35", name: "one event id for two gifts", writes: true, send: func(t *testing.T, s *scene) {
			verdict(t, call{path: "/v1/gifts", body: give("r35", `"unit_value":10`)}.send(t, s.stack).accepted(t))
			a := call{path: "/v1/gifts", body: give("r35", `"unit_value":11`)}.send(t, s.stack).accepted(t)
			if v := verdict(t, a); v.Verdict != "DUPLICATE" || v.Reason != "PAYLOAD_MISMATCH" {
				t.Errorf("%+v", v)
			}
		}},
		row{id: "R35", name: "one Idempotency-Key for two calls", writes: true, send: func(t *testing.T, s *scene) {
			id, header := "r35-"+ids.New()[:10], "Idempotency-Key: "+ids.New()
			body := strings.Replace(good, `"new"`, `"`+id+`"`, 1)
			post(body, header).send(t, s.stack).accepted(t)
			post(strings.Replace(body, "VIDEO", "VOICE", 1), header).send(t, s.stack).refused(t, 409, "PAYLOAD_MISMATCH", "")
		}},
		row{id: "R36", name: "a gift eight times at once", writes: true, send: func(t *testing.T, s *scene) {
			c := call{path: "/v1/gifts", body: give("r36", `"unit_value":10`)}
			var all sync.WaitGroup
			verdicts := make([]giftVerdict, 8)
			for i := range verdicts {
				all.Go(func() { verdicts[i] = verdict(t, c.send(t, s.stack)) })
			}
			all.Wait()
			first := 0
			for _, v := range verdicts {
				if !v.Duplicate {
					first++
				}
				if v.Verdict != "COUNTED" {
					t.Errorf("%+v", v)
				}
			}
			if first != 1 {
				t.Errorf("counted %d times", first)
			}
		}},
	)
}

// giftVerdict is what is compared of a verdict.
type giftVerdict struct {
	Verdict, Points, Reason string
	Duplicate               bool
	DecidedAt               string `json:"decided_at"`
}

// verdict reads the verdict of a call with one gift.
func verdict(t *testing.T, a answer) giftVerdict {
	t.Helper()
	var body struct{ Verdicts []giftVerdict }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || len(body.Verdicts) != 1 {
		t.Errorf("%d %s: %v", a.status, a.body, err)
		return giftVerdict{}
	}
	return body.Verdicts[0]
}
