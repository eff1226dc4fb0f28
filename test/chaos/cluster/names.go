//go:build linux

package cluster

import (
	"fmt"
	"net"
	"strconv"

	"golang.org/x/net/dns/dnsmessage"
)

// replicas is how many processes each service has, if nobody says. Callers find them as they would in production: by a name with an address for each. The addresses are those of the proxies on the way, at one port.
const replicas = 2

// replicaHosts are the addresses that the name server gives for every name, where each service has n processes.
func replicaHosts(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "127.0.0." + strconv.Itoa(i+2)
	}
	return all
}

// names is a name server that has one answer.
type names struct {
	conn  net.PacketConn
	hosts []string
}

func newNames(hosts []string) (*names, error) {
	conn, err := net.ListenPacket("udp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, err
	}
	n := &names{conn: conn, hosts: hosts}
	go n.serve()
	return n, nil
}

// target is the gRPC target of the replicas that are reached at a port.
func (n *names) target(service string, port int) string {
	return fmt.Sprintf("dns://%s/%s.faceoff.test.:%d", n.conn.LocalAddr(), service, port)
}

func (n *names) close() error { return n.conn.Close() }

func (n *names) serve() {
	buf := make([]byte, 1<<10)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		if answer, err := n.resolve(buf[:size]); err == nil {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *names) resolve(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
	for _, q := range m.Questions {
		if q.Type != dnsmessage.TypeA {
			continue
		}
		for _, host := range n.hosts {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(host).To4())},
			})
		}
	}
	return m.Pack()
}
