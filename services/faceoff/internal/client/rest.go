package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// REST makes one REST call and fills out, which may be nil. in is nil for a call without a body. A refusal comes back as a
// *es.Refusal; any other error means that the outcome is not known.
func (c *Client) REST(ctx context.Context, token, id, method, path string, in, out proto.Message) error {
	var body io.Reader = http.NoBody
	if in != nil {
		data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.stack.HTTP+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if id != "" {
		req.Header.Set("Idempotency-Key", id)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return problem(resp.StatusCode, data)
	case out == nil:
		return nil
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// problem reads an application/problem+json.
func problem(status int, data []byte) error {
	var p struct {
		Reason string `json:"reason"`
		Detail string `json:"detail"`
		Title  string `json:"title"`
	}
	if json.Unmarshal(data, &p) == nil && p.Reason != "" {
		return es.Refuse(p.Reason, "%s", p.Detail)
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return es.Refuse(es.ReasonUnavailable, "HTTP status %d", status)
	case http.StatusGatewayTimeout:
		return es.Refuse(es.ReasonDeadlineExceeded, "HTTP status %d", status)
	}
	return fmt.Errorf("HTTP status %d %s %s", status, p.Title, p.Detail)
}
