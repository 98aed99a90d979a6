package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// pending is a flag's text until Load parses it: one parser and one wording for flags, environment and file.
type pending struct {
	given string
	kind  string
}

func (p *pending) String() string     { return p.given }
func (p *pending) Set(s string) error { p.given = s; return nil }
func (p *pending) Type() string       { return p.kind }

// AddFlags declares a flag for each setting, and --config.
func AddFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	defaults := Defaults()
	for _, o := range options(&defaults) {
		addFlag(flags, o)
	}
	flags.Var(&pending{kind: "file"}, fileOption, "TOML file of settings; flags and TRADECHAT_ variables override it")
}

func addFlag(flags *pflag.FlagSet, o option) {
	p := &pending{given: o.value.String(), kind: o.value.Type()}
	f := flags.VarPF(p, o.name, "", fmt.Sprintf("%s [%s]", o.help, o.value.allowed()))
	f.DefValue = o.defaultText()
	if _, isToggle := o.value.(toggle); isToggle {
		f.NoOptDefVal, f.DefValue, f.Usage = "true", "false", o.help
	}
}

// Table is the settings as the Markdown table that docs/config.md holds.
func Table() string {
	var b strings.Builder
	b.WriteString("| flag | environment | file | default | allowed | what it is |\n|---|---|---|---|---|---|\n")
	defaults := Defaults()
	for _, o := range options(&defaults) {
		env, key := "`"+o.env()+"`", "`"+o.name+"`"
		if o.flagOnly {
			env, key = "–", "–"
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s | %s | %s | %s |\n", o.name, env, key, o.defaultText(), o.value.allowed(), o.help)
	}
	fmt.Fprintf(&b, "| `--%s` | `%s%s` | – | none | a path | TOML file of settings |\n", fileOption, EnvPrefix,
		strings.ToUpper(fileOption))
	return b.String()
}
