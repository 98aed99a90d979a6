// Command gen writes what package gen generates. It runs in libproto's folder: go generate ./libproto
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tradechat.internal/libproto/internal/gen"
)

func main() {
	if err := run(".", ".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(source, root string) error {
	p, err := gen.Read(source)
	if err != nil {
		return err
	}
	files, err := p.Files(root)
	if err != nil {
		return err
	}
	stale, err := gen.Stale(root, files)
	if err != nil {
		return err
	}
	slices.Sort(stale)
	for _, path := range stale {
		if err := os.WriteFile(filepath.Join(root, path), []byte(files[path]), 0o644); err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}
