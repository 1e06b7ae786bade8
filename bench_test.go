// Package avcu has no code of its own: the program is cmd/avcu.
package avcu

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkAll is for those who write go test -bench ./bench: Go takes ./bench for the names of benchmarks in this folder, of
// which this one then runs what is meant, go test -bench . ./bench.
func BenchmarkAll(b *testing.B) {
	b.Run("bench", func(b *testing.B) {
		if filepath.Clean(flag.Lookup("test.bench").Value.String()) != "bench" {
			b.Skip("go test -bench . ./bench runs the benchmarks")
		}
		args := []string{"test", "-run", "^$", "-bench", "."}
		flag.Visit(func(f *flag.Flag) {
			if f.Name == "test.benchtime" || f.Name == "test.benchmem" {
				args = append(args, "-"+f.Name+"="+f.Value.String())
			}
		})
		c := exec.Command("go", append(args, "./bench")...)
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
	})
}
