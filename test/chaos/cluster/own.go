//go:build linux

package cluster

// gateway is where a gateway serves, behind all links.
type gateway struct{ name, http, grpc string }

// openGateway adds links from a client to a gateway to its doors.
func (c *Cluster) openGateway(d *Doors, client string, g gateway) error {
	rest, err := c.connect(client, g.name, g.http)
	if err != nil {
		return err
	}
	grpc, err := c.connect(client, g.name, g.grpc)
	d.REST, d.GRPC = append(d.REST, "http://"+rest), append(d.GRPC, grpc)
	return err
}

// OwnDoors gives a client links of its own, by which it alone can be cut off: to the n-th gateway and the n-th NATS server, counted round.
func (c *Cluster) OwnDoors(client string, n int) (Doors, error) {
	d := Doors{Key: c.doors.Key, Secret: c.doors.Secret}
	if err := c.openGateway(&d, client, c.gateways[n%len(c.gateways)]); err != nil {
		return d, err
	}
	node := c.nodes[n%len(c.nodes)]
	nats, err := c.connect(client, node.Name, node.address)
	d.NATS = []string{"nats://" + nats}
	return d, err
}
