package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

var (
	compiled = regexp.MustCompile(`Compiling entry function '(\w+)' for`)
	spilled  = regexp.MustCompile(`(\d+) bytes spill stores, (\d+) bytes spill loads`)
	used     = regexp.MustCompile(`Used (\d+) registers`)
	smem     = regexp.MustCompile(`(\d+) bytes smem`)
)

// assemble runs ptxas on every kernel and returns what each entry takes, and the folder of cubins.
func assemble(ptxas, kernels, dir string) (map[string]limits, error) {
	files, err := filepath.Glob(filepath.Join(kernels, "*", "*.ptx"))
	if err != nil {
		return nil, err
	}
	found := map[string]limits{}
	for _, f := range files {
		cubin := filepath.Join(dir, filepath.Base(f)+".cubin")
		out, err := exec.Command(ptxas, "-arch=sm_61", "-v", f, "-o", cubin).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("ptxas: %s: %w\n%s", f, err, out)
		}
		parse(string(out), found)
	}
	return found, nil
}

// parse reads what ptxas -v prints.
func parse(out string, found map[string]limits) {
	at := compiled.FindAllStringSubmatchIndex(out, -1)
	for i, m := range at {
		end := len(out)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		part := out[m[0]:end]
		var l limits
		if s := spilled.FindStringSubmatch(part); s != nil {
			l.spills = number(s[1]) + number(s[2])
		}
		if s := used.FindStringSubmatch(part); s != nil {
			l.registers = number(s[1])
		}
		if s := smem.FindStringSubmatch(part); s != nil {
			l.shared = number(s[1])
		}
		found[out[m[2]:m[3]]] = l
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

var (
	function = regexp.MustCompile(`(?m)^\.text\.(\w+):`)
	line     = regexp.MustCompile(`^\s*/\*([0-9a-f]{4,})\*/\s+(?:\{\s*)?(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)(.*)`)
	label    = regexp.MustCompile(`^(\.L_\S+):`)
	branch   = regexp.MustCompile("`\\((\\.L_\\S+)\\)")
)

// mix is the share of FFMA among the instructions of each entry's hottest loop: the one with most of
// them, in SASS.
func mix(nvdisasm, dir string) (map[string]float64, error) {
	cubins, err := filepath.Glob(filepath.Join(dir, "*.cubin"))
	if err != nil {
		return nil, err
	}
	shares := map[string]float64{}
	for _, f := range cubins {
		out, err := exec.Command(nvdisasm, "-c", f).Output()
		if err != nil {
			return nil, fmt.Errorf("nvdisasm: %s: %w", f, err)
		}
		text := string(out)
		at := function.FindAllStringSubmatchIndex(text, -1)
		for i, m := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			shares[text[m[2]:m[3]]] = hottest(text[m[1]:end])
		}
	}
	return shares, nil
}

// hottest looks at every backward branch of a function's text.
func hottest(text string) float64 {
	labels := map[string]int{}
	count, fma := 0, 0
	prefix := []int{0} // FFMA before instruction i
	best, share := 0, 0.0
	for _, l := range regexp.MustCompile(`\r?\n`).Split(text, -1) {
		if m := label.FindStringSubmatch(l); m != nil {
			labels[m[1]] = count
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		count++
		if m[2] == "FFMA" || len(m[2]) > 5 && m[2][:5] == "FFMA." {
			fma++
		}
		prefix = append(prefix, fma)
		if m[2] != "BRA" {
			continue
		}
		if to := branch.FindStringSubmatch(m[3]); to != nil {
			if from, ok := labels[to[1]]; ok && from < count {
				if n := fma - prefix[from]; n > best {
					best, share = n, float64(n)/float64(count-from)
				}
			}
		}
	}
	return share
}

func tool(env, name string) string {
	if p := os.Getenv(env); p != "" {
		return p
	}
	p, _ := exec.LookPath(name)
	return p
}
