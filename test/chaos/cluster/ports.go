package cluster

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are chosen below those that the system gives to outgoing connections, so that a port stays free while its process is down.
const (
	firstPort = 12000
	lastPort  = 31999
	blockSize = 500 // more than a cluster needs that a hundred clients have doors of their own to
)

// ports gives each port of a block once. The block is the cluster's own, so that another one that runs at the same time
// never takes a port whose process is down.
type ports struct {
	claim net.Listener // on the first port of the block
	first int
	given map[int]bool
}

// claimPorts finds a block that no other cluster on this machine has.
func claimPorts() (*ports, error) {
	const blocks = (lastPort - firstPort + 1) / blockSize
	for _, i := range rand.Perm(blocks) {
		first := firstPort + i*blockSize
		if claim, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(first))); err == nil {
			return &ports{claim: claim, first: first, given: map[int]bool{first: true}}, nil
		}
	}
	return nil, errors.New("no block of ports is free")
}

func (p *ports) close() error { return p.claim.Close() }

// next returns a port that is free on all the hosts.
func (p *ports) next(hosts ...string) (int, error) {
	for port := p.first; port < p.first+blockSize; port++ {
		if !p.given[port] && free(port, hosts) {
			p.given[port] = true
			return port, nil
		}
	}
	return 0, errors.New("no port is free")
}

func free(port int, hosts []string) bool {
	for _, host := range hosts {
		lis, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = lis.Close()
	}
	return true
}

// address returns a free address on loopback.
func (p *ports) address() (string, error) {
	port, err := p.next(loopback)
	return net.JoinHostPort(loopback, strconv.Itoa(port)), err
}

const loopback = "127.0.0.1"
