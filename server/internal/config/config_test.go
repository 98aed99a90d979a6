package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"pgregory.net/rapid"
)

// load runs Load as the command does: args through a flag set, environ as given, file (if not empty) through --config.
func load(t *testing.T, file string, environ []string, args ...string) (Config, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "conf.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	flags := pflag.NewFlagSet("tradechatd", pflag.ContinueOnError)
	AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(flags, environ)
}

func TestDefaultsAreValid(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Data, _ = filepath.Abs(want.Data)
	if c != want {
		t.Fatalf("nothing given: %+v, want the defaults %+v", c, want)
	}
}

func TestLaterSourcesWin(t *testing.T) {
	const file = "workers = 2\nmax-rooms = 20\nidle-timeout = \"30s\"\n"
	environ := []string{"TRADECHAT_WORKERS=3", "TRADECHAT_MAX_ROOMS=30", "PATH=/bin"}
	for _, c := range []struct {
		name, file    string
		environ, args []string
		workers       int
		rooms         uint32
		idle          time.Duration
	}{
		{"file", file, nil, nil, 2, 20, 30 * time.Second},
		{"environment over file", file, environ, nil, 3, 30, 30 * time.Second},
		{"flag over both", file, environ, []string{"--workers=4"}, 4, 30, 30 * time.Second},
		{"environment alone", "", environ, nil, 3, 30, time.Minute},
		{"a flag at the default's value wins too", file, environ, []string{"--max-rooms", "256"}, 3, 256, 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.file, c.environ, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Workers != c.workers || got.RoomsMax != c.rooms || got.IdleTimeout != c.idle {
				t.Fatalf("workers %d, rooms %d, idle %v; want %d, %d, %v", got.Workers, got.RoomsMax, got.IdleTimeout,
					c.workers, c.rooms, c.idle)
			}
		})
	}
}

func TestFileNamedByTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf.toml")
	if err := os.WriteFile(path, []byte("workers = 5"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "", []string{"TRADECHAT_CONFIG=" + path})
	if err != nil || c.Workers != 5 {
		t.Fatalf("workers %d, %v; want 5 from the file", c.Workers, err)
	}
}

func TestClientVariablesPass(t *testing.T) {
	environ := []string{"TRADECHAT_SERVER=a:1", "TRADECHAT_USER=u", "TRADECHAT_PASSWORD=p", "TRADECHATD_OTHER=x"}
	if _, err := load(t, "", environ); err != nil {
		t.Fatal(err)
	}
}

func TestUnknownNamesAreErrors(t *testing.T) {
	for _, c := range []struct {
		name, file string
		environ    []string
		want       string
	}{
		{"variable", "", []string{"TRADECHAT_WORKER=3"}, "TRADECHAT_WORKER"},
		{"variable in another case", "", []string{"TRADECHAT_workers=3"}, "TRADECHAT_workers"},
		{"key", "worker = 3", nil, "worker in "},
		{"table", "[limits]\nworkers = 3", nil, "limits.workers in "},
		{"fresh in the file", "fresh = true", nil, "--fresh"},
		{"fresh in the environment", "", []string{"TRADECHAT_FRESH=1"}, "--fresh"},
		{"config in the file", `config = "x"`, nil, "config in "},
		{"not TOML", "workers: 3", nil, "not TOML"},
		{"list", "workers = [1, 2]", nil, "workers in "},
		{"fraction", "workers = 1.5", nil, "workers in "},
		{"no such file", "", []string{"TRADECHAT_CONFIG=/nonexistent/x.toml"}, "/nonexistent/x.toml"},
		{"folder as file", "", []string{"TRADECHAT_CONFIG=/"}, `--config "/"`},
		{"endless file", "", []string{"TRADECHAT_CONFIG=/dev/zero"}, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.file, c.environ)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want ErrInvalid naming %s", err, c.want)
			}
		})
	}
}

