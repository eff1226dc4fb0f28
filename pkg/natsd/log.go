package natsd

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// logger passes the server's warnings and errors on; the rest of what it says is noise here.
type logger struct {
	log   *slog.Logger
	fatal atomic.Pointer[string]
}

func newLogger(log *slog.Logger) *logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &logger{log: log.With("component", "nats-server")}
}

// fault is the first reason why the server cannot run; empty if there is none.
func (l *logger) fault() string {
	if s := l.fatal.Load(); s != nil {
		return *s
	}
	return ""
}

func (l *logger) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &s)
	l.log.Error(s)
}

func (l *logger) Errorf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }
func (l *logger) Warnf(format string, v ...any)  { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l *logger) Noticef(string, ...any)         {}
func (l *logger) Debugf(string, ...any)          {}
func (l *logger) Tracef(string, ...any)          {}
