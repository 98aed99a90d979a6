package program

import (
	"fmt"
	"strings"
)

// The exit codes of all programs.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitConnection  = 3
	ExitUnknown     = 4
	ExitObjective   = 5
	ExitOutput      = 6
	ExitInterrupted = 130
)

// exits is the table of exit codes, in the order of their numbers.
var exits = []struct {
	code    int
	meaning string
}{
	{ExitOK, "done, and everything held"},
	{ExitFailed, "it ran and failed: a refusal, an audit or a verdict"},
	{ExitUsage, "wrong usage, variable or file: nothing was begun"},
	{ExitConnection, "no connection, a lost one, or an answer not to be trusted"},
	{ExitUnknown, "the outcome is unknown: the answer was lost"},
	{ExitObjective, "it ran and everything held, but an objective was missed"},
	{ExitOutput, "done, but the result could not be written: do not repeat it"},
	{ExitInterrupted, "interrupted before it was done"},
}

// ExitHelp is the part of a help text that explains these codes, one a line.
func ExitHelp(codes ...int) string {
	var b strings.Builder
	b.WriteString("Exit codes:")
	for _, e := range exits {
		for _, code := range codes {
			if code == e.code {
				fmt.Fprintf(&b, "\n  %-3d  %s", e.code, e.meaning)
			}
		}
	}
	return b.String()
}

// ExitTable is all codes as the Markdown table that docs/operations.md holds.
func ExitTable() string {
	var b strings.Builder
	b.WriteString("| code | meaning |\n|---|---|\n")
	for _, e := range exits {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.meaning)
	}
	return b.String()
}
