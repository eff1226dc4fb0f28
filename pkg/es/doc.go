// Package es is what a domain needs to be event sourced: a machine that decides commands and folds events, state with an
// overlay that is merged or thrown away as a whole, timers as facts, and refusals with a reason.
//
// A domain package imports the standard library and this package, nothing else: it reads no clock, draws no random
// number and does no I/O. Time and ids arrive with the command, so that the same log gives the same state, byte for
// byte, on any machine.
package es
