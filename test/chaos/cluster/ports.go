package cluster

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are chosen below those that the system gives to outgoing connections, so that a port stays free while its process is down.
const (
	firstPort = 20000
	lastPort  = 29999
)

// ports gives each port once.
type ports map[int]bool

// next returns a port that is free on all the hosts.
func (p ports) next(hosts ...string) (int, error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if p[port] {
			continue
		}
		if free(port, hosts) {
			p[port] = true
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
func (p ports) address() (string, error) {
	port, err := p.next(loopback)
	return net.JoinHostPort(loopback, strconv.Itoa(port)), err
}

const loopback = "127.0.0.1"
