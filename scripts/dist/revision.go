package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// revisionLen is how many digits of a commit's hash are in a pseudo-version.
const revisionLen = 12

// revision is the commit that is published.
type revision struct {
	repository string
	hash       string
	time       time.Time
	version    string
}

// readRevision finds the commit that is checked out, and its version.
func readRevision(repository string) (revision, error) {
	r := revision{repository: repository}
	var err error
	if r.hash, err = r.git("rev-parse", "--verify", "HEAD"); err != nil {
		return r, err
	}
	at, err := r.git("show", "-s", "--format=%cI", "HEAD")
	if err != nil {
		return r, err
	}
	if r.time, err = time.Parse(time.RFC3339, at); err != nil {
		return r, fmt.Errorf("the time of commit %s: %w", r.hash, err)
	}
	r.time = r.time.UTC()
	here, err := r.newestTag("tag", "--points-at", "HEAD")
	if err != nil {
		return r, err
	}
	before, err := r.newestTag("tag", "--merged", "HEAD")
	if err != nil {
		return r, err
	}
	if r.version = here; here == "" {
		r.version = module.PseudoVersion("v0", before, r.time, r.hash[:revisionLen])
	}
	return r, checkVersion(r.version)
}

// newestTag is the highest of the tags that are versions; empty if there is none.
func (r revision) newestTag(args ...string) (newest string, err error) {
	tags, err := r.git(args...)
	for tag := range strings.FieldsSeq(tags) {
		if semver.Canonical(tag) == tag && semver.Compare(tag, newest) > 0 {
			newest = tag
		}
	}
	return newest, err
}

// extract writes the files of the commit into a folder.
func (r revision) extract(folder string) error {
	archive := exec.Command("git", "-C", r.repository, "archive", "--format=tar", r.hash)
	extract := exec.Command("tar", "-x", "-C", folder)
	var problems bytes.Buffer
	archive.Stderr, extract.Stderr = &problems, &problems
	pipe, err := archive.StdoutPipe()
	if err != nil {
		return err
	}
	extract.Stdin = pipe
	if err := archive.Start(); err != nil {
		return err
	}
	if err := extract.Run(); err != nil {
		_ = archive.Process.Kill()
		_ = archive.Wait()
		return fmt.Errorf("tar: %w: %s", err, &problems)
	}
	if err := archive.Wait(); err != nil {
		return fmt.Errorf("git archive: %w: %s", err, &problems)
	}
	return nil
}

func (r revision) git(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", r.repository}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w → modules are published from a git repository", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
