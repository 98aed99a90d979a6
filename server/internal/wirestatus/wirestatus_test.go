package wirestatus

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err    error
		status libproto.Status
		retry  uint32
	}{
		{nil, libproto.StatusOK, 0},
		{shmstore.ErrBusy, libproto.StatusServerBusy, BusyRetryMs},
		{fmt.Errorf("transfer of 5: %w", shmstore.ErrInsufficientFunds), libproto.StatusInsufficientFunds, 0},
		{shmstore.ErrRetryExpired, libproto.StatusExpired, 0},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", shmstore.ErrExists)), libproto.StatusAlreadyExists, 0},
		{errors.New("anything else"), libproto.StatusInternal, 0},
		{shmstore.ErrDamaged, libproto.StatusInternal, 0},
	} {
		status := Of(c.err)
		retry := RetryAfterMs(status)
		if status != c.status || retry != c.retry {
			t.Errorf("%v: %v, %d ms; want %v, %d ms", c.err, status, retry, c.status, c.retry)
		}
	}
}

// TestEveryRequestErrorIsInTheTable reads shmstore's errors.go: each sentinel that a request can meet has a row; only those
// about the segment itself are left to StatusInternal.
func TestEveryRequestErrorIsInTheTable(t *testing.T) {
	rows := sentinelsOf(t, "wirestatus.go", func(name string, n ast.Node) string {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Err") {
			return s.Sel.Name
		}
		return ""
	})
	declared := sentinelsOf(t, "../../../shmstore/errors.go", func(group string, n ast.Node) string {
		if v, ok := n.(*ast.ValueSpec); ok && !strings.Contains(group, "segment") {
			return v.Names[0].Name
		}
		return ""
	})
	for name := range declared {
		if !rows[name] {
			t.Errorf("shmstore.%s has no row", name)
		}
	}
	if len(declared) < 10 {
		t.Fatalf("only %d sentinels found: the test does not read shmstore's errors.go right", len(declared))
	}
}

// sentinelsOf collects what pick finds in a file; group is the doc comment of the enclosing declaration.
func sentinelsOf(t *testing.T, path string, pick func(group string, n ast.Node) string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		ast.Inspect(group, func(n ast.Node) bool {
			if name := pick(group.Doc.Text(), n); name != "" {
				found[name] = true
			}
			return true
		})
	}
	return found
}

func TestOfDoesNotAllocate(t *testing.T) {
	wrapped := fmt.Errorf("wrapped: %w", shmstore.ErrTableFull)
	if n := testing.AllocsPerRun(100, func() { Of(shmstore.ErrBusy); Of(wrapped) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
