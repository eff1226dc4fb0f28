package rest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

func decode(data []byte) (*requestBody, error) {
	body := &requestBody{Reader: bytes.NewReader(data), data: data}
	return body, newCodec().NewDecoder(body).Decode(&scorev1.SendGiftsRequest{})
}

// FuzzDecode: whatever a caller sends is decoded or refused with a reason.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{}x`, `[`, `]`, `{"gifts":[{"count":"1"},{"count":true}]}`, `{"gifts":[{"sender":{"user_id":1}}]}`, "{\n\"ä\":\n1}",
		`{"gifts":[[]]}`, `{"gifts":{"a":[1]}}`, `{"a":{"b":[{"c":"}"}]}}`, `{"gifts":`, `"`, "\xff", `{"gifts":[{"sent_at":"x"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tooDeep(data)
		body, err := decode(data)
		if errors.Is(err, io.EOF) && len(data) == 0 {
			return
		}
		if (err != nil) != (body.refusal != nil) {
			t.Errorf("%v, but refusal %v", err, body.refusal)
		}
	})
}

func TestFieldsAreNamed(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"gifts":[{"count":"1"},{"count":true}]}`:                "gifts[1].count",
		`{"gifts":[{"sender":{"user_id":1}}]}`:                    "gifts[0].sender.user_id",
		`{"gifts":[{"sender":{"user_id":"u"},"sent_at":"noon"}]}`: "gifts[0].sent_at",
		"{\n  \"gifts\": [],\n  \"ä\": 1}":                        "ä",
		`{"gifts":[{"event_id":"}{\"","count":1.5}]}`:             "gifts[0].count",
		`{"gifts":[{"category":"NONE"}]}`:                         "gifts[0].category",
		`{"gifts":[], "gifts":[]}`:                                "gifts",
	} {
		body, err := decode([]byte(data))
		if err == nil || len(body.refusal.Violations) != 1 || body.refusal.Violations[0].Field != want {
			t.Errorf("%s: %+v, want %s", data, body.refusal, want)
		}
	}
}
