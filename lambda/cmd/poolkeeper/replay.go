package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/userpool"
)

func (c cli) replay() *cobra.Command {
	var file, output string
	var audit bool
	command := &cobra.Command{
		Use:   "replay EVENT.json",
		Short: "Run the handler once on the payload of an event, as the function would",
		Long: "Runs the function's handler once on the payload in EVENT.json (- is standard input) and prints the outcome.\n" +
			"It reads and WRITES the pool that the event names, at the endpoint and with the credentials of the environment\n" +
			"(AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, ...); --audit only reports.",
		Example: "  poolkeeper replay --audit lambda/event/testdata/update-user-pool.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			payload, err := readPayload(args[0], command.InOrStdin())
			if err != nil {
				return err
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("--output is %q: say text or json", output)
			}
			required, err := readBaseline(file)
			if err != nil {
				return err
			}
			if audit {
				required = required.InMode(baseline.Audit)
			}
			client, err := c.connect(command.Context())
			if err != nil {
				return err
			}
			result, err := reconcile.New(client, required, c.getenv("ROLE_ARN")).Handle(command.Context(), payload, event.Home{}, func(reconcile.Outcome) {})
			if printed := c.print(result, output); printed != nil {
				return printed
			}
			if err != nil {
				return exit(exitError) // deferred: the result says why
			}
			return exitOf(result)
		},
	}
	command.Flags().StringVar(&file, "baseline", c.getenv("BASELINE_FILE"), "baseline file (default $BASELINE_FILE, or else the one that ships)")
	command.Flags().StringVar(&output, "output", "text", "text or json")
	command.Flags().BoolVar(&audit, "audit", c.getenv("MODE") == "audit", "report drift, write nothing (default from $MODE)")
	return command
}

// connect builds the client from the SDK's own chain of credentials and settings.
func (c cli) connect(ctx context.Context) (*userpool.Client, error) {
	var pem []byte
	if path := c.getenv("AWS_CA_BUNDLE"); path != "" {
		var err error
		if pem, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading AWS_CA_BUNDLE: %w", err)
		}
	}
	http, err := userpool.NewHTTPClient(pem)
	if err != nil {
		return nil, err
	}
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, fmt.Errorf("no Region: set AWS_REGION, or region in the profile")
	}
	return userpool.New(cognito.NewFromConfig(loaded, func(o *cognito.Options) { o.HTTPClient = http })), nil
}

func (c cli) print(result any, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(c.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	switch result := result.(type) {
	case reconcile.Outcome:
		return report.Text(c.out, result, c.paint())
	case reconcile.Sweeping:
		return report.Sweep(c.out, result, c.paint())
	default:
		return fmt.Errorf("no text for %T", result)
	}
}

func exitOf(result any) error {
	words := map[reconcile.Word]int{}
	switch result := result.(type) {
	case reconcile.Outcome:
		words[result.Outcome]++
	case reconcile.Sweeping:
		words = result.Outcomes
		if len(result.Failed) > 0 {
			return exit(exitError)
		}
	}
	for _, left := range []reconcile.Word{reconcile.Drifted, reconcile.Partial, reconcile.Unfixable, reconcile.Unconverged} {
		if words[left] > 0 {
			return exit(exitDrifted)
		}
	}
	return nil
}

func readPayload(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	payload, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	return payload, nil
}
