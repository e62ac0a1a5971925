package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"poolkeeper/baseline"
)

// didYouMean suggests the nearest name, if one is near.
func didYouMean(before, name string, names []string) string {
	if near := baseline.Nearest(name, names); near != "" && near != name {
		return ", did you mean " + before + near + "?"
	}
	return ""
}

// likelyFile suggests the file that was probably meant.
func likelyFile(path string) string {
	folder, name := filepath.Split(path)
	found, _ := os.ReadDir(filepath.Dir(path))
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
	}
	return didYouMean(folder, name, names)
}

// unknown returns an error for an unknown name, with a suggestion or a hint where the names are listed.
func unknown(what, before, name string, names []string, command *cobra.Command) error {
	if meant := didYouMean(before, name, names); meant != "" {
		return errors.New(what + meant)
	}
	return fmt.Errorf("%s; %s --help lists them", what, command.CommandPath())
}

// flagError describes what is wrong with a flag.
func flagError(command *cobra.Command, err error) error {
	if args := command.Flags().Args(); !command.HasParent() && len(args) > 0 {
		return noCommand(command, args) // the flag may be one of the command that was meant
	}
	var none *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &none):
		var names []string
		command.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		name, dashes := none.GetSpecifiedName(), "--"
		if none.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return unknown(command.Name()+" has no flag "+dashes+name, "--", name, names, command)
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

// noCommand returns an error for an argument that is not a command.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return unknown(fmt.Sprintf("there is no command %q", args[0]), "", args[0], names, root)
}

// argumentOf returns the argument in the usage of a command: FILE, [FILE] or FILE...; the name is "" if it has none.
func argumentOf(command *cobra.Command) (name string, optional, several bool) {
	word := strings.Fields(command.Use + " -")[1]
	name = strings.Trim(word, "([.])")
	if strings.HasPrefix(name, "-") {
		return "", true, false
	}
	return name, name[0] != word[0], strings.HasSuffix(word, "...")
}

// countArguments checks the number of arguments.
func countArguments(command *cobra.Command, args []string) error {
	name, optional, several := argumentOf(command)
	switch help := command.CommandPath() + " --help"; {
	case len(args) == 0 && !optional:
		return fmt.Errorf("%s needs %s; see %s", command.Name(), name, help)
	case len(args) > 0 && name == "":
		return fmt.Errorf("%s takes only flags, but %q is not a flag; see %s", command.Name(), args[0], help)
	case len(args) > 1 && !several:
		return fmt.Errorf("%s takes one %s, not %d: %s", command.Name(), name, len(args), strings.Join(args, " "))
	default:
		return nil
	}
}
