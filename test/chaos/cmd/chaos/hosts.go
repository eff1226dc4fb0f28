//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/faceoff-live/faceoff/test/chaos/check"
	"github.com/faceoff-live/faceoff/test/chaos/cluster"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/hosts"
	"github.com/faceoff-live/faceoff/test/chaos/presence"
)

// cohosts is how many replicas of cohost the hosts have, and of the other services: one writes, and when it is harmed two could.
const cohosts = 3

// runHosts runs hosts with a client process each, from the start of the services to the judgement.
func (s settings) runHosts(ctx context.Context, out io.Writer, dir string, config cluster.Config) (green bool, err error) {
	processes := filepath.Join(dir, presence.Processes)
	if err := os.MkdirAll(processes, 0o755); err != nil {
		return false, err
	}
	config.Dir, config.Nodes, config.Replicas, config.Log = processes, s.nodes, cohosts, slog.New(slog.DiscardHandler)
	if config.Nodes == 0 {
		config.Nodes = 3
	}
	report, err := s.playHosts(ctx, dir, config)
	if err != nil {
		return false, fmt.Errorf("%w; what there is of it is in %s", err, dir)
	}
	fmt.Fprintf(out, "%d hosts for %v, seed %d, %d nodes, %d replicas\n", s.hosts, s.lasts, s.seed, config.Nodes, config.Replicas)
	report.Tell(out)
	if !report.Green() || s.keep {
		fmt.Fprintf(out, "kept: %s\n", dir)
		return report.Green(), nil
	}
	return true, os.RemoveAll(dir)
}

func (s settings) playHosts(ctx context.Context, dir string, config cluster.Config) (*presence.Report, error) {
	c, err := cluster.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	h, err := history.Open(filepath.Join(dir, check.History))
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	err = hosts.Run(ctx, c, hosts.Config{Hosts: s.hosts, For: s.lasts, Seed: s.seed, Dir: dir}, h)
	if err = errors.Join(err, h.Close()); err == nil {
		err = c.Export(ctx, dir)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, err
	}
	found, err := panics(config.Dir)
	if err != nil {
		return nil, err
	}
	report, err := presence.Dir(dir)
	if err == nil {
		report.Violations = append(report.Violations, found...)
	}
	return report, err
}
