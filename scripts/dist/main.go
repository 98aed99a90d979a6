// Command dist writes the modules of a commit as a module proxy: a folder of files with which any Go program can require them.
//
//	git archive HEAD ─▶ go.mod: no replace, v0.0.0 becomes the version ─▶ OUT/tradechat.internal/MODULE/@v/
//	                                                                         list  VERSION.info  VERSION.mod  VERSION.zip
//
// The layout is that of https://go.dev/ref/mod#goproxy-protocol. The version is the commit's tag vX.Y.Z, or else a pseudo-version
// that Go itself would give it. The folder may hold other versions already: they stay.
//
// # Invariants
//
//   - What is not committed is not published. One version always has the same files.
//   - A published go.mod names only versions that are published beside it.
package main

import (
	"flag"
	"fmt"
	"os"

	"golang.org/x/mod/module"
)

func main() {
	out := flag.String("out", "dist/proxy", "`folder` of the module proxy")
	repository := flag.String("repository", ".", "`folder` of the git repository")
	versionOnly := flag.Bool("version", false, "print the version, and write nothing")
	flag.Parse()
	if err := run(*repository, *out, *versionOnly); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(repository, out string, versionOnly bool) error {
	r, err := readRevision(repository)
	if err != nil {
		return err
	}
	fmt.Println(r.version)
	if versionOnly {
		return nil
	}
	source, err := os.MkdirTemp("", "tradechat-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(source)
	if err := r.extract(source); err != nil {
		return err
	}
	folders, err := moduleFolders(source)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := publish(source, folder, out, r); err != nil {
			return fmt.Errorf("module %s: %w", folder, err)
		}
	}
	return nil
}

// checkVersion refuses versions that the modules' paths, which have no /v2, cannot have.
func checkVersion(version string) error {
	if err := module.CheckPathMajor(version, ""); err != nil {
		return fmt.Errorf("the tag %s: %w → a version from v2 on needs other module paths", version, err)
	}
	return nil
}
