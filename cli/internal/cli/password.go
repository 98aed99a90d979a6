package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

var (
	errNoPassword      = errors.New("no password")
	errPasswordsDiffer = errors.New("the two passwords differ")
	errPasswordTooLong = fmt.Errorf("the password is longer than %d bytes", passwordLenMax)
	errPasswordFile    = errors.New("the first line of the password file is empty")
)

// password gets user's password from the file, the environment or the terminal; a new one is asked for twice there.
func (a *app) password(ctx context.Context, user string, isNew bool) (string, error) {
	if a.passwordFile != "" {
		return passwordFromFile(a.passwordFile)
	}
	if password := a.std.Getenv("TRADECHAT_PASSWORD"); password != "" {
		return password, checkPasswordLen(password)
	}
	terminal, ok := a.std.In.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return "", hinted{errNoPassword, "set TRADECHAT_PASSWORD, give --password-file, or run it in a terminal"}
	}
	password, err := a.prompt(ctx, terminal, fmt.Sprintf("Password for %s: ", user))
	if err != nil || !isNew {
		return password, err
	}
	again, err := a.prompt(ctx, terminal, "The same again: ")
	if err == nil && again != password {
		return "", errPasswordsDiffer
	}
	return password, err
}

// prompt asks without echo. An interrupt leaves the terminal as it was.
func (a *app) prompt(ctx context.Context, terminal *os.File, label string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("the terminal: %w", err)
	}
	fmt.Fprint(a.std.Err, label)
	defer fmt.Fprintln(a.std.Err)
	type entry struct {
		password []byte
		err      error
	}
	entered := make(chan entry, 1)
	go func() {
		password, err := term.ReadPassword(fd)
		entered <- entry{password, err}
	}()
	select {
	case e := <-entered:
		return checkEntry(e.password, e.err)
	case <-ctx.Done():
		// The reader stays behind in its read; the process is about to end.
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

func checkEntry(password []byte, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	if len(password) == 0 {
		return "", errNoPassword
	}
	return string(password), checkPasswordLen(string(password))
}

// passwordFromFile reads the first line; the path may be a pipe.
func passwordFromFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, passwordLenMax+int64(len("\r\n"))))
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	line, _, _ := bytes.Cut(content, []byte("\n"))
	password := string(bytes.TrimSuffix(line, []byte("\r")))
	if password == "" {
		return "", fmt.Errorf("%w: %s", errPasswordFile, path)
	}
	return password, checkPasswordLen(password)
}

func checkPasswordLen(password string) error {
	if len(password) > passwordLenMax {
		return errPasswordTooLong
	}
	return nil
}
