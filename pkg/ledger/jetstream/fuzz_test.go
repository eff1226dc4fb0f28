package jetstream

import (
	"encoding/json"
	"testing"
)

// FuzzMessage: an answer is a message of the stream, with what stands there, or an error.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"type":"io.nats.jetstream.api.v1.stream_msg_get_response","message":{"subject":"log.test","seq":7,"data":"Z3JvdXA=","time":"2026-01-01T00:00:00Z"}}`,
		`{"error":{"code":404,"err_code":10037,"description":"no message found"}}`, `{"message":{"seq":7}}`, `{"message":{"data":"eA=="}}`, `{"message":{"seq":-1}}`,
		`{"message":{"seq":7,"data":"x"}}`, `{"message":{"seq":7},"error":{}}`, `{}`, `null`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		m, err := readMessage(reply)
		if err != nil {
			return
		}
		again, err := json.Marshal(map[string]message{"message": m})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := readMessage(again); err != nil || m.Seq == 0 || back.Seq != m.Seq || string(back.Data) != string(m.Data) {
			t.Fatalf("%q is %+v, and again %+v, %v", reply, m, back, err)
		}
	})
}
