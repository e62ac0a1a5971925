package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"poolkeeper/lambda/mototest"
)

// TestManyPlaces: two accounts and three Regions are in one plan and in one report, and a Region that cannot be read
// stops none of the others.
func TestManyPlaces(t *testing.T) {
	url := mototest.Start(t)
	other := keysOf(t, url, "222222222222")
	shared := write(t, "config", "[profile one]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"+
		"[profile two]\naws_access_key_id = "+*other.AccessKeyId+"\naws_secret_access_key = "+*other.SecretAccessKey+
		"\naws_session_token = "+*other.SessionToken+"\n")
	for name, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_CONFIG_FILE": shared,
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1"} {
		t.Setenv(name, v)
	}
	regions := []string{"eu-west-1", "us-east-1"}
	var ids []string
	for _, profile := range []string{"one", "two"} {
		for _, region := range regions {
			loaded, err := config.LoadDefaultConfig(context.Background(), config.WithSharedConfigProfile(profile),
				config.WithRegion(region))
			if err != nil {
				t.Fatal(err)
			}
			made, err := idp.NewFromConfig(loaded).CreateUserPool(t.Context(),
				&idp.CreateUserPoolInput{PoolName: aws.String("customers")})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, aws.ToString(made.UserPool.Id))
		}
	}
	file := write(t, "b.yaml", "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
	places := []string{"--all", "--profile", "one,two", "--region", "eu-west-1,us-east-1,none-1", "--baseline", file}
	for _, format := range append([]string{"html", "ocsf"}, all...) {
		command := "plan"
		if slices.Contains([]string{"html", "ocsf"}, format) {
			command = "report"
		}
		got := execute(t.Context(), append([]string{command, "--output", format}, places...)...)
		if got.status != exitError {
			t.Errorf("%s: exit status %d, want that of a Region that failed\n%s", format, got.status, got.stderr)
		}
		for _, want := range append(ids, "123456789012", "222222222222", "profile two, none-1") {
			if !strings.Contains(got.stdout+got.stderr, want) {
				t.Errorf("%s says nothing of %s:\n%s%s", format, want, got.stdout, got.stderr)
			}
		}
	}
	got := execute(t.Context(), append([]string{"apply", "--yes", "--no-backup"}, places...)...)
	if !strings.Contains(got.stdout, "Done: 4 remediated.") || got.status != exitError {
		t.Errorf("exit status %d: %s%s", got.status, got.stdout, got.stderr)
	}
	got = execute(t.Context(), append([]string{"backup"}, "--all", "--out", t.TempDir(), "--profile", "one,two")...)
	if want := "poolkeeper: backup takes one --profile and one --region\n"; got.stderr != want {
		t.Errorf("%q, want %q", got.stderr, want)
	}
}

// keysOf returns keys of an account, with which moto keeps its pools apart.
func keysOf(t *testing.T, url, account string) *types.Credentials {
	t.Helper()
	client := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})})
	role := "arn:aws:iam::" + account + ":role/x"
	out, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")})
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}
