package liblog

import "time"

const (
	// RepeatEvents and RepeatWindow are the RepeatLimit that Options leaves zero.
	RepeatEvents = 5
	RepeatWindow = 10 * time.Second

	// RepeatKeysMax bounds the keys that Limited tells apart. Further keys share one entry: they are still
	// written and counted, but together.
	RepeatKeysMax = 256
)
