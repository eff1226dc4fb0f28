//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Node is one nats-server with its disk.
type Node struct {
	*Process
	address, monitor, route string

	volume *volume // nil: its data is in an ordinary directory
	Disk   *Disk   // nil: it is not to be harmed

	power sync.Mutex
	cuts  int
}

// nodeConfig is what a server is told. It may promise streams more than its volume has: no round fills it. The cluster's address that it advertises leads nowhere: servers reach each other by their routes, which are links, and by nothing else.
const nodeConfig = `listen: %s
http: %s
server_name: %s
max_payload: 1MB
jetstream {
  store_dir: %q
  sync_interval: always
  max_file_store: 16GB
}
`

const clusterConfig = `cluster {
  name: faceoff
  listen: %s
  advertise: "127.0.0.1:9"
  no_advertise: true
  routes: [%s]
}
`

// newNode prepares the data of a node and starts it. routes are where it reaches the others.
func (c *Cluster) newNode(name, address, monitor, route string, routes []string) (*Node, error) {
	n := &Node{address: address, monitor: monitor, route: route}
	c.closers = append(c.closers, n.unmount)
	store := filepath.Join(c.cfg.Dir, name)
	if c.cfg.CutPower {
		var err error
		if n.volume, err = newVolume(store+".img", store); err != nil {
			return nil, err
		}
	} else if err := os.Mkdir(store, 0o755); err != nil {
		return nil, err
	}
	if c.cfg.HarmDisk && name == NodeNames(1)[0] {
		var err error
		if n.Disk, err = newDisk(store, store+".disk"); err != nil {
			return nil, err
		}
		store += ".disk"
	}
	text := fmt.Sprintf(nodeConfig, address, monitor, name, store)
	if len(routes) > 0 {
		text += fmt.Sprintf(clusterConfig, route, strings.Join(routes, ", "))
	}
	config := filepath.Join(c.cfg.Dir, name+".conf")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	n.Process = c.run(name, answers("http://"+monitor+"/healthz"), func() *exec.Cmd { return exec.Command(c.cfg.NATSServer, "-c", config) })
	return n, nil
}

// CutPower cuts the power of nodes at the same moment: what they had not synced is gone. They are down until restore is called.
func CutPower(nodes ...*Node) (restore func() error, err error) {
	// First the processes stand still, for a machine without power says nothing: the sync that races with the end of its file system
	// may be told that it was done. Then the power, then kill: nothing that a process does at its end reaches the disk.
	for _, n := range nodes {
		if err := n.freeze(); err != nil {
			return nil, err
		}
	}
	for _, n := range nodes {
		if err := n.cutPower(); err != nil {
			return nil, err
		}
	}
	for _, n := range nodes {
		if err := n.Down(syscall.SIGKILL); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, n := range nodes {
			err = errors.Join(err, n.powerUp())
			n.Up()
		}
		return err
	}, nil
}

func (n *Node) cutPower() error {
	n.power.Lock()
	defer n.power.Unlock()
	n.cuts++
	if n.cuts > 1 {
		return nil
	}
	return n.volume.cutPower()
}

// powerUp mounts what is on the disk.
func (n *Node) powerUp() error {
	n.power.Lock()
	defer n.power.Unlock()
	n.cuts--
	if n.cuts > 0 {
		return nil
	}
	return errors.Join(n.volume.unmount(), n.volume.mount())
}

// dump saves what the server says of its health, of its streams with their leaders and consumers, and of its goroutines.
func (n *Node) dump(dir string) {
	for file, question := range map[string]string{
		"healthz": "healthz?details=true", "jsz": "jsz?accounts=true&streams=true&consumers=true&raft=true", "stacksz": "stacksz",
	} {
		resp, err := prober.Get("http://" + n.monitor + "/" + question)
		if err != nil {
			continue // it does not answer: its log may say why
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		_ = os.WriteFile(filepath.Join(dir, n.Name+"."+file), text, 0o644) // it is an aid, no more
	}
}

func (n *Node) unmount() error {
	if n.Disk != nil {
		if err := n.Disk.unmount(); err != nil {
			return err
		}
	}
	if n.volume != nil {
		return n.volume.unmount()
	}
	return nil
}
