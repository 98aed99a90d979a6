package realtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNoResults says that a folder has no result of any test.
var ErrNoResults = errors.New("no results")

// Read reads the results in a folder, in the order of the tests.
func Read(folder string) (results []Result, err error) {
	for _, name := range Names() {
		text, err := os.ReadFile(filepath.Join(folder, name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("realtest: %w", err)
		}
		var r Result
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("realtest: %s.json: %w", name, err)
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("realtest: %s: %w: `tradechat-bench real-test --out %s` makes them", folder, ErrNoResults, folder)
	}
	return results, nil
}
