package badinput

import (
	"net/http"
	"strings"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

// battleRows are calls of the verbs of a battle that runs or has ended.
func battleRows() (all []row) {
	for _, r := range []struct{ name, verb, body, field string }{
		{"a reason of 257 bytes", "end", `{"live_id":"red","reason":"` + strings.Repeat("x", 257) + `"}`, "reason"},
		{"a reason with a line break", "end", `{"live_id":"red","reason":"a\nlevel=ERROR"}`, "reason"},
		{"a blank in the live", "end", `{"live_id":"a b"}`, "live_id"},
		{"another battle in the body", "end", `{"battle_id":"other","live_id":"red"}`, "battle_id"},
		{"an unknown field", "end", `{"live_id":"red","force":true}`, "force"},
		{"by nothing", "extend", `{"live_id":"red"}`, "extend_seconds"},
		{"backwards", "extend", `{"live_id":"red","extend_seconds":-60}`, "extend_seconds"},
		{"by more than a day", "extend", `{"live_id":"red","extend_seconds":86401}`, "extend_seconds"},
		{"by more than 32 bits", "extend", `{"live_id":"red","extend_seconds":4294967356}`, "extend_seconds"},
		{"by a fraction", "extend", `{"live_id":"red","extend_seconds":1.5}`, "extend_seconds"},
		{"by a word", "extend", `{"live_id":"red","extend_seconds":"60s"}`, "extend_seconds"},
		{"a reason with U+202E", "void", `{"reason":"\u202e"}`, "reason"},
		{"for a live", "void", `{"live_id":"red"}`, "live_id"},
		{"by nobody", "rematch", `{}`, "live_id"},
		{"a timeout of 301 s", "rematch", `{"live_id":"red","timeout_seconds":301}`, "timeout_seconds"},
		{"a negative duration", "rematch", `{"live_id":"red","config":{"duration_seconds":-1}}`, "config.duration_seconds"},
		{"a mode that there is not", "rematch", `{"live_id":"red","config":{"mode":"DUEL"}}`, "config.mode"},
		{"best of a hundred", "rematch", `{"live_id":"red","config":{"best_of":100}}`, "config.best_of"},
		{"ten teams", "rematch", `{"live_id":"red","config":{"teams":[` + strings.TrimSuffix(strings.Repeat(`{"team_id":"t","live_ids":["a"]},`, 10), ",") + `]}}`, "config.teams"},
		{"a team of nobody", "rematch", `{"live_id":"red","config":{"teams":[{"team_id":"t"}]}}`, "config.teams[0].live_ids"},
		{"2049 bytes", "rematch", `{"live_id":"red","config":{"extension_info":"` + strings.Repeat("x", 2049) + `"}}`, "config.extension_info"},
	} {
		all = append(all, row{name: r.verb + ": " + r.name, send: func(t *testing.T, s *scene) {
			by := "Authorization: Bearer " + token(t, "operator", auth.EveryLive, auth.Admin)
			call{path: "/v1/battles/" + s.battleID + ":" + r.verb, body: r.body, headers: []string{by}}.send(t, s.stack).refused(t, http.StatusBadRequest, "", r.field)
		}})
	}
	return append(all, row{name: "void: by a backend, with a reason that cannot be", send: func(t *testing.T, s *scene) {
		// That it may not is said before anything of what it asks.
		call{path: "/v1/battles/" + s.battleID + ":void", body: `{"reason":"\u202e"}`}.send(t, s.stack).refused(t, http.StatusForbidden, "PERMISSION_DENIED", "")
	}})
}
