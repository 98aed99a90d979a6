package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
)

// statsJSON asks SERVER_STATS on the admin socket.
func (s *server) statsJSON() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.world.data, "admin.sock"))
	if err != nil {
		return nil, err
	}
	admin := &session{name: "admin", conn: conn}
	defer admin.hangUp()
	frame, err := admin.call(libproto.OpServerStats, libproto.Empty{})
	if err != nil {
		return nil, err
	}
	var response libproto.ServerStatsResponse
	if err := decode(frame, &response); err != nil {
		return nil, err
	}
	return response.JSON, nil
}

func (s *server) stats() (report serverstats.Report, err error) {
	text, err := s.statsJSON()
	if err != nil {
		return report, err
	}
	return report, json.Unmarshal(text, &report)
}

// cmdStats waits until a number or word in SERVER_STATS is as wanted.
func cmdStats(ts *testscript.TestScript, w *world, args []string) {
	s, in := w.running(ts), &words{ts, args}
	c := parseComparison(in)
	in.end()
	ts.Check(s.awaitStats(c))
}

func (s *server) awaitStats(c comparison) error {
	var last error
	err := await(fmt.Sprintf("stats %s %s %s", c.path, c.op, c.want), func() bool {
		var text []byte
		if text, last = s.statsJSON(); last == nil {
			last = c.check(text)
		}
		return last == nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	return nil
}

// cmdJSON compares a value in a JSON file, "stdout" included.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	in := &words{ts, args}
	text := ts.ReadFile(in.next("file"))
	c := parseComparison(in)
	in.end()
	if err := c.check([]byte(text)); (err == nil) == neg {
		ts.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
}

// comparison is a path into a JSON document, an operator and what the value there is compared with.
type comparison struct{ path, op, want string }

func parseComparison(in *words) comparison {
	return comparison{in.next("path as in workers.0.pid"), in.next("== != > >= < <="), in.next("value")}
}

func (c comparison) check(document []byte) error {
	var root any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // amounts do not fit into a float64
	if err := decoder.Decode(&root); err != nil {
		return err
	}
	got, err := follow(root, c.path)
	if err != nil {
		return err
	}
	text := fmt.Sprint(got)
	holds, err := compare(text, c.op, c.want)
	if err == nil && !holds {
		err = fmt.Errorf("%s is %s", c.path, text)
	}
	return err
}

// follow walks down a document: names in objects, numbers in lists, "length" for the length of a list.
func follow(at any, path string) (any, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch node := at.(type) {
		case map[string]any:
			value, is := node[step]
			if !is {
				return nil, fmt.Errorf("%s: there is no %q", path, step)
			}
			at = value
		case []any:
			i, err := strconv.Atoi(step)
			switch {
			case step == "length":
				at = len(node)
			case err != nil || i < 0 || i >= len(node):
				return nil, fmt.Errorf("%s: %q in a list of %d", path, step, len(node))
			default:
				at = node[i]
			}
		default:
			return nil, fmt.Errorf("%s: nothing is below %v", path, at)
		}
	}
	return at, nil
}

func compare(got, op, want string) (bool, error) {
	switch op {
	case "==":
		return got == want, nil
	case "!=":
		return got != want, nil
	}
	a, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false, fmt.Errorf("%q is not a number", got)
	}
	b, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false, fmt.Errorf("%q is not a number", want)
	}
	switch op {
	case ">":
		return a > b, nil
	case ">=":
		return a >= b, nil
	case "<":
		return a < b, nil
	case "<=":
		return a <= b, nil
	}
	return false, fmt.Errorf("%q is not == != > >= < <=", op)
}

// took is how long f takes.
func took(f func() error) (time.Duration, error) {
	begin := time.Now()
	err := f()
	return time.Since(begin), err
}
