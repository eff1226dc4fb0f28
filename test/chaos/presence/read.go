package presence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/check"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// Processes is the directory that has what each process said, in files that are named as the process.
const Processes = "processes"

const (
	cohostLog = "COHOST_00"
	battleLog = "BATTLE_00"
)

// input is a saved run.
type input struct {
	records []history.Record
	clients map[clientID][]host.Line
	logs    map[string][][]byte
	writing []writing
}

type clientID struct{ live, session string }

// writing is the moment when a replica of cohost began to write the log.
type writing struct {
	at      int64 // ns since 1970
	replica string
}

// Is reports whether a directory has a run of hosts.
func Is(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, Clients))
	return err == nil && info.IsDir()
}

// Dir judges the run that is saved in a directory.
func Dir(dir string) (*Report, error) {
	in := input{clients: make(map[clientID][]host.Line), logs: make(map[string][][]byte)}
	var err error
	if in.records, err = history.Read(filepath.Join(dir, check.History)); err != nil {
		return nil, err
	}
	for _, name := range []string{cohostLog, battleLog} {
		if in.logs[name], err = history.ReadGroups(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	if err := in.readClients(filepath.Join(dir, Clients)); err != nil {
		return nil, err
	}
	if err := in.readWriting(filepath.Join(dir, Processes)); err != nil {
		return nil, err
	}
	return judge(in)
}

func (in *input) readClients(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		live, session, ok := strings.Cut(strings.TrimSuffix(f.Name(), ".jsonl"), ".")
		if !ok {
			return fmt.Errorf("%s is not of a client", f.Name())
		}
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		id := clientID{live, session}
		in.clients[id] = nil // it may have been killed before it wrote anything
		if err := host.Read(bytes.NewReader(raw), func(l host.Line) { in.clients[id] = append(in.clients[id], l) }); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return nil
}

// readWriting finds in what the replicas of cohost said when each began to write.
func (in *input) readWriting(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "cohost-*.log"))
	if err != nil {
		return err
	}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var said struct {
				Time     time.Time
				Msg, Log string
			}
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "writing" && said.Log == cohostLog {
				in.writing = append(in.writing, writing{said.Time.UnixNano(), strings.TrimSuffix(filepath.Base(path), ".log")})
			}
		}
		_ = file.Close()
	}
	slices.SortFunc(in.writing, func(a, b writing) int { return int(a.at - b.at) })
	return nil
}
