package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain gives each benchmark a fifth of a second, so that all of them take some minutes, unless -benchtime says otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.benchtime" })
	if !chosen {
		if err := flag.Set("test.benchtime", "0.2s"); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
