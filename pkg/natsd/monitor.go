package natsd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// monitorTime bounds the wait for a monitoring endpoint, maxMonitored what it may say, in bytes.
const (
	monitorTime  = 10 * time.Second
	maxMonitored = 16 << 20
)

// monitor reads what the monitoring endpoint of one server (http://host:8222) says of itself at a path.
func monitor(ctx context.Context, monitorURL, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, monitorTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(monitorURL, "/")+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("monitoring endpoint of NATS: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("monitoring endpoint of NATS: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("monitoring endpoint of NATS: %s answers %s", req.URL, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMonitored))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return fmt.Errorf("monitoring endpoint of NATS: %s: %w", req.URL, err)
	}
	return nil
}

// VerifySyncAlways asks the monitoring endpoint of one server (http://host:8222) whether JetStream syncs every message to
// disk before it acknowledges it. The error is ErrNotSynced if it does not, else why that is not known.
func VerifySyncAlways(ctx context.Context, monitorURL string) error {
	var varz struct {
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := monitor(ctx, monitorURL, "/varz", &varz); err != nil {
		return err
	}
	switch {
	case varz.JetStream.Config == nil:
		return fmt.Errorf("the NATS server at %s runs without JetStream: set `jetstream { store_dir: …, sync_interval: always }` in its configuration", monitorURL)
	case !varz.JetStream.Config.SyncAlways:
		return fmt.Errorf("%s: %w", monitorURL, ErrNotSynced)
	}
	return nil
}

// Connected is a client of a server.
type Connected struct {
	// ServerID and ClientID name the connection.
	ServerID string `json:"-"`
	ClientID uint64 `json:"cid"`
	// Name that the client has given it.
	Name string `json:"name"`
	// IP and Port of the client.
	IP   string `json:"ip"`
	Port int    `json:"port"`
}

// Connections asks the monitoring endpoint of one server (http://host:8222) for its clients; the first 65,536.
func Connections(ctx context.Context, monitorURL string) ([]Connected, error) {
	var connz struct {
		ServerID    string      `json:"server_id"`
		Connections []Connected `json:"connections"`
	}
	if err := monitor(ctx, monitorURL, "/connz?limit=65536", &connz); err != nil {
		return nil, err
	}
	for i := range connz.Connections {
		connz.Connections[i].ServerID = connz.ServerID
	}
	return connz.Connections, nil
}
