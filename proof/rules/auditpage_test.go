package rules_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tradechat.internal/testkit/programs"
)

var updatePages = flag.Bool("update", false, "write the pages that tests hold to the code")

const auditPage = "../../docs/audit.md"

var (
	// citation is a link to a line of code, with the words that stand on it: [ledger.go:9](../x/ledger.go#L9 "words").
	citation = regexp.MustCompile(`\[([\w.-]+)(:\d+)?\]\((\.\./[\w./-]+)(?:#L(\d+))?(?: "([^"]+)")?\)`)
	testRun  = regexp.MustCompile(`^go test .*-run '([^']+)' (\./\S+)$`)
)

// The page cites lines: each must exist, and say what the page says of it. -update finds the lines anew.
func TestAuditPage(t *testing.T) {
	text, err := os.ReadFile(auditPage)
	if err != nil {
		t.Fatal(err)
	}
	cited := 0
	page := citation.ReplaceAllStringFunc(string(text), func(link string) string {
		cited++
		now, err := cite(link)
		if err != nil {
			t.Error(err)
			return link
		}
		return now
	})
	if cited < 20 {
		t.Errorf("only %d citations", cited)
	}
	if page == string(text) {
		return
	}
	if !*updatePages {
		t.Fatalf("%s cites lines that have moved; run: go test ./proof/rules -run 'TestAuditPage$' -update", auditPage)
	}
	if err := os.WriteFile(auditPage, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cite makes a link to code point at the line on which its words stand now: the only one, or the one nearest to where it was.
func cite(link string) (string, error) {
	m := citation.FindStringSubmatch(link)
	label, path, words := m[1], m[3], m[5]
	text, err := os.ReadFile(filepath.Join(filepath.Dir(auditPage), path))
	if err != nil || words == "" {
		return link, err
	}
	was, _ := strconv.Atoi(m[4]) // digits, or none
	line, distance := 0, 0
	for i, l := range strings.Split(string(text), "\n") {
		d := max(i+1-was, was-i-1)
		if strings.Contains(l, words) && (line == 0 || d < distance) {
			line, distance = i+1, d
		}
	}
	if line == 0 {
		return link, fmt.Errorf("%s: no line of %s has %q", auditPage, path, words)
	}
	if m[2] != "" {
		label = fmt.Sprintf("%s:%d", label, line)
	}
	return fmt.Sprintf("[%s](%s#L%d %q)", label, path, line, words), nil
}

// The page's commands are there: targets of the Makefile, tests by their names, sub-commands of the programs.
func TestAuditPageCommands(t *testing.T) {
	text, err := os.ReadFile(auditPage)
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for i, block := range strings.Split(string(text), "```") {
		if code, isShell := strings.CutPrefix(block, "sh\n"); i%2 == 1 && isShell {
			for command := range strings.Lines(code) {
				commands++
				checkCommand(t, strings.TrimSpace(command), string(makefile))
			}
		}
	}
	if commands < 15 {
		t.Errorf("only %d commands", commands)
	}
}

func checkCommand(t *testing.T, command, makefile string) {
	t.Helper()
	words := strings.Fields(command)
	switch {
	case words[0] == "make":
		if !strings.Contains(makefile, "\n"+words[1]+":") {
			t.Errorf("%s: the Makefile has no such target", command)
		}
	case strings.HasPrefix(words[0], "bin/"):
		checkProgram(t, words)
	case testRun.MatchString(command):
		m := testRun.FindStringSubmatch(command)
		for name := range strings.SplitSeq(m[1], "|") {
			checkTest(t, command, name, m[2])
		}
	case slices.Contains([]string{"go test", "go run"}, strings.Join(words[:2], " ")):
		folder := words[slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "./") })]
		if _, err := os.Stat(filepath.Join("../..", folder)); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	default:
		t.Errorf("%s: no rule says whether it works", command)
	}
}

// checkProgram asks for the help of a sub-command, which must know each flag.
func checkProgram(t *testing.T, words []string) {
	t.Helper()
	var path, flags []string
	for _, w := range words[1:] {
		switch {
		case strings.HasPrefix(w, "--"):
			flags = append(flags, w)
		case len(flags) == 0:
			path = append(path, w)
		}
	}
	program := filepath.Join(programs.Folder(t), filepath.Base(words[0]))
	help, err := exec.CommandContext(t.Context(), program, append(path, "--help")...).CombinedOutput()
	if err != nil {
		t.Errorf("%s --help: %v\n%s", strings.Join(words, " "), err, help)
	}
	for _, f := range flags {
		if !strings.Contains(string(help), f) {
			t.Errorf("%s: its help has no %s", strings.Join(words, " "), f)
		}
	}
}

func checkTest(t *testing.T, command, name, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(t *testing.T)") {
			return
		}
	}
	t.Errorf("%s: %s has no %s", command, folder, name)
}
