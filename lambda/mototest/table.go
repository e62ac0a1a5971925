package mototest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Config is that of a client of a server of tests, which takes any credentials.
func Config(url string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
}

// Table creates a table on the server, with the same keys as the deployed ledger's table.
func Table(t testing.TB, url, name string) *dynamodb.Client {
	t.Helper()
	client := dynamodb.NewFromConfig(Config(url))
	in := &dynamodb.CreateTableInput{TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest}
	for i, key := range []string{"pk", "sk"} {
		kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i] // in this order
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String(key), KeyType: kind})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(key), AttributeType: types.ScalarAttributeTypeS,
		})
	}
	if _, err := client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
	})
	made := &dynamodb.DescribeTableInput{TableName: aws.String(name)}
	if err := waiter.Wait(t.Context(), made, time.Minute); err != nil {
		t.Fatal(err)
	}
	return client
}
