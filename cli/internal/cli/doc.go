// Package cli is the tradechat command: one command line in, one exit code out.
//
//	args ─▶ cobra ─▶ command.run ─▶ client.Client / client.Admin ─▶ result ─▶ text or JSON on stdout
//	                      └─▶ error ─▶ explain ─▶ what happened and the way out on stderr, exit code
//
// Every command computes a result, a struct that is its own JSON and knows how to write itself for people; none prints
// by itself, but for join, which prints as things happen.
//
// # Invariants
//
//   - What can be refused without a server is, before a password is asked for or a connection made.
//   - stdout has what was asked for, and nothing else; in JSON one object, or one a line for join.
//   - Text that another user or the server wrote reaches a terminal only through printable.
//   - A password comes from a file, the environment or a prompt, never from the command line, which others can see.
package cli
