package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/lambda/userpool"
)

// newClient builds the SDK's client from the environment by hand: package config would link sign-in, single sign-on and metadata clients
// that a function cannot use, and make it start half as slow again.
func newClient(c Config) (*cognito.Client, error) {
	http, err := userpool.NewHTTPClient(c.CABundle)
	if err != nil {
		return nil, err
	}
	options := cognito.Options{
		Region:     c.Region,
		HTTPClient: http,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretKey, SessionToken: c.SessionToken, Source: "environment"}, nil
		}),
	}
	if c.Endpoint != "" {
		options.BaseEndpoint = aws.String(c.Endpoint)
	}
	if c.FIPS {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if c.DualStack {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return cognito.New(options), nil
}
