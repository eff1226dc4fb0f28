package telemetry

import (
	"io"
	"log/slog"
	"os"
)

// Logger makes a service's logger: text on a terminal, else JSON, one line a record. level is debug, info, warn or error;
// anything else stands for info.
func Logger(w io.Writer, service, level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least}
	var handler slog.Handler = slog.NewJSONHandler(w, options)
	if isTerminal(w) {
		handler = slog.NewTextHandler(w, options)
	}
	return slog.New(handler).With("service", service)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