// badValues holds values that each setting must refuse. TestEveryBadValue checks that no setting is missing here.
var badValues = map[string][]string{
	"listen":             {"", "7878", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "::1:7878"},
	"workers":            {"", "0", "65", "-1", "two", "1.5", "0x2", "9223372036854775808"},
	"data":               {"", "a\x00b"},
	"fresh":              {"", "yes", "2"},
	"registration":       {"", "Open", "half"},
	"lock-mode":          {"", "row", "GLOBAL"},
	"durability":         {"", "Sync", "fsync", "0"},
	"snapshot-every":     {"", "0", "999", "1000000001"},
	"journal-retain":     {"", "-1", "1000001"},
	"journal-file":       {"", "1", "1025", "64MiB"},
	"session-ttl":        {"", "0", "999ms", "169h", "600"},
	"log-records":        {"", "0", "1000", "131073", "512", "134217728"},
	"max-users":          {"", "15", "4194305", "-16", "4294967312"},
	"max-sessions":       {"", "15", "1048577"},
	"max-rooms":          {"", "0", "16385"},
	"max-body":           {"", "1023", "1048577"},
	"max-message":        {"", "0", "15361"},
	"max-outbound":       {"", "4095", "1073741825"},
	"rate-limit":         {"", "-1", "10000001"},
	"max-per-address":    {"-1", "1000001", "many"},
	"idle-timeout":       {"", "0", "99ms", "25h", "60", "-1s"},
	"login-timeout":      {"", "0", "99ms", "11m"},
	"heartbeat-interval": {"", "0", "49ms", "13h"},
	"kdf-iterations":     {"", "0", "4095", "10000001"},
	"watchdog":           {"", "0", "499ms", "11m"},
	"stats-every":        {"", "99ms", "25h", "-1s"},
	"log-level":          {"", "verbose", "INFO"},
	"log-format":         {"", "text"},
}

func TestEveryBadValue(t *testing.T) {
	for _, o := range options(new(Config)) {
		if len(badValues[o.name]) == 0 {
			t.Errorf("no bad values for --%s", o.name)
		}
		for _, bad := range badValues[o.name] {
			checkRefused(t, o, bad, nil, "--"+o.name+"="+bad)
			if !o.flagOnly {
				checkRefused(t, o, bad, []string{o.env() + "=" + bad})
			}
		}
	}
}

func checkRefused(t *testing.T, o option, bad string, environ []string, args ...string) {
	t.Helper()
	_, err := load(t, "", environ, args...)
	if !errors.Is(err, ErrInvalid) {
		t.Errorf("%s: %q taken, error %v", o.name, bad, err)
		return
	}
	parts := []string{"--" + o.name, "allowed: " + o.value.allowed()}
	if environ != nil {
		parts = append(parts, o.env())
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: message %q lacks %q", o.name, err, part)
		}
	}
}

func TestSettingsThatDependOnOneAnother(t *testing.T) {
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--max-message 4096 does not fit into --max-body 4096", []string{"--max-body=4096"}},
		{"--max-outbound 65536 cannot hold one frame of --max-body 65536", []string{"--max-outbound=65536"}},
		{"--heartbeat-interval 1m is not shorter than --idle-timeout 1m", []string{"--heartbeat-interval=1m"}},
	} {
		_, err := load(t, "", nil, c.args...)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.args, err, c.want)
		}
	}
}

// TestTextFormsRoundTrip: what a setting prints is what it reads, wherever in its bounds it is.
func TestTextFormsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Defaults()
		c.Workers = rapid.IntRange(1, WorkersMax).Draw(t, "workers")
		c.OutboundBytesMax = rapid.Uint32Range(OutboundBytesLeast, OutboundBytesMost).Draw(t, "outbound")
		c.IdleTimeout = time.Duration(rapid.Int64Range(int64(idleLeast), int64(idleMost)).Draw(t, "idle"))
		c.StatsEvery = time.Duration(rapid.SampledFrom([]int64{0, int64(statsLeast), int64(statsMost)}).Draw(t, "stats"))
		c.Fresh = rapid.Bool().Draw(t, "fresh")
		var back Config
		source, target := options(&c), options(&back)
		for i := range source {
			if err := target[i].value.Set(source[i].value.String()); err != nil {
				t.Fatalf("--%s does not take its own %q", source[i].name, source[i].value)
			}
		}
		if back != c {
			t.Fatalf("read back %+v, wrote %+v", back, c)
		}
	})
}

