package clib

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// each runs f with testdata/works.c in every language.
func each(t *testing.T, f func(t *testing.T, program string)) {
	t.Helper()
	eachLanguage(t, "works.c", "tradechat", f, "-pthread")
}

func TestGoldenLogin(t *testing.T) {
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Login map[string]any }
	if err := json.Unmarshal(text, &file); err != nil || len(file.Login) == 0 {
		t.Fatalf("%s: %v, %v", vectorFile, file.Login, err)
	}
	args := []string{"login"}
	for _, name := range []string{
		"password", "username", "realm_salt", "kdf_iterations", "client_nonce", "server_nonce", "channel_binding",
	} {
		args = append(args, fmt.Sprint(file.Login[name]))
	}
	var want strings.Builder
	for _, name := range []string{"stored_key", "server_key", "proof", "server_signature"} {
		fmt.Fprintf(&want, "%s %v\n", name, file.Login[name])
	}
	each(t, func(t *testing.T, program string) {
		if got := run(t, command(t, program, args...)); got != want.String() {
			t.Errorf("got\n%s\nwant\n%s", got, &want)
		}
	})
}

func TestLogLines(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		file := filepath.Join(t.TempDir(), "works.log")
		cmd := command(t, program, "log", file)
		run(t, cmd)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pid := fmt.Sprint(cmd.Process.Pid)
		flood := `{"level":"info","pid":PID,"role":"works","event":"flood",TIME,"message":"again"}`
		want := []string{
			`{"level":"warn","pid":PID,"role":"works","conn":88,"req_id":18446744073709551615,` +
				`"opcode":"TRANSFER","status":"ERR_NOT_FOUND",` +
				`"i":-9223372036854775808,"u":18446744073709551615,"f":0.25,"b":true,"t":"line\nbreak","nan":"NaN","empty":"",` +
				`TIME,"message":"refused \"so\" €"}`,
			`{"level":"trace","pid":PID,"role":"works",TIME,"message":"now"}`,
			flood, flood,
			`{"level":"info","pid":PID,"role":"works","event":"flood","suppressed":98,TIME,"message":"repeated"}`,
			`{"level":"info","pid":PID,"role":"works","event":"flood","suppressed":1,TIME,"message":"repeated"}`,
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) != len(want)+1 {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want)+1, text)
		}
		for i := range want {
			var fields struct{ Time string }
			if err := json.Unmarshal([]byte(lines[i]), &fields); err != nil {
				t.Errorf("line %q: %v", lines[i], err)
			}
			at, err := time.Parse("2006-01-02T15:04:05.000000Z", fields.Time)
			if err != nil || time.Since(at).Abs() > time.Hour {
				t.Errorf("time %q: %v", fields.Time, err)
			}
			got := strings.Replace(lines[i], `"time":"`+fields.Time+`"`, "TIME", 1)
			if got = strings.Replace(got, `"pid":`+pid, `"pid":PID`, 1); got != want[i] {
				t.Errorf("got  %s\nwant %s", got, want[i])
			}
		}
		last := lines[len(want)]
		if !strings.Contains(last, "ERR") || !strings.Contains(last, "role=works") || strings.Contains(last, "\x1b") {
			t.Errorf("the console line is %q", last)
		}
	})
}

func TestLogOnStderr(t *testing.T) {
	program := compile(t, c11, "works.c", append(archive(libs(t), "tradechat"), "-pthread")...)
	cmd := command(t, program, "console")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || !strings.Contains(stderr.String(), "WRN for people") {
		t.Errorf("%v, %q", err, &stderr)
	}
}

func TestSockets(t *testing.T) {
	each(t, func(t *testing.T, program string) {
		folder, err := os.MkdirTemp("", "tc") // short: a socket's path goes in there
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
		run(t, command(t, program, "net", folder))
	})
}
