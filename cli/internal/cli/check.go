package cli

import (
	"errors"
	"fmt"
	"time"

	"tradechat.internal/libproto"
)

// errArgument is the error of an argument that is refused without asking a server.
var errArgument = errors.New("wrong argument")

func checkName(name string) error {
	if libproto.ValidName([]byte(name)) {
		return nil
	}
	return fmt.Errorf("%w: %.64q is not a name: want 1 to %d of A-Z a-z 0-9 _ . -", errArgument, name, libproto.NameLenMax)
}

func checkText(text string) error {
	switch {
	case text == "":
		return fmt.Errorf("%w: the message is empty", errArgument)
	case !libproto.ValidText([]byte(text)):
		return fmt.Errorf("%w: the message is not UTF-8 text", errArgument)
	}
	return nil
}

func checkRange[T int | time.Duration](flag string, value, least, most T) error {
	if least <= value && value <= most {
		return nil
	}
	return fmt.Errorf("%w: %s %v: want %v to %v", errArgument, flag, value, least, most)
}
