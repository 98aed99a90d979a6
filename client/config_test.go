package client_test

import (
	"strings"
	"testing"
	"time"

	"tradechat.internal/client"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := client.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestConfigThatIsRefused(t *testing.T) {
	for field, change := range map[string]func(*client.Config){
		"Address":      func(c *client.Config) { c.Address = "" },
		"Agent":        func(c *client.Config) { c.Agent = strings.Repeat("x", 257) },
		"DialTimeout":  func(c *client.Config) { c.DialTimeout = 0 },
		"CallTimeout":  func(c *client.Config) { c.CallTimeout = -time.Second },
		"PipelineMax":  func(c *client.Config) { c.PipelineMax = 0 },
		"PushesMax":    func(c *client.Config) { c.PushesMax = 1<<20 + 1 },
		"TriesMax":     func(c *client.Config) { c.TriesMax = 0 },
		"BusyWaitMax":  func(c *client.Config) { c.BusyWaitMax = -1 },
		"ReconnectFor": func(c *client.Config) { c.ReconnectFor = -1 },
	} {
		cfg := client.DefaultConfig()
		change(&cfg)
		err := cfg.Validate()
		wantIs(t, err, client.ErrConfig)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
		if _, dialErr := client.Dial(t.Context(), cfg); dialErr == nil || dialErr.Error() != err.Error() {
			t.Errorf("Dial: got %v, want %v", dialErr, err)
		}
	}
}

func TestAgentWithNULIsRefused(t *testing.T) {
	cfg := client.DefaultConfig()
	cfg.Agent = "a\x00b"
	wantIs(t, cfg.Validate(), client.ErrConfig)
}