func TestConfigSurvivesJSON(t *testing.T) {
	c := Defaults()
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(encoded, &back); err != nil || back != c {
		t.Fatalf("%+v, %v; want %+v", back, err, c)
	}
}

func TestFlagHelpNamesEverySetting(t *testing.T) {
	flags := pflag.NewFlagSet("tradechatd", pflag.ContinueOnError)
	AddFlags(flags)
	usage := flags.FlagUsages()
	for _, o := range options(new(Config)) {
		if !strings.Contains(usage, "--"+o.name) || !strings.Contains(usage, o.help) {
			t.Errorf("help lacks --%s", o.name)
		}
	}
}

// TestDocsHoldTheTable keeps docs/config.md in step. To write it anew: CONFIG_DOCS=write go test ./internal/config
func TestDocsHoldTheTable(t *testing.T) {
	const path, begin, end = "../../../docs/config.md", "<!-- settings -->\n", "<!-- /settings -->\n"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(content), begin)
	table, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, begin, end)
	}
	if table == Table() {
		return
	}
	if os.Getenv("CONFIG_DOCS") != "write" {
		t.Fatalf("%s differs from the table of settings; run CONFIG_DOCS=write go test ./internal/config", path)
	}
	if err := os.WriteFile(path, []byte(head+begin+Table()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOrchestratorVariables: those of a service called tradechat are ignored, those of a person who errs are not.
func TestOrchestratorVariables(t *testing.T) {
	theirs := []string{
		"TRADECHAT_SERVICE_HOST=10.0.0.9", "TRADECHAT_SERVICE_PORT=7878", "TRADECHAT_SERVICE_PORT_CHAT=7878",
		"TRADECHAT_PORT=tcp://10.0.0.9:7878", "TRADECHAT_PORT_7878_TCP=tcp://10.0.0.9:7878", "TRADECHAT_PORT_7878_TCP_PROTO=tcp",
		"TRADECHAT_PORT_7878_TCP_PORT=7878", "TRADECHAT_PORT_7878_TCP_ADDR=10.0.0.9",
		"TRADECHAT_SERVER_SERVICE_HOST=fd00::9", "TRADECHAT_SERVER_PORT=tcp://[fd00::9]:7878", "TRADECHAT_SERVER_PORT_7878_TCP_ADDR=fd00::9",
		"TRADECHAT_PORT_53_UDP=udp://10.0.0.9:53", "TRADECHAT_NAME=/web/tradechat", "TRADECHAT_ENV_PATH=/bin",
	}
	environ := append(slices.Clone(theirs), "TRADECHAT_WORKERS=3", "OTHER_SERVICE_HOST=10.0.0.9", "TRADECHATS_PORT=tcp://10.0.0.9:1")
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(flags)
	c, err := Load(flags, environ)
	if err != nil || c.Workers != 3 {
		t.Errorf("%d workers, %v; want 3", c.Workers, err)
	}
	var names []string
	for _, entry := range theirs {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	if got := OrchestratorVariables(environ); !slices.Equal(got, names) {
		t.Errorf("got %v, want %v", got, names)
	}
	for _, entry := range []string{
		"TRADECHAT_PORT=7878", "TRADECHAT_PORT=", "TRADECHAT_SERVICE_HOST=chat.example.org", "TRADECHAT_SERVICE_PORT=many", "TRADECHAT_HOST=10.0.0.9",
		"TRADECHAT_LISTEN_PORT=7878", "TRADECHAT_PORT_7878_TCP=yes", "TRADECHAT_PORT_7878_TCP_ADDR=here", "TRADECHAT_WORKER=3", "TRADECHAT_NAME=me",
		"TRADECHAT_PORT_MANY_TCP=tcp://10.0.0.9:7878",
	} {
		name, _, _ := strings.Cut(entry, "=")
		if _, err := Load(flags, []string{entry}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want it refused", entry, err)
		}
	}
}
