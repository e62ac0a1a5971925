package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"poolkeeper/baseline"
)

// flagError says what is wrong with a flag.
func flagError(command *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("%s has no flag -%s; %s", command.Name(), unknown.GetSpecifiedName(), helpOf(command))
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if near := baseline.Nearest(name, flagsOf(command)); near != "" {
			return fmt.Errorf("%s has no flag --%s, did you mean --%s?", command.Name(), name, near)
		}
		return fmt.Errorf("%s has no flag --%s; %s", command.Name(), name, helpOf(command))
	case errors.As(err, &missing):
		return fmt.Errorf("--%s needs a value", missing.GetSpecifiedName())
	case errors.As(err, &invalid):
		wants := map[string]string{"bool": "true or false", "duration": "a duration such as 24h or 90m"}
		flag := invalid.GetFlag()
		return fmt.Errorf("--%s is %q: it takes %s", flag.Name, invalid.GetValue(), wants[flag.Value.Type()])
	default:
		return err
	}
}

func flagsOf(command *cobra.Command) []string {
	var names []string
	add := func(flag *pflag.Flag) { names = append(names, flag.Name) }
	command.Flags().VisitAll(add)
	command.InheritedFlags().VisitAll(add)
	return names
}

func helpOf(command *cobra.Command) string { return command.CommandPath() + " --help lists them" }

// noCommand says that an argument is no command.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	if near := baseline.Nearest(args[0], names); near != "" {
		return fmt.Errorf("there is no command %q, did you mean %s?", args[0], near)
	}
	return fmt.Errorf("there is no command %q; %s", args[0], helpOf(root))
}

// arguments wants so many arguments, which the help calls by a name.
func arguments(name string, least, most int) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch help := command.CommandPath() + " --help"; {
		case len(args) < least:
			return fmt.Errorf("%s needs %s; see %s", command.Name(), name, help)
		case len(args) > most && most == 0:
			return fmt.Errorf("%s takes only flags, and %q is none; see %s", command.Name(), args[0], help)
		case len(args) > most:
			return fmt.Errorf("%s takes one %s, not %d: %s", command.Name(), name, len(args), strings.Join(args, " "))
		default:
			return nil
		}
	}
}
