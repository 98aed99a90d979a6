// Package program holds what all programs of tradechat have in common towards the shell that runs them: the exit codes, the
// variables they read, and what they may write to stdout and to a terminal.
//
//	exit.go      one set of exit codes; every --help and docs/operations.md print this table
//	output.go    stdout that remembers that a write has failed
//	terminal.go  which files are terminals, and which of those take colours and cursor moves
//
// # Invariants
//
//   - An exit code means the same in every program. A program uses only some of them.
//   - What was done is never reported as not done: a result that could not be written has an exit code of its own.
package program

// ServerVariable names the server's host:port for every program that connects to one.
const ServerVariable = "TRADECHAT_SERVER"
