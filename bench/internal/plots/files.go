package plots

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write puts table, drawings and script of a figure into a folder.
func (f *Figure) Write(folder string) error {
	for _, file := range []struct {
		extension string
		write     func(io.Writer) error
	}{{".csv", f.Table.CSV}, {".svg", f.SVG}, {".png", f.PNG}, {".gp", f.Gnuplot}} {
		if err := writeFile(filepath.Join(folder, f.Table.Name+file.extension), file.write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	return errors.Join(write(file), file.Close())
}
