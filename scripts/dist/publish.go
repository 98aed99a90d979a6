package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	modzip "golang.org/x/mod/zip"
)

// ours begins the path of every module of this repository.
const ours = "tradechat.internal/"

// licenseFile goes into every module: each is distributed alone.
const licenseFile = "LICENSE"

// moduleFolders are the folders of the modules that go.work uses.
func moduleFolders(source string) (folders []string, err error) {
	path := filepath.Join(source, "go.work")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(path, text, nil)
	if err != nil {
		return nil, err
	}
	for _, use := range work.Use {
		folders = append(folders, filepath.FromSlash(use.Path))
	}
	return folders, nil
}

// publish writes one module.
func publish(source, folder, out string, r revision) error {
	dir := filepath.Join(source, folder)
	path, mod, err := publishedMod(filepath.Join(dir, "go.mod"), r.version)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644); err != nil {
		return err
	}
	license, err := os.ReadFile(filepath.Join(source, licenseFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, licenseFile), license, 0o644)
	}
	if err != nil {
		return err
	}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return err
	}
	to := filepath.Join(out, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{r.version, r.time})
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(to, r.version+".info"), append(info, '\n'), 0o644),
		os.WriteFile(filepath.Join(filepath.Dir(to), "@latest"), append(info, '\n'), 0o644),
		os.WriteFile(filepath.Join(to, r.version+".mod"), mod, 0o644),
		writeZip(filepath.Join(to, r.version+".zip"), module.Version{Path: path, Version: r.version}, dir),
		writeList(filepath.Join(to, "list"), r.version),
	)
}

// publishedMod is a go.mod without what holds in this repository only.
func publishedMod(file, version string) (path string, mod []byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	f, err := modfile.Parse(file, text, nil)
	if err != nil {
		return "", nil, err
	}
	for _, replaced := range slices.Clone(f.Replace) {
		if !strings.HasPrefix(replaced.Old.Path, ours) {
			return "", nil, fmt.Errorf("%s replaces %s, which a program that requires this module would not", file, replaced.Old.Path)
		}
		if err := f.DropReplace(replaced.Old.Path, replaced.Old.Version); err != nil {
			return "", nil, err
		}
	}
	for _, required := range f.Require {
		if strings.HasPrefix(required.Mod.Path, ours) {
			if err := f.AddRequire(required.Mod.Path, version); err != nil {
				return "", nil, err
			}
		}
	}
	f.Cleanup()
	mod, err = f.Format()
	return f.Module.Mod.Path, mod, err
}

func writeZip(path string, m module.Version, dir string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(modzip.CreateFromDir(file, m, dir), file.Close())
}

// writeList adds the version to those that are there. Pseudo-versions are not listed: who wants one names it.
func writeList(path, version string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	versions := strings.Fields(string(text))
	if !module.IsPseudoVersion(version) && !slices.Contains(versions, version) {
		versions = append(versions, version)
	}
	semver.Sort(versions)
	var list strings.Builder
	for _, v := range versions {
		list.WriteString(v + "\n")
	}
	return os.WriteFile(path, []byte(list.String()), 0o644)
}
