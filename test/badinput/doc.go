// Package badinput sends to a running product what no well-behaved client sends, at every door that it has, and holds it to
// three things: a clear refusal, no trace in the logs, and no harm to those who come after.
//
// testdata/rows.tsv lists what is sent and what must be answered; a row that is not run says why.
package badinput
