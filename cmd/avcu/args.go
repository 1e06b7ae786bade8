package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange rewrites the arguments into the form that the library reads: flags before positional
// arguments, names with dashes, every value behind an equals sign.
func arrange(args []string, commands []*cli.Command) ([]string, error) {
	out := []string{args[0]}
	var command *cli.Command
	i := 1
	for ; i < len(args) && !strings.HasPrefix(args[i], "-"); i++ {
		k := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[i]) })
		if k < 0 {
			break
		}
		command, commands = commands[k], commands[k].Subcommands
		out = append(out, args[i])
	}
	if command == nil {
		return args, nil
	}
	var positional []string
	for ; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			positional = append(positional, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			positional = append(positional, arg)
			continue
		}
		name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		name = strings.ReplaceAll(name, "_", "-")
		dashes := arg[:len(arg)-len(strings.TrimLeft(arg, "-"))]
		takes := takesValue(command, name)
		switch {
		case joined:
		case name == "resume":
			joined = true
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				value = args[i]
			}
		case takes:
			if i+1 == len(args) {
				return nil, usagef("flag --%s needs a value", name)
			}
			i++
			joined, value = true, args[i]
		}
		flag := dashes + name
		if joined {
			flag += "=" + value
		}
		out = append(out, flag)
	}
	if len(positional) > 0 {
		out = append(append(out, "--"), positional...)
	}
	return out, nil
}

// takesValue reports that the command's flag of this name is not a switch.
func takesValue(command *cli.Command, name string) bool {
	for _, f := range command.Flags {
		if slices.Contains(f.Names(), name) {
			_, isSwitch := f.(*cli.BoolFlag)
			return !isSwitch
		}
	}
	return false
}
