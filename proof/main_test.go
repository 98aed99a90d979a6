package proof_test

import (
	"testing"

	"tradechat.internal/testkit/programs"
)

func TestMain(m *testing.M) { programs.Main(m) }
