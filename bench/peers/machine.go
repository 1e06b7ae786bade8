package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is where and when a run took place.
type machine struct {
	CPU         string
	Cores       int
	Memory      string
	System      string
	Date        string
	LoadBefore  string
	LoadAfter   string
	Versions    map[string]string
	Compiler    string
	Commit      string
	Hypervisor  bool
	Instruction string
}

func thisMachine() machine {
	info := read("/proc/cpuinfo")
	m := machine{
		CPU: field(info, "model name"), Cores: runtime.NumCPU(), Memory: field(read("/proc/meminfo"), "MemTotal"),
		System: runtime.GOOS + "/" + runtime.GOARCH + " " + strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		Date:   time.Now().Format("2006-01-02 15:04 MST"), LoadBefore: load(), Versions: map[string]string{"Go": runtime.Version()},
		Compiler: firstLine("cc", "--version"), Commit: firstLine("git", "describe", "--always", "--dirty"),
		Hypervisor: strings.Contains(info, " hypervisor "),
	}
	if family := field(info, "cpu family"); family != "" {
		m.CPU += fmt.Sprintf(" (family %s, model %s)", family, field(info, "model"))
	}
	flags := " " + field(info, "flags") + " "
	for _, f := range []string{"avx2", "avx512f", "avx512_bf16", "amx_bf16"} {
		if strings.Contains(flags, " "+f+" ") {
			m.Instruction += " " + f
		}
	}
	return m
}

func onAMD() bool { return field(read("/proc/cpuinfo"), "vendor_id") == "AuthenticAMD" }

func (m *machine) finish() { m.LoadAfter = load() }

func read(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(data)
}

// field is the value of the first line "name : value".
func field(text, name string) string {
	for l := range strings.Lines(text) {
		if key, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// load is the load average over one, five and fifteen minutes.
func load() string {
	f := strings.Fields(read("/proc/loadavg"))
	if len(f) < 3 {
		return "unknown"
	}
	return strings.Join(f[:3], " ")
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	l, _, _ := strings.Cut(string(out), "\n")
	return l
}
