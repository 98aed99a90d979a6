package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// fileOption is the name of the flag and (upper case, prefixed) the variable that name the file itself.
const fileOption = "config"

// layer is what one source says, and how a message calls that source.
type layer struct {
	values *koanf.Koanf
	source func(o option) string
	acts   bool // may hold flag-only options
}

// Load merges the defaults, the file, the environment (environ is os.Environ's form) and the flags that were given, and
// validates the outcome. flags must have been prepared by AddFlags and parsed.
func Load(flags *pflag.FlagSet, environ []string) (Config, error) {
	fromEnv, err := environmentLayer(environ)
	if err != nil {
		return Config{}, err
	}
	fromFile, err := fileLayer(filePath(flags, environ))
	if err != nil {
		return Config{}, err
	}
	c := Defaults()
	for _, l := range []layer{fromFile, fromEnv, flagLayer(flags)} {
		if err := l.apply(&c); err != nil {
			return Config{}, err
		}
	}
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return Config{}, fmt.Errorf("%w: --data: %w", ErrInvalid, err)
	}
	return c, c.Validate()
}

// apply puts the layer's values into c.
func (l layer) apply(c *Config) error {
	table := options(c)
	for _, key := range l.values.Keys() {
		o, ok := optionByName(table, key)
		if !ok {
			return fmt.Errorf("%w: %s is not a setting; `tradechatd --help` lists them", ErrInvalid, l.source(option{name: key}))
		}
		if o.flagOnly && !l.acts {
			return fmt.Errorf("%w: %s: this can be given as a flag only (--%s)", ErrInvalid, l.source(o), o.name)
		}
		given := l.values.String(key)
		if err := o.value.Set(given); err != nil {
			return o.refusal(given, l.source(o))
		}
	}
	return nil
}

func flagLayer(flags *pflag.FlagSet) layer {
	given := map[string]any{}
	flags.Visit(func(f *pflag.Flag) {
		if _, ours := f.Value.(*pending); ours && f.Name != fileOption {
			given[f.Name] = f.Value.String()
		}
	})
	return layer{values: loaded(confmap.Provider(given, "")), source: func(option) string { return "" }, acts: true}
}

// environmentLayer reads the TRADECHAT_ variables; one that is neither a setting, nor the client's, nor an
// orchestrator's is an error.
func environmentLayer(environ []string) (layer, error) {
	table := options(new(Config))
	var unknown []string
	transform := func(name, value string) (string, any) {
		key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, EnvPrefix), "_", "-"))
		if key == fileOption || slices.Contains(clientVariables, name) {
			return "", nil
		}
		if o, ok := optionByName(table, key); ok && o.env() == name {
			return key, value
		}
		if !isOrchestrators(name, value) {
			unknown = append(unknown, name)
		}
		return "", nil
	}
	values := loaded(env.Provider("", env.Opt{
		Prefix:        EnvPrefix,
		TransformFunc: transform,
		EnvironFunc:   func() []string { return environ },
	}))
	if len(unknown) > 0 {
		return layer{}, fmt.Errorf("%w: unknown variable in the environment: %s", ErrInvalid, strings.Join(unknown, ", "))
	}
	return layer{values: values, source: option.env}, nil
}

// loaded reads a provider that cannot fail: all of them work on maps that are in memory already.
func loaded(p koanf.Provider) *koanf.Koanf {
	k := koanf.New(".")
	if err := k.Load(p, nil); err != nil {
		panic(fmt.Sprintf("config: a provider in memory failed: %v", err))
	}
	return k
}

// filePath is the file that the flag or, without it, the environment names; empty for none.
func filePath(flags *pflag.FlagSet, environ []string) string {
	if f := flags.Lookup(fileOption); f != nil && f.Changed {
		return f.Value.String()
	}
	name := EnvPrefix + strings.ToUpper(fileOption) + "="
	path := ""
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name); ok {
			path = value
		}
	}
	return path
}

func fileLayer(path string) (layer, error) {
	k := koanf.New(".")
	if path == "" {
		return layer{values: k}, nil
	}
	content, err := readFile(path)
	if err != nil {
		return layer{}, fmt.Errorf("%w: --config %q: %w", ErrInvalid, path, err)
	}
	if err := k.Load(rawbytes.Provider(content), toml.Parser()); err != nil {
		return layer{}, fmt.Errorf("%w: --config %q is not TOML: %w", ErrInvalid, path, err)
	}
	return layer{values: k, source: func(o option) string { return fmt.Sprintf("%s in %s", o.name, path) }}, nil
}

// readFile reads at most FileBytesMax: the path may be a device by mistake.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var content bytes.Buffer
	n, err := io.Copy(&content, io.LimitReader(f, FileBytesMax+1))
	if err != nil {
		return nil, err
	}
	if n > FileBytesMax {
		return nil, fmt.Errorf("longer than %d bytes", FileBytesMax)
	}
	return content.Bytes(), nil
}
