package dev

import (
	"net"
	"strings"
	"testing"
)

// FuzzLoopback: what serves with keys that everybody knows can be reached from this machine only.
func FuzzLoopback(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1:9090", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "[::1%lo]:1", "127.1:1", "0.0.0.0:1", ":1", "localhost.:1", "LOCALHOST:1", "localhost.example.org:1", "127.0.0.1.example.org:1",
		"dns:///localhost:1", "127.0.0.1", "[::]:1", "10.0.0.1:1", "[127.0.0.1]:1", "0x7f.0.0.1:1", "017.0.0.1:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		if loopback(addr) != nil {
			return
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatalf("%q: %v", addr, err)
		}
		host, _, _ = strings.Cut(host, "%")
		if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
			t.Fatalf("%q passes", addr)
		}
	})
}
